package metric_test

import (
	"encoding/json"
	"os"
	"testing"

	"grounded/eval/metric"
)

// The scores of exact match and F1 are those of the official scorers of SQuAD and CMRC 2018.
func TestAnswersScoreAsTheOfficialScorersScoreThem(t *testing.T) {
	for _, c := range []struct {
		accepted            []string
		answer              string
		exact, f1, contains float64
	}{
		{[]string{"The Lumen-Harbour, Ltd."}, "the lumen harbour ltd", 0, 0.4, 0},
		{[]string{"4.0 N·m"}, "Tighten it with a torque of 4.0 N·m.", 0, 0.4444444444444445, 1},
		{[]string{"24 working days", "24 days"}, "You have 24 days of leave, an extra day at New Year.", 0, 0.3076923076923077, 1},
		{[]string{"30"}, "It is 130.", 0, 0, 0},
		{[]string{"Die Häuser"}, "die häuser!", 1, 1, 1},
		{[]string{"“An” apple–the best"}, "apple–the best an “an”", 0, 1, 0},
		{[]string{"x_y"}, "xy", 1, 1, 1},
		{[]string{"some"}, "", 0, 0, 0},
		{[]string{"报销90%，每年上限150,000元"}, "住院费用报销90%，每年上限为150,000元。", 0, 0.64, 0},
		{[]string{"里斯本"}, "公司在里斯本（Lisbon）。", 0, 0.6, 1},
		{[]string{"Dunlin 400 手册"}, "dunlin 400 的手册", 0, 0.4444444444444445, 0},
		{[]string{"三十天", "30 天"}, "《30 天》", 1, 1, 1},
		{[]string{"八"}, "九", 0, 0, 0},
	} {
		a := metric.NewAnswers("", c.accepted)
		if e, f, h := a.Exact(c.answer), a.F1(c.answer), a.Contains(c.answer); !near(e, c.exact) || !near(f, c.f1) || !near(h, c.contains) {
			t.Errorf("%q for %q: exact %v, F1 %v, contains %v, want %v, %v, %v", c.answer, c.accepted, e, f, h, c.exact, c.f1, c.contains)
		}
	}
	chinese := metric.NewAnswers("第一班车几点发车？", []string{"8:15", "15日"})
	if f := chinese.F1("第一班车 8:15 发车"); !near(f, 0.25) {
		t.Errorf("F1 by character is %v, want .25", f)
	}
	if chinese.Contains("第一班车 8:15 发车") != 1 || chinese.Contains("18:15") != 0 || chinese.Exact("１５日") != 1 {
		t.Error("numbers are compared as a whole, full-width ones too")
	}
}

func TestAnAnswerThatNothingIsLeftOfIsNoAnswer(t *testing.T) {
	if metric.NewAnswers("", []string{"the", "!"}).Known() || !metric.NewAnswers("", []string{"the", "x"}).Known() {
		t.Error("what is left after normalising decides whether an answer is known")
	}
}

// TestMeansOverXQuADAreThoseOfTheOfficialScorers answers with the text around each answer, cut by a rule.
func TestMeansOverXQuADAreThoseOfTheOfficialScorers(t *testing.T) {
	for language, want := range map[string][2]float64{"en": {44, 0.38198189258819487}, "zh": {28, 0.4899560105705909}} {
		data, err := os.ReadFile("../../../shared/data/xquad/xquad." + language + ".json")
		if err != nil {
			t.Skip("the public data set xquad is not beside the checkout")
		}
		var set struct {
			Data []struct {
				Paragraphs []struct {
					Context string
					QAs     []struct {
						Question string
						Answers  []struct {
							Text  string
							Start int `json:"answer_start"`
						}
					} `json:"qas"`
				}
			}
		}
		if err := json.Unmarshal(data, &set); err != nil {
			t.Fatal(err)
		}
		n, exact, f1 := 0, 0.0, 0.0
		for _, article := range set.Data {
			for _, p := range article.Paragraphs {
				text := []rune(p.Context)
				for _, qa := range p.QAs {
					n++
					var accepted []string
					for _, a := range qa.Answers {
						accepted = append(accepted, a.Text)
					}
					at := qa.Answers[0].Start
					answer := string(text[max(0, at-n%7):min(len(text), at+n%23)])
					a := metric.NewAnswers(qa.Question, accepted)
					exact, f1 = exact+a.Exact(answer), f1+a.F1(answer)
				}
			}
		}
		if n != 1190 || exact != want[0] || !near(f1/float64(n), want[1]) {
			t.Errorf("%s: %d questions, %v exact, F1 %v, want %v, %v", language, n, exact, f1/float64(n), want[0], want[1])
		}
	}
}

// An answer may be in traditional characters or full-width forms, whatever the accepted ones are in.
func TestScriptAndWidthMakeNoDifferenceInChinese(t *testing.T) {
	for _, c := range []struct{ accepted, answer string }{
		{"网络后台维护", "網絡後臺維護"}, {"員工預訂會議室", "员工预订会议室"}, {"增长５点", "增长5点"}, {"ＡＢＣ公司", "abc公司"},
		{"著名的頭髮", "著名的头发"},
	} {
		a := metric.NewAnswers("", []string{c.accepted})
		if e, f, h := a.Exact(c.answer), a.F1(c.answer), a.Contains("答案是"+c.answer+"。"); e != 1 || f != 1 || h != 1 {
			t.Errorf("%q for %q: exact %v, F1 %v, contains %v", c.answer, c.accepted, e, f, h)
		}
	}
	if f := metric.NewAnswers("", []string{"乾"}).F1("坤"); f != 0 {
		t.Errorf("different characters share %v", f)
	}
}
