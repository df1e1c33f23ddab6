package parse

import (
	"regexp"
	"strings"
	"sync"
)

// codeLanguage is a programming language, and by what lines its declarations are recognised.
type codeLanguage struct {
	name       string
	extensions []string
	programs   []string // that run scripts in it
	types      rule     // begin a type, module or section
	functions  rule
}

// rule is a pattern that is compiled when it is first used: most runs read no source code. It may be nil.
type rule func() *regexp.Regexp

func newRule(pattern string) rule {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// declares returns the beginning of a declaration, as far as its name; "" for any other line.
func (l codeLanguage) declares(line string) (name string, function bool) {
	if len(line) > 500 || strings.TrimSpace(line) == "" {
		return "", false
	}
	if l.types != nil {
		if name := strings.TrimSpace(l.types().FindString(line)); name != "" {
			return trimName(name), false
		}
	}
	if l.functions == nil {
		return "", false
	}
	m := l.functions().FindStringSubmatch(line)
	if m == nil || notDeclared.MatchString(m[1]) {
		return "", false
	}
	return trimName(m[1]), true
}

func trimName(s string) string { return strings.TrimRight(strings.TrimSpace(s), " \t:{(=<") }

// notDeclared matches statements that look like a function in languages without a word for one.
var notDeclared = regexp.MustCompile(`^\s*(?:(?:if|for|while|switch|catch|return|else|do|throw|new|await|case|using|lock|with|super|assert)\b|#)`)

// modifiers stand before a declaration in Java and its relatives.
const modifiers = `(?:(?:public|private|protected|internal|static|final|abstract|override|virtual|async|sealed|synchronized|default|native|unsafe|extern|partial|open|data|inline|suspend|mutating|fileprivate|readonly|case|implicit|lazy|const|export|declare)\s+)`

// codeLanguages are those whose files are read. One without rules is read as it is.
func codeLanguages() []codeLanguage {
	types := func(more string) rule {
		return newRule(`^\s*` + modifiers + `*(?:class|interface|enum|record|struct|trait|namespace|extension|protocol|actor|module|mixin|@interface` + more + `)\s+[\w.$\\]+`)
	}
	braces := types("")
	word := func(words string) rule { return newRule(`^(\s*` + modifiers + `*(?:` + words + `)\s+[&\w.$]+)`) }
	return []codeLanguage{
		{name: "go", extensions: []string{".go"}, types: newRule(`^(?:type\s+\w+|(?:const|var)\b\s*\w*)`), functions: newRule(`^(func\s+(?:\([^)]*\)\s*)?\w+)`)},
		{name: "python", extensions: []string{".py", ".pyi", ".pyw"}, programs: []string{"python"},
			types: newRule(`^\s*class\s+\w+`), functions: newRule(`^(\s*(?:async\s+)?def\s+\w+)`)},
		{name: "javascript", extensions: []string{".js", ".mjs", ".cjs", ".jsx"}, programs: []string{"node"}, types: scriptTypes, functions: scriptFunctions},
		{name: "typescript", extensions: []string{".ts", ".mts", ".cts", ".tsx"}, types: scriptTypes, functions: scriptFunctions},
		{name: "java", extensions: []string{".java"}, types: braces, functions: typedMethod},
		{name: "csharp", extensions: []string{".cs"}, types: braces, functions: typedMethod},
		{name: "kotlin", extensions: []string{".kt", ".kts"}, types: types(`|object|companion\s+object`), functions: word(`fun`)},
		{name: "scala", extensions: []string{".scala"}, types: types(`|object`), functions: word(`def`)},
		{name: "swift", extensions: []string{".swift"}, types: braces, functions: word(`func|init`)},
		{name: "dart", extensions: []string{".dart"}, types: braces},
		{name: "groovy", extensions: []string{".groovy", ".gradle"}, types: braces, functions: word(`def`)},
		{name: "php", extensions: []string{".php"}, programs: []string{"php"}, types: braces, functions: word(`function`)},
		{name: "c", extensions: []string{".c", ".h"}, types: recordTypes, functions: plainFunction},
		{name: "cpp", extensions: []string{".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx", ".ino", ".cu"}, types: recordTypes, functions: plainFunction},
		{name: "rust", extensions: []string{".rs"}, types: newRule(`^\s*(?:pub(?:\([^)]*\))?\s+)?(?:unsafe\s+)?(?:struct|enum|trait|union|mod|impl)\b[^{;]*`),
			functions: newRule(`^(\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?:default|const|async|unsafe|extern(?:\s+"[^"]*")?)\s+)*fn\s+\w+)`)},
		{name: "ruby", extensions: []string{".rb", ".rake", ".gemspec"}, programs: []string{"ruby"}, types: newRule(`^\s*(?:class|module)\s+[\w:]+`), functions: newRule(`^(\s*def\s+[\w.?!=]+)`)},
		{name: "perl", extensions: []string{".pl", ".pm"}, programs: []string{"perl"}, types: newRule(`^package\s+[\w:]+`), functions: newRule(`^(\s*sub\s+\w+)`)},
		{name: "lua", extensions: []string{".lua"}, programs: []string{"lua"}, functions: newRule(`^(\s*(?:local\s+)?function\s+[\w.:]+)`)},
		{name: "r", extensions: []string{".r"}, programs: []string{"Rscript"}, functions: newRule(`^([\w.]+\s*(?:<-|=)\s*function)`)},
		{name: "julia", extensions: []string{".jl"}, types: newRule(`^\s*(?:mutable\s+)?(?:struct|module)\s+\w+`), functions: newRule(`^(\s*function\s+[\w.!]+)`)},
		{name: "elixir", extensions: []string{".ex", ".exs"}, types: newRule(`^\s*defmodule\s+[\w.]+`), functions: newRule(`^(\s*defp?\s+[\w?!]+)`)},
		{name: "sql", extensions: []string{".sql"}, types: newRule(`(?i)^\s*(?:create|alter)\s+(?:or\s+(?:replace|alter)\s+)?(?:(?:temporary|temp|unique|materialized|unlogged|global)\s+)*` +
			`(?:table|view|function|procedure|trigger|index|type|schema|sequence|database)\s+(?:if\s+not\s+exists\s+|only\s+)?[\w."` + "`" + `\[\]]+`)},
		{name: "shell", extensions: []string{".sh", ".bash", ".zsh", ".ksh"}, programs: []string{"bash", "dash", "ksh", "zsh", "sh"},
			functions: newRule(`^(\s*(?:function\s+[\w:.-]+|[\w:.-]+\s*\(\)))`)},
		{name: "powershell", extensions: []string{".ps1", ".psm1"}, functions: newRule(`(?i)^(\s*function\s+[\w:-]+)`)},
		{name: "batch", extensions: []string{".bat", ".cmd"}, types: newRule(`^:\w+`)},
		{name: "yaml", extensions: []string{".yaml", ".yml"}, types: newRule(`^["']?[\w][\w ./"'-]*:(?:\s|$)`)},
		{name: "toml", extensions: []string{".toml"}, types: newRule(`^\[{1,2}[^\]=]+\]{1,2}`)},
		{name: "ini", extensions: []string{".ini", ".cfg", ".conf"}, types: newRule(`^\[[^\]=]+\]`)},
		{name: "terraform", extensions: []string{".tf", ".hcl"}, types: newRule(`^\w+(?:\s+"[^"]*")+`)},
		{name: "protobuf", extensions: []string{".proto"}, types: newRule(`^\s*(?:message|service|enum)\s+\w+`), functions: newRule(`^(\s*rpc\s+\w+)`)},
		{name: "graphql", extensions: []string{".graphql", ".gql"}, types: newRule(`^(?:extend\s+)?(?:type|interface|enum|input|union|scalar|query|mutation|fragment)\s+\w+`)},
		{name: "css", extensions: []string{".css", ".scss", ".less"}},
		{name: "vue", extensions: []string{".vue", ".svelte"}},
		{name: "properties", extensions: []string{".properties"}},
		{name: "makefile", extensions: []string{".mk", ".cmake"}},
		{name: "haskell", extensions: []string{".hs"}},
		{name: "clojure", extensions: []string{".clj"}},
		{name: "erlang", extensions: []string{".erl"}},
		{name: "solidity", extensions: []string{".sol"}},
		{name: "zig", extensions: []string{".zig"}},
	}
}

var (
	scriptTypes     = newRule(`^\s*` + modifiers + `*(?:class|interface|enum|namespace|module|type)\s+[\w$]+(?:\s|<|=|\{|$)`)
	scriptFunctions = newRule(`^(\s*` + modifiers + `*(?:function\*?\s+[\w$]+|(?:const|let|var)\s+[\w$]+(?:\s*:[^=]+)?\s*=\s*(?:async\s*)?(?:function\b|\([^)]*\)\s*(?::[^=]+)?=>|[\w$]+\s*=>)|` +
		`(?:(?:get|set|\*)\s*)?#?[\w$]+(?:<[^>]*>)?\([^()]*\)(?:\s*:\s*[^{=]+)?)\s*\{)`)
	// typedMethod has at least one modifier and a type before its name.
	typedMethod = newRule(`^(\s*` + modifiers + `+(?:<[^>]+>\s*)?(?:[\w.$]+(?:<[^;(]*>)?(?:\[\])*\??\s+)?\w+)\s*\([^;]*$`)
	recordTypes = newRule(`^\s*(?:typedef\s+)?(?:class|struct|union|namespace|enum(?:\s+class)?)\s+\w+(?:[^;()]*\{|[^;(){]*)$`)
	// plainFunction begins in the first column, with the type of its result.
	plainFunction = newRule(`^([A-Za-z_][\w\s*&:<>,~]*?[\s*&]~?[\w:~]+|[A-Za-z_]\w*::~?\w+)\s*\([^;]*$`)
)
