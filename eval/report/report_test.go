package report_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/eval/report"
	"grounded/model"
)

// questions × plain, grounded, oracle and distractor of one model, with ten passages an answer.
func newReport(t *testing.T, questions int) eval.Report {
	t.Helper()
	arms := []string{"plain", "grounded", "oracle", "distractor"}
	var items []eval.Item
	for n := range questions {
		q := dataset.Question{ID: fmt.Sprint("q", n), Question: fmt.Sprintf("How many <b>days</b> are %d?</script>", n), Answers: []string{"30 days"}, Answerable: true,
			Evidence: []dataset.Evidence{{Document: fmt.Sprint(n%50, ".pdf"), Page: 2}}, Tags: []string{"leave"}}
		for a, arm := range arms {
			item := eval.Item{Model: "m", Arm: arm, Question: q, Calls: []eval.Call{{}}}
			if n%10 == 9 && arm == "plain" {
				item.Error = "busy"
				items = append(items, item)
				continue
			}
			page, cost, ms, dense := 2, float64(a)/1000, float64(100+a+n%7), .8+float64(n%20)/100
			answer := corpus.Answer{Text: "It is 40 days.", CostUSD: &cost, Timings: corpus.Timings{TotalMS: &ms, FirstTokenMS: &ms}}
			if (n+a)%3 == 0 {
				answer.Text = "It is 30 days [1]."
			}
			for rank := range 10 {
				if arm == "plain" {
					break
				}
				text := fmt.Sprintf("Passage %d of %d: everyone has 30 days. %s", rank, n, strings.Repeat("More words that fill a passage as real ones are filled. ", 12))
				answer.Passages = append(answer.Passages, corpus.Passage{Rank: rank + 1, ChunkID: corpus.ChunkID(fmt.Sprint(n, "-", rank)), Document: fmt.Sprint((n+rank)%50, ".pdf"),
					PageStart: 2, PageEnd: 2, Text: text, Scores: corpus.Scores{Dense: &dense}})
			}
			if arm != "plain" {
				answer.Citations = []corpus.Citation{{Marker: 1, Document: fmt.Sprint(n%50, ".pdf"), Page: &page, Quote: "everyone has 30 days.", Verified: true, Sentence: "It is 30 days."}}
			}
			item.Answer = &answer
			items = append(items, item)
		}
	}
	r, err := eval.NewReport(eval.Header{Settings: eval.Settings{Dataset: "days.jsonl", Questions: questions}, Models: []model.Card{{ID: "m"}}, Arms: arms}, items, eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAReportIsWrittenInEachForm(t *testing.T) {
	r := newReport(t, 40)
	var page, text, table, object strings.Builder
	for _, err := range []error{report.HTML(&page, r), report.Markdown(&text, r), report.CSV(&table, r), report.JSON(&object, r)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"Did the documents help?", "How sure are the differences?", "Is it worth its price?", "Is it worth the wait?", "Was the evidence found?", "When should it decline?", "36 of 40", "Harmed by the documents: m", `<svg viewBox=`} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, hostile := range []string{"<b>days", "?</script>", "http://", "https://", "NaN"} {
		if strings.Contains(page.String(), hostile) {
			t.Errorf("the page has %q", hostile)
		}
	}
	for _, want := range []string{"| m · plain | 36 of 40 |", "| harmed: right without, wrong with documents |", "| m · grounded | m · plain | 36 |", "(36)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("Markdown has no %q:\n%s", want, text.String())
		}
	}
	rows, err := csv.NewReader(strings.NewReader(table.String())).ReadAll()
	if err != nil || len(rows) != 161 {
		t.Errorf("%d rows of CSV, %v", len(rows), err)
	}
	if !strings.Contains(object.String(), `"verdict"`) || strings.Contains(object.String(), "NaN") {
		t.Error("JSON has no verdict")
	}
}

func TestJudgementsThatAreLeftOutAreNamed(t *testing.T) {
	r := newReport(t, 40)
	r.Judging = []eval.Judging{{Judge: "j", OtherPrompts: 7, Pairs: []eval.JudgedPair{{Model: "m", Arm: "grounded", Than: "m", Beside: "plain"}}}}
	var text strings.Builder
	if err := report.Markdown(&text, r); err != nil || !strings.Contains(text.String(), "7 judgements by another version of the prompt are left out") {
		t.Errorf("%v, Markdown is:\n%s", err, text.String())
	}
}

func TestPlotsShortenAModelAndKeepItsArm(t *testing.T) {
	r := newReport(t, 40)
	long := "ours-" + strings.Repeat("qwen-7b-instruct-", 6) + "2026-11"
	for i := range r.Columns {
		r.Columns[i].Model = long
	}
	for i := range r.Comparisons {
		r.Comparisons[i].Model, r.Comparisons[i].Than = long, long
	}
	text := page(t, r)
	for _, want := range []string{`>ours-[^<]*…[^<]*2026-11: grounded with plain</text>`, `>ours-[^<]*…[^<]*-11 · grounded</text>`, `>ours-[^<]*…[^<]*-11 · plain</text>`} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no name in a plot is like %s", want)
		}
	}
}

