package answer

import (
	"strings"
	"testing"

	"grounded/corpus"
)

func TestLinksAreThoseOfThePassages(t *testing.T) {
	passages := []corpus.Passage{{Text: "Ask at https://portal.contoso.com/leave, or read [the rules](https://contoso.com/a(b)).\n" +
		"![tracker](https://evil.example/p.png) https://evil.example/c?d=SECRET www.contoso.com/x 请访问https://zh.contoso.com/假 node.js/express"}}
	for _, test := range []struct{ name, text, want string }{
		{"text", "Everyone has 27 days [1]. 5 < 6, a<b, x[0](y), and/or 3/4! It's 1.5/2.0 e.g. [a]: b", "Everyone has 27 days [1]. 5 < 6, a< b, x[0] (y), and/or 3/4! It's 1.5/2.0 e.g. [a]: b"},
		{"Chinese", "员工每年有27天年假。[1]见 report.pdf！", "员工每年有27天年假。[1]见 report.pdf！"},
		{"an address of a passage", "Ask at https://portal.contoso.com/leave. (https://portal.contoso.com/leave)", "Ask at https://portal.contoso.com/leave. (https://portal.contoso.com/leave)"},
		{"with parentheses", "See https://contoso.com/a(b).", "See https://contoso.com/a(b)."},
		{"before Chinese", "请访问https://portal.contoso.com/leave申请", "请访问https://portal.contoso.com/leave 申请"},
		{"in Chinese", "请访问https://zh.contoso.com/假。", "请访问https://zh.contoso.com/假。"},
		{"another address", "Ask at https://evil.example/?d=27 now.", "Ask at ‹link removed› now."},
		{"only the beginning of one", "https://evil.example/c and https://evil.example/c?d=", "‹link removed› and ‹link removed›"},
		{"more than one", "https://portal.contoso.com/leave/27 https://portal.contoso.com/leave?q=27", "‹link removed› https://portal.contoso.com/leave ?q=27"},
		{"one with more behind", "https://portal.contoso.com/leave|27 https://portal.contoso.com/leave)27", "https://portal.contoso.com/leave |27 https://portal.contoso.com/leave )27"},
		{"image", "![all is well](https://evil.example/?d=27)", "[all is well] (‹link removed›)"},
		{"image of a passage", "![tracker](https://evil.example/p.png)", "[tracker] (https://evil.example/p.png)"},
		{"link", `[here](https://evil.example/x "27") or [there](//evil.example/27)`, `[here] (‹link removed› "27") or [there] (//evil.example /27)`},
		{"link to this server", "[here](/api/collections?x=27)", "[here] (/api/collections?x=27)"},
		{"definition", "[x][y]\n\n[y]: /api?27\n> - [z]: <https://evil.example/27>", "[x][y]\n\n[y] : /api?27\n> - [z] : < ‹link removed›>"},
		{"autolink", "<https://evil.example/27> <mailto:a@evil.example?body=27>", "< ‹link removed›> < ‹link removed›>"},
		{"tags", `<img src="//evil.example/27"> <b>x</b> <script>1</script> <IMG/src=x> <svg onload=1> <!-- x --> List<String>`, `< img src="//evil.example /27"> <b>x</b> < script>1</script> < IMG/src=x> < svg onload=1> < !-- x --> List<String>`},
		{"no scheme", "evil.example/?d=27 www.evil.example EVIL.example:80/27 node.js/express www.contoso.com/x", "evil.example /?d=27 ‹link removed› EVIL.example:80 /27 node.js/express www.contoso.com/x"},
		{"other schemes", `javascript:alert(1) data:text/html,27 ftp://evil.example https:\/\/evil.example/27 data:27`, `‹link removed›) ‹link removed› ‹link removed› ‹link removed› data:27`},
		{"letters of others", "https://evil.example/年假27天。", "‹link removed›。"},
		{"a Chinese sentence behind one", "请访问https://intranet/x申请，然后联系人事部。每年27天年假。", "请访问‹link removed›，然后联系人事部。每年27天年假。"},
		{"tags of other names", `<x_y onmouseover=alert(1)>hi <ab:27> <é:x> <a.b/x> </b>`, `< x_y onmouseover=alert(1)>hi < ab:27> <é:x> < a.b/x> </b>`},
		{"unfinished", "See <img", "See < img"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := plainText(test.text, passages); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// FuzzLinksInPieces cuts a text in every way: pieces must give what the whole gives, and giving it again changes nothing.
func FuzzLinksInPieces(f *testing.F) {
	passages := []corpus.Passage{{Text: "See https://contoso.com/a. 见https://contoso.com/假。"}}
	for _, text := range []string{
		"![x](https://evil.example/?d=27) <img src=x> https://contoso.com/a年", "[a]: /b\n[c](d) evil.example/27", "https://contoso.com/假。<!-- ]: -->", "!", "<b", "年\xff<",
	} {
		f.Add(text, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		whole := plainText(text, passages)
		step := int(size%7) + 1
		filter := newLinkFilter(passages)
		var pieces strings.Builder
		for from := 0; from < len(text); from += step {
			pieces.WriteString(filter.write(text[from:min(from+step, len(text))]))
		}
		pieces.WriteString(filter.rest())
		if pieces.String() != whole {
			t.Fatalf("in pieces of %d bytes\n%q, whole\n%q", step, pieces.String(), whole)
		}
		for _, sign := range []string{"![", "](", "<img ", "<!--"} {
			if strings.Contains(whole, sign) {
				t.Fatalf("%q is left in %q", sign, whole)
			}
		}
		if strings.Contains(whole, "s://evil") {
			t.Fatalf("an address is left in %q", whole)
		}
	})
}
