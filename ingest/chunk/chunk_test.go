package chunk_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"grounded/corpus"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
)

// letters counts a token a code point that is not white space: what is allowed to a chunk can be counted by hand.
func letters(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func words(s string) int { return len(strings.Fields(s)) }

// vocabulary has the words of a script, and what its sentences end with.
var vocabulary = []struct {
	words []string
	space string
	stop  string
}{
	{[]string{"travel", "the", "policy", "expenses", "of", "employees", "Dr.", "e-mail", "3.5"}, " ", ". "},
	{[]string{"差旅", "报销", "员工", "政策", "发票", "的", "公司"}, "", "。"},
	{[]string{"出張", "の", "規程", "カメラ", "を", "確認", "する"}, "", "。"},
	{[]string{"การเดินทาง", "ค่าใช้จ่าย", "พนักงาน", "นโยบาย"}, "", " "},
	{[]string{"سفر", "الموظفين", "سياسة", "النفقات"}, " ", ". "},
	{[]string{"Überstunden", "Straße", "größer", "ñandú", "e\u0301te\u0301"}, " ", "! "},
	{[]string{"👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "नमस्ते", "क्षत्रिय"}, " ", "। "},
}

func randomText(r *rand.Rand, sentences int) string {
	var b strings.Builder
	v := vocabulary[r.IntN(len(vocabulary))]
	for range sentences {
		for range 1 + r.IntN(14) {
			b.WriteString(v.words[r.IntN(len(v.words))] + v.space)
		}
		b.WriteString(v.stop)
	}
	return strings.TrimSpace(b.String())
}

func randomDocument(r *rand.Rand) chunk.Document {
	d := chunk.Document{ID: corpus.NewDocumentID("c", "s", "p"), Title: randomText(r, r.IntN(3))}
	kinds := []parse.Kind{parse.Heading, parse.Paragraph, parse.Paragraph, parse.ListItem, parse.ListItem,
		parse.TableRow, parse.TableRow, parse.TableHeader, parse.Code, parse.Quote}
	for number := range 1 + r.IntN(4) {
		page := parse.Page{Number: number + 1}
		for range r.IntN(16) {
			b := parse.Block{Kind: kinds[r.IntN(len(kinds))], Text: randomText(r, 1+r.IntN(5))}
			switch b.Kind {
			case parse.Heading:
				b.Level, b.Text = 1+r.IntN(4), randomText(r, 1)
			case parse.ListItem:
				b.Level = 1 + r.IntN(2)
			case parse.Code:
				b.Text = strings.ReplaceAll(b.Text, " ", "\n")
			}
			if r.IntN(12) == 0 {
				b.Text = strings.Repeat(b.Text, 1+r.IntN(30))
			}
			if b.Text = strings.TrimSpace(b.Text); b.Text != "" {
				page.Blocks = append(page.Blocks, b)
			}
		}
		d.Pages = append(d.Pages, page)
	}
	return d
}

func TestChunksAreExactBoundedAndLeaveNothingOut(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 7))
		d := randomDocument(r)
		c := chunk.Config{TargetTokens: 5 + r.IntN(120), OverlapTokens: r.IntN(40), Count: letters}
		c.MaxTokens = c.TargetTokens + r.IntN(60)
		pages, chunks := chunk.Split(d, c)

		covered := map[int][]bool{}
		ids := map[corpus.ChunkID]bool{}
		for _, p := range pages {
			covered[p.Number] = make([]bool, utf8.RuneCountInString(p.Text))
		}
		for i, k := range chunks {
			if got := textOf(t, pages, k); got != k.Text || strings.TrimSpace(got) != got {
				t.Fatalf("seed %d: page text is %q, chunk %d is %q", seed, got, i, k.Text)
			}
			if n := letters(k.Input()); n != k.Tokens || n > c.MaxTokens {
				t.Fatalf("seed %d: chunk %d has %d tokens, says %d, at most %d", seed, i, n, k.Tokens, c.MaxTokens)
			}
			if k.Ordinal != i || k.DocumentID != d.ID || ids[k.ID] {
				t.Fatalf("seed %d: chunk %d has ordinal %d, document %s, id seen before: %t", seed, i, k.Ordinal, k.DocumentID, ids[k.ID])
			}
			ids[k.ID] = true
			for _, p := range pages[k.PageStart-1 : k.PageEnd] {
				from, to := rangeOn(p, k)
				for at := from; at < to; at++ {
					covered[p.Number][at] = true
				}
			}
			if i > 0 && chunks[i-1].PageStart == k.PageStart && chunks[i-1].Start >= k.Start {
				t.Fatalf("seed %d: chunk %d does not begin behind the beginning of the one before", seed, i)
			}
		}
		for _, p := range pages {
			at := 0
			for _, char := range p.Text {
				if !unicode.IsSpace(char) && !covered[p.Number][at] {
					t.Fatalf("seed %d: page %d: character %d (%q) is in no chunk", seed, p.Number, at, char)
				}
				at++
			}
		}
	}
}