func TestASummaryIsBoldAboutTheAnswerAndCountsThousandsOfQuestions(t *testing.T) {
	r := newReport(t, 40)
	var text strings.Builder
	if err := report.Markdown(&text, r); err != nil {
		t.Fatal(err)
	}
	for form, want := range map[string][]string{
		page(t, r):    {"<strong>Too few questions to tell.</strong> F1 differs by", "$1.00 more for 1,000 questions with documents", ">US dollars for 1,000 questions<", ">$0.2<"},
		text.String(): {"**Too few questions to tell.** F1 differs by", "$1.00 more for 1,000 questions with documents", "| cost of 1,000 questions |"},
	} {
		for _, w := range want {
			if !strings.Contains(form, w) {
				t.Errorf("there is no %q in:\n%.3000s", w, form)
			}
		}
	}
}

func TestArmsThatWereAskedLessAreNamed(t *testing.T) {
	r := newReport(t, 40)
	const note = "Only questions with evidence are asked with given passages (oracle, distractor): 30 of 40 here."
	if strings.Contains(page(t, r), note[:40]) {
		t.Error("the note stands where all were asked the same")
	}
	for i, c := range r.Columns {
		if c.Arm == eval.ArmOracle || c.Arm == eval.ArmDistractor {
			r.Columns[i].Items = 30
		}
	}
	if !strings.Contains(page(t, r), note) {
		t.Errorf("there is no %q", note)
	}
}

func TestAnIntervalOfEqualScoresClaimsNothing(t *testing.T) {
	text := page(t, newReport(t, 40))
	if strings.Contains(text, "0.000 to 0.000") || !strings.Contains(text, "<small>all alike</small>") {
		t.Error("scores that are all alike have an interval of no width")
	}
}

func TestDollarsAndChancesAreWrittenAsTheyCanBeRead(t *testing.T) {
	for want, v := range map[string]float64{"$0": 0, "$0.000123": .0001234, "$0.100": .09999, "$0.00000000820": 8.2e-9, "$4.20": 4.2, "−$0.0500": -.05} {
		if got := report.Dollars(&v); got != want {
			t.Errorf("%g is written %s, not %s", v, got, want)
		}
	}
	for want, p := range map[string]float64{"<0.001": .0004, "0.041": .0412} {
		if got := report.Chance(&p); got != want {
			t.Errorf("%g is written %s, not %s", p, got, want)
		}
	}
}

func page(t *testing.T, r eval.Report) string {
	t.Helper()
	var b strings.Builder
	if err := report.HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLabelsOfNothingAreToldOf(t *testing.T) {
	r := newReport(t, 40)
	r.LabelsOfNothing = 2
	var page, text strings.Builder
	if err := errors.Join(report.HTML(&page, r), report.Markdown(&text, r)); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{page.String(), text.String()} {
		if !strings.Contains(form, "2 labels are of sentences or pairs that were not judged.") {
			t.Error("nothing is said of them")
		}
	}
}

// TestALargeReportIsSmallAndOpensInABrowser needs Chromium for its second half.
func TestALargeReportIsSmallAndOpensInABrowser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.HTML(f, newReport(t, 1000)); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if info.Size() > 10<<20 {
		t.Errorf("a report of 1,000 questions in four columns has %d bytes", info.Size())
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	command := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000", "--dump-dom", "file://"+path)
	var log strings.Builder
	command.Stderr = &log
	dom, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	if strings.Contains(log.String(), "CONSOLE") {
		t.Errorf("the console says:\n%s", log.String())
	}
	for _, want := range []string{"1000 of 1000 questions", `<article class="question">`, "&lt;b&gt;days&lt;/b&gt;"} {
		if !strings.Contains(string(dom), want) {
			t.Errorf("the page shows no %q", want)
		}
	}
}

func TestAPanelIsCalledOneAndNamesItsRuns(t *testing.T) {
	r := newReport(t, 4)
	r.Panel = []string{"monday", "<tuesday>"}
	var page, text strings.Builder
	if err := errors.Join(report.HTML(&page, r), report.Markdown(&text, r)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<title>Panel of 2 runs on days.jsonl</title>", "runs monday, &lt;tuesday&gt;"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if !strings.Contains(text.String(), "# Panel of 2 runs on days.jsonl") || strings.Contains(page.String()+text.String(), "begun 0001") {
		t.Errorf("Markdown begins %q", strings.SplitN(text.String(), "\n\n- ", 2)[0])
	}
}
