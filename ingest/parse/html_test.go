package parse

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestHTMLKeepsTheContentAndDropsTheRest(t *testing.T) {
	doc := parseData(t, "page.html", `<!DOCTYPE html><html lang="de-DE"><head><title>Pumpen &amp; Ventile</title>
<meta name="author" content="Werk Nord"><meta name="keywords" content="Pumpe, Ventil">
<meta property="article:published_time" content="2025-03-04T10:00:00Z"><style>p{}</style></head>
<body><header><a href="/">Home</a></header><nav><ul><li>Menu</li></ul></nav>
<div class="cookie-banner">We use cookies</div>
<main><h1>Pumpen</h1><p>Erste&nbsp;Zeile<br>zweite <b>Z</b>eile</p>
<script>var x = "hidden";</script><noscript>no script</noscript><p hidden>unseen</p><p style="display: none">unseen</p>
<ul><li><p>eins</p><p>mehr</p></li><li>zwei<ol start="3"><li>drei</li></ol></li></ul>
<dl><dt>Druck</dt><dd>25 bar</dd></dl>
<table><caption>Werte</caption><tr><th>A</th><th>B</th></tr><tr><td>1</td><td><p>2</p><p>3</p></td></tr></table>
<table role="presentation"><tr><td><h2>Links</h2><p>Text</p></td><td>Rechts</td></tr></table>
<pre>a
  b</pre><blockquote>Zitat</blockquote><p>Unclosed
</main><footer>Impressum</footer></body></html>`)
	wantOutline(t, doc, `
heading1: Pumpen
paragraph: Erste Zeile⏎zweite Zeile
list-item1: eins
paragraph: mehr
list-item1: zwei
list-item2: 3. drei
list-item1: Druck: 25 bar
paragraph: Werte
table-header: A | B
table-row: 1 | 2 3
heading2: Links
paragraph: Text
paragraph: Rechts
code: a⏎  b
quote: Zitat
paragraph: Unclosed`)
	if doc.Title != "Pumpen & Ventile" || doc.Language != "de" || doc.Metadata["author"] != "Werk Nord" || doc.Metadata["created"] != "2025-03-04T10:00:00Z" {
		t.Errorf("title %q, language %q, metadata %v", doc.Title, doc.Language, doc.Metadata)
	}
}

func TestHTMLWithNothingButNavigationIsReadAll(t *testing.T) {
	doc := parseData(t, "toc.html", "<html><body><nav><a href=x>Chapter one</a></nav></body></html>")
	wantOutline(t, doc, "paragraph: Chapter one")
}

func TestHTMLCharsetsComeFromTheirDeclaration(t *testing.T) {
	chinese := encode(t, simplifiedchinese.GBK, `<html><head><meta charset="gb2312"></head><p>潮汐站</p></html>`)
	wantOutline(t, parseData(t, "a.html", chinese), "paragraph: 潮汐站")
	russian := encode(t, charmap.KOI8R, `<html><head><meta http-equiv="Content-Type" content="text/html; charset=koi8-r"></head><p>Вода</p></html>`)
	wantOutline(t, parseData(t, "a.html", russian), "paragraph: Вода")
	if got := codeFor("a.html", "<html><meta charset=x-unknown><p>\xe4\xf6</p>"); got != UnsupportedCharset {
		t.Errorf("an unknown charset gave %q", got)
	}
}

func TestDeepHTMLIsRefusedAndNotFollowed(t *testing.T) {
	if got := codeFor("a.html", "<html>"+strings.Repeat("<div>", 100_000)+"x"); got != Damaged && got != "" {
		t.Errorf("got %q", got)
	}
}
