package parse

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarkdownKeepsWhatPeopleRead(t *testing.T) {
	doc := parseData(t, "guide.md", `---
title: "Travel guide"
tags: [travel, money]
groups: [staff]
date: 2026-02-01
version: 7
lang: en
owner: {name: Ann}
---

# Travel

See [the *rules*](rules.md) and ![a map of the site](map.png). Water is H<sub>2</sub>O.
Wrapped
line.[^1]

<!-- a comment -->

- [x] one
  continued
  - two
1. first
2. second

> Quoted words.

| Place | Limit |
|-------|------:|
| Bergen | 190 |

`+"```go\nfunc main() {\n\tx := \"{% raw %}\"\n}\n```"+`

<details><summary>More</summary>

Hidden text.

</details>

[^1]: A note.
`)
	wantOutline(t, doc, `
heading1: Travel
paragraph: See the rules and a map of the site. Water is H2O. Wrapped line.[1]
list-item1: one continued
list-item2: two
list-item1: 1. first
list-item1: 2. second
quote: Quoted words.
table-header: Place | Limit
table-row: Bergen | 190
code: func main() {⏎	x := "{% raw %}"⏎}
paragraph: More
paragraph: Hidden text.
list-item1: 1. A note.`)
	want := map[string]any{"tags": []any{"travel", "money"}, "groups": []any{"staff"}, "date": "2026-02-01", "version": uint64(7),
		"lang": "en", "owner": map[string]any{"name": "Ann"}}
	if diff := cmp.Diff(want, doc.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if doc.Title != "Travel guide" || doc.Language != "en" {
		t.Errorf("title %q, language %q", doc.Title, doc.Language)
	}
}

func TestMarkdownForSiteGeneratorsIsReadWithoutTheirTags(t *testing.T) {
	doc := parseData(t, "page.md", `{% comment %} not for readers {% endcomment %}
Go to [the list]({% page "/a/b/" %}) or [elsewhere][ref] in {% slack_channel "travel" %}.
{% image "img/a.png" "A picture of a boat" %} {{ site.url }}

{%- include "x.html" steps: a.b -%}

[ref]: {% page "/c/" %}
`)
	wantOutline(t, doc, `paragraph: Go to the list or elsewhere in travel. A picture of a boat`)
}

func TestChineseLinesAreJoinedWithoutSpaces(t *testing.T) {
	doc := parseData(t, "a.md", "灯塔每六秒\n闪一次白光，\nDunlin 200\n也闪。\n")
	wantOutline(t, doc, `paragraph: 灯塔每六秒闪一次白光， Dunlin 200 也闪。`)
}

func TestBrokenFrontMatterIsLeftOutUnlessItNamesGroups(t *testing.T) {
	broken := "---\ntitle: \"never closed\ntags: [a\n---\n# Text\n"
	doc := parseData(t, "a.md", broken)
	if doc.Title != "Text" || len(doc.Warnings) != 1 {
		t.Errorf("title %q, warnings %q", doc.Title, doc.Warnings)
	}
	if got := codeFor("a.md", strings.Replace(broken, "tags: [a", "groups: [board", 1)); got != Damaged {
		t.Errorf("got code %q: who may see it is not known", got)
	}
}

func TestARulerIsNotFrontMatter(t *testing.T) {
	doc := parseData(t, "a.md", "---\n\nJust text.\n\n---\n\nMore.\n")
	wantOutline(t, doc, "paragraph: Just text.\nparagraph: More.")
}