// rangeOn is what a chunk covers of one of its pages, in code points.
func rangeOn(p corpus.Page, k corpus.Chunk) (from, to int) {
	from, to = 0, utf8.RuneCountInString(p.Text)
	if p.Number == k.PageStart {
		from = k.Start
	}
	if p.Number == k.PageEnd {
		to = k.End
	}
	return from, to
}

// textOf is what the pages have where the chunk says that it stands.
func textOf(t *testing.T, pages []corpus.Page, k corpus.Chunk) string {
	t.Helper()
	var parts []string
	for _, p := range pages[k.PageStart-1 : k.PageEnd] {
		from, to := rangeOn(p, k)
		if from < 0 || from > to || to > utf8.RuneCountInString(p.Text) {
			t.Fatalf("chunk has range %d:%d–%d:%d", k.PageStart, k.Start, k.PageEnd, k.End)
		}
		parts = append(parts, string([]rune(p.Text)[from:to]))
	}
	return strings.Join(parts, "\n")
}

func page(number int, blocks ...parse.Block) parse.Page {
	return parse.Page{Number: number, Blocks: blocks}
}

func h(level int, text string) parse.Block {
	return parse.Block{Kind: parse.Heading, Level: level, Text: text}
}

func par(text string) parse.Block { return parse.Block{Kind: parse.Paragraph, Text: text} }

func split(c chunk.Config, title string, pages ...parse.Page) []corpus.Chunk {
	if c.Count == nil {
		c.Count = words
	}
	_, chunks := chunk.Split(chunk.Document{ID: "d", Title: title, Pages: pages}, c)
	return chunks
}

func texts(chunks []corpus.Chunk) []string {
	out := make([]string, len(chunks))
	for i, c := range chunks {
		out[i] = c.Text
	}
	return out
}

func sentences(n int, of string) string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprintf("Sentence %d speaks about %s at length.", i, of))
	}
	return strings.Join(s, " ")
}

func TestShortSectionsAreJoinedUnderTheirParent(t *testing.T) {
	got := split(chunk.Config{TargetTokens: 30}, "Handbook",
		page(1, h(1, "Travel"), h(2, "Meals"), par("Twenty euros a day."), h(2, "Hotels"), par("Book early."),
			h(1, "Leave"), par(sentences(4, "leave"))))
	want := []string{"Travel\n\nMeals\n\nTwenty euros a day.\n\nHotels\n\nBook early.", "Leave\n\n" + sentences(4, "leave")}
	if !slices.Equal(texts(got), want) {
		t.Fatalf("got %q\nwant %q", texts(got), want)
	}
	if got[0].HeadingPath() != "Travel" || got[1].HeadingPath() != "Leave" {
		t.Errorf("heading paths are %q and %q", got[0].HeadingPath(), got[1].HeadingPath())
	}
}

