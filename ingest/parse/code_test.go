package parse

import (
	"fmt"
	"strings"
	"testing"
)

func TestCodeIsCutAtItsDeclarations(t *testing.T) {
	for _, tt := range []struct{ file, text, want string }{
		{"a.go", "// Package a is small.\npackage a\n\n// T is one.\ntype T struct {\n\tx int\n}\n\n// Do does.\nfunc (t *T) Do(f func()) error {\n\tgo func() {}()\n\n\treturn nil\n}\n", `
code: // Package a is small.⏎package a
heading2: type T
code: // T is one.⏎type T struct {⏎	x int⏎}
heading2: func (t *T) Do
code: // Do does.⏎func (t *T) Do(f func()) error {⏎	go func() {}()⏎⏎	return nil⏎}`},
		{"a.py", "import x\n\n@dataclass\nclass A(B):\n    \"\"\"Doc.\"\"\"\n\n    async def f(self):\n        def inner(): pass\n        return 1\n\ndef g(): pass", `
code: import x
heading2: class A
code: @dataclass⏎class A(B):⏎    """Doc."""
heading3: async def f
code:     async def f(self):⏎        def inner(): pass⏎        return 1
heading2: def g
code: def g(): pass`},
		{"a.ts", "export default class A<T> {\n  private async go(x: number): Promise<void> {\n    if (x) {\n    }\n    run(function () {\n    });\n  }\n}\nexport const f = async (a) => {\n};\n", `
heading2: export default class A
code: export default class A<T> {
heading3: private async go(x: number): Promise<void>
code:   private async go(x: number): Promise<void> {⏎    if (x) {⏎    }⏎    run(function () {⏎    });⏎  }⏎}
heading2: export const f = async (a) =>
code: export const f = async (a) => {⏎};`},
		{"A.java", "@Service\npublic final class A {\n  /** Doc. */\n  public List<String> names(int n) throws E {\n    return null;\n  }\n  int x = f(1);\n}", `
heading2: public final class A
code: @Service⏎public final class A {
heading3: public List<String> names
code:   /** Doc. */⏎  public List<String> names(int n) throws E {⏎    return null;⏎  }⏎  int x = f(1);⏎}`},
		{"a.c", "#include <x.h>\nint f(void);\nstatic char *g(int a,\n  int b)\n{\n  while (a) {}\n  return 0;\n}\n", `
code: #include <x.h>⏎int f(void);
heading2: static char *g
code: static char *g(int a,⏎  int b)⏎{⏎  while (a) {}⏎  return 0;⏎}`},
		{"a.rs", "impl<T> Show for A<T> {\n    pub(crate) fn show(&self) -> u8 { 1 }\n}", `
heading2: impl<T> Show for A<T>
code: impl<T> Show for A<T> {
heading3: pub(crate) fn show
code:     pub(crate) fn show(&self) -> u8 { 1 }⏎}`},
		{"a.sql", "-- Gauges.\nCREATE TABLE IF NOT EXISTS gauge (\n  id int\n);\nselect 1;", `
heading2: CREATE TABLE IF NOT EXISTS gauge
code: -- Gauges.⏎CREATE TABLE IF NOT EXISTS gauge (⏎  id int⏎);⏎select 1;`},
		{"a.yaml", "# Ports.\nserver:\n  port: 1\nlist: [a]\n", `
heading2: server
code: # Ports.⏎server:⏎  port: 1
heading2: list
code: list: [a]`},
		{"run", "#!/usr/bin/env bash\nmain() {\n  echo hi\n}\n", `
heading2: main()
code: #!/usr/bin/env bash⏎main() {⏎  echo hi⏎}`},
	} {
		t.Run(tt.file, func(t *testing.T) {
			doc := parseData(t, tt.file, tt.text)
			wantOutline(t, doc, tt.want)
			if stem, _, _ := strings.Cut(tt.file, "."); doc.Title != stem || doc.MediaType != "text/x-source" {
				t.Errorf("title %q, media type %q", doc.Title, doc.MediaType)
			}
		})
	}
}

// Nothing but white space around declarations may get lost.
func TestCodeKeepsEveryLine(t *testing.T) {
	for _, l := range codeLanguages() {
		text := "class A {\n\tpublic int f(int x) {\n\t}\n}\nfunc g() {\n}\n[a]\nb: 1\ndef h(x):\n  create table t (\n"
		doc := parseData(t, "a"+l.extensions[0], text)
		var kept []string
		for _, b := range doc.Pages[0].Blocks {
			if b.Kind == Code {
				kept = append(kept, b.Text)
			}
		}
		if got := strings.Join(kept, "\n") + "\n"; got != text {
			t.Errorf("%s: got %q", l.name, got)
		}
		if doc.Metadata["programming_language"] != l.name {
			t.Errorf("%s: metadata %v", l.name, doc.Metadata)
		}
	}
}

func TestWhatProgramsWriteForProgramsIsNotRead(t *testing.T) {
	long := strings.Repeat("function(){return 1};", 500)
	for _, tt := range []struct {
		file, text string
		want       ErrorCode
	}{
		{"package-lock.json", "{}", Generated},
		{"pnpm-lock.yaml", "lockfileVersion: 9", Generated},
		{"jquery.min.js", "x", Generated},
		{"app.js", long, Generated},
		{"app.js", strings.ReplaceAll(long, ";", ";\n"), ""},
		{"dump.sql", fmt.Sprintf("insert into t values ('%s');", long), ""},
		{"a.go", "package a\x00\x00\x01\x02", Damaged},
	} {
		if got := codeFor(tt.file, tt.text); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.file, got, tt.want)
		}
	}
}

func FuzzCode(f *testing.F) {
	fuzz(f, "a.ts", "export class A {\n  f(x): void {\n  }\n}\nconst g = (a) => {\n}\n")
}