func TestALongSectionIsCutBetweenSentencesUnderItsHeadings(t *testing.T) {
	got := split(chunk.Config{TargetTokens: 30}, "Handbook", page(1, h(1, "Travel"), h(2, "Meals"), par(sentences(12, "meals"))))
	if len(got) < 3 {
		t.Fatalf("got %d chunks", len(got))
	}
	if !strings.HasPrefix(got[0].Text, "Travel\n\nMeals\n\nSentence 0") {
		t.Errorf("the first chunk is %q; headings belong to what stands under them", got[0].Text)
	}
	for i, c := range got {
		if !strings.HasSuffix(c.Text, "at length.") || c.HeadingPath() != "Travel > Meals" {
			t.Errorf("chunk %d under %q is %q", i, c.HeadingPath(), c.Text)
		}
		if want := "Handbook\nMeals"; i > 0 && c.Context != want {
			t.Errorf("chunk %d has context %q, want %q", i, c.Context, want)
		}
	}
	if got[0].Context != "Handbook" {
		t.Errorf("context %q repeats headings that the text has", got[0].Context)
	}
}

func TestHeadingsRunOnOverPageBreaks(t *testing.T) {
	got := split(chunk.Config{TargetTokens: 4}, "Handbook", page(1, h(1, "Travel"), h(2, "Meals"), par("Twenty euros.")), page(2, par("Thirty euros abroad.")))
	if len(got) != 2 || got[1].PageStart != 2 || got[1].HeadingPath() != "Travel > Meals" {
		t.Fatalf("got %+v", got)
	}
}

func TestAHeadingAtTheFootOfAPageStaysWithWhatStandsUnderIt(t *testing.T) {
	got := split(chunk.Config{TargetTokens: 30, OverlapTokens: -1}, "Handbook",
		page(1, h(1, "Travel"), par(sentences(3, "travel")), h(1, "Leave")), page(2), page(3, par("Thirty days. "+sentences(2, "leave"))))
	if len(got) != 2 {
		t.Fatalf("got %q", texts(got))
	}
	k := got[1]
	if want := "Leave\n\nThirty days. " + sentences(2, "leave"); k.Text != want || k.PageStart != 1 || k.PageEnd != 3 ||
		k.End != utf8.RuneCountInString("Thirty days. "+sentences(2, "leave")) || k.HeadingPath() != "Leave" {
		t.Errorf("got %+v", k)
	}
}

func TestNoChunkRunsOverTheEndOfASeparatePage(t *testing.T) {
	_, got := chunk.Split(chunk.Document{ID: "d", Separate: true, Pages: []parse.Page{
		page(1, h(1, "Plan"), par("Ship it.")), page(2, par("Sell it.")),
	}}, chunk.Config{Count: words})
	if len(got) != 2 || got[0].PageEnd != 1 || got[1].PageStart != 2 || got[1].Ordinal != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestASentenceThatRunsOverThePageEndIsNotCutThere(t *testing.T) {
	before, behind := "Meals abroad are paid for up to thirty", "euros a day. Hotels are booked by the office in good time."
	first := "Whoever travels needs an order that was signed well beforehand."
	got := split(chunk.Config{TargetTokens: 20, OverlapTokens: -1}, "", page(1, par(first+" "+before)), page(2, par(behind)))
	if len(got) != 2 || got[0].Text != first || got[1].PageStart != 1 || got[1].PageEnd != 2 {
		t.Errorf("got %q", texts(got))
	}
}

func TestTablesAreCutBetweenRowsAndLaterPiecesCarryTheHeader(t *testing.T) {
	blocks := []parse.Block{{Kind: parse.TableHeader, Text: "Country | Rate"}}
	for i := range 20 {
		blocks = append(blocks, parse.Block{Kind: parse.TableRow, Text: fmt.Sprintf("Country %d | %d euros. Per day", i, i)})
	}
	got := split(chunk.Config{TargetTokens: 40, OverlapTokens: 10}, "Rates", page(1, blocks...))
	if len(got) < 3 {
		t.Fatalf("got %d chunks", len(got))
	}
	for i, c := range got {
		for _, line := range strings.Split(c.Text, "\n") {
			if !strings.HasPrefix(line, "Country") || !strings.HasSuffix(line, "day") && line != "Country | Rate" {
				t.Errorf("chunk %d has a cut row %q", i, line)
			}
		}
		if want := "Rates\nCountry | Rate"; i > 0 && c.Context != want {
			t.Errorf("chunk %d has context %q, want %q", i, c.Context, want)
		}
	}
}

func TestOverlapRepeatsWholeSentences(t *testing.T) {
	got := split(chunk.Config{TargetTokens: 40, OverlapTokens: 14}, "", page(1, par(sentences(20, "pay"))))
	for i := 1; i < len(got); i++ {
		before := got[i-1]
		if got[i].Start >= before.End {
			t.Errorf("chunk %d repeats nothing of the one before", i)
		}
		repeated := string([]rune(got[i].Text)[:before.End-got[i].Start])
		if !strings.HasPrefix(repeated, "Sentence") || !strings.HasSuffix(repeated, ".") || words(repeated) > 14 {
			t.Errorf("chunk %d repeats %q", i, repeated)
		}
	}
}

func TestChineseIsCutAtItsSentences(t *testing.T) {
	text := strings.Repeat("员工出差每天的餐费补贴为二十欧元。出差前需要得到部门经理的批准！", 12)
	for i, c := range split(chunk.Config{TargetTokens: 80, Count: letters}, "", page(1, par(text))) {
		if last, _ := utf8.DecodeLastRuneInString(c.Text); last != '。' && last != '！' {
			t.Errorf("chunk %d ends %q", i, c.Text)
		}
	}
}

func TestAnEndlessWordIsCutBetweenGraphemes(t *testing.T) {
	family := "👩‍👩‍👧‍👦" // 7 code points
	got := split(chunk.Config{TargetTokens: 30, MaxTokens: 30, Count: letters}, "", page(1, par(strings.Repeat(family, 100))))
	for i, c := range got {
		for it := graphemes.FromString(c.Text); it.Next(); {
			if it.Value() != family {
				t.Fatalf("chunk %d has a cut character %q", i, it.Value())
			}
		}
	}
	if len(got) != 25 {
		t.Errorf("got %d chunks of 4 characters, want 25", len(got))
	}
}

func TestContextIsShortenedBeforeTheText(t *testing.T) {
	text := sentences(4, "tax") // 28 words
	got := split(chunk.Config{TargetTokens: 30, MaxTokens: 33}, strings.Repeat("Title ", 20), page(1, h(1, "A very long heading about all of it")),
		page(2, h(2, "Tax"), par(text)))
	last := got[len(got)-1]
	if last.Text != "Tax\n\n"+text || last.Context != "" {
		t.Errorf("got context %q of %q", last.Context, last.Text)
	}
}

func TestAnEditLeavesMostOtherChunksAlone(t *testing.T) {
	var b strings.Builder
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		fmt.Fprintf(&b, "Clause %d says that %d of %d are due. ", i, r.IntN(1000), r.IntN(1000))
	}
	text := strings.TrimSpace(b.String())
	before := split(chunk.Config{TargetTokens: 100}, "", page(1, par(text)))
	after := split(chunk.Config{TargetTokens: 100}, "", page(1, par("A sentence was added here. "+text)))
	known := map[corpus.ChunkID]bool{}
	for _, c := range before {
		known[c.ID] = true
	}
	kept := 0
	for _, c := range after {
		if known[c.ID] {
			kept++
		}
	}
	if kept < len(after)*2/3 {
		t.Errorf("an added sentence left %d of %d chunks alone", kept, len(after))
	}
}

func BenchmarkSplit(b *testing.B) {
	d := chunk.Document{ID: "d", Title: "Handbook"}
	for i := range 100 {
		d.Pages = append(d.Pages, page(i+1, h(1, "Travel"), par(sentences(40, "travel")), h(2, "Meals"), par(sentences(30, "meals"))))
	}
	b.ReportAllocs()
	for b.Loop() {
		chunk.Split(d, chunk.Config{OverlapTokens: 30})
	}
}
