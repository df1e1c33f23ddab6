package answer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
)

const (
	meals  = "Meals are paid up to 40 euros a day. Alcohol is not reimbursed."
	hotels = "Höchstens 120 € pro Nacht: Hotel rooms are covered up to 120 euros a night."
)

func library() shelf {
	return shelf{"travel": {
		{Number: 1, Text: "§ 1 Reisen – Überblick.\n" + meals},
		{Number: 2, Label: "iv", Text: hotels + " Breakfast counts as a meal."},
	}}
}

type bench struct {
	service *Service
	finder  *finder
	chat    *script
}

// newBench makes a service over the library, whose model replies with the texts.
func newBench(t *testing.T, replies ...string) bench {
	t.Helper()
	pages := library()
	b := bench{
		finder: &finder{passages: []corpus.Passage{
			pages.passage(t, "travel", 1, meals, .93), pages.passage(t, "travel", 2, hotels, .9),
		}},
		chat: &script{card: model.Card{ID: "m", Context: 8192}, replies: replies},
	}
	var err error
	b.service, err = New(t.Context(), Config{
		Retriever: b.finder, Pages: pages, Embedder: meaning{id: "e5-small"},
		Arms: []Arm{{Name: "oracle", Passages: GivenPassages}, {Name: "again", Passages: RetrievedPassages}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bench) answer(t *testing.T, r Request) corpus.Answer {
	t.Helper()
	r.Chat = b.chat
	a, err := b.service.Answer(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCitationsAreFoundInTheStoredPage(t *testing.T) {
	b := newBench(t, "Meals are paid up to 40 euros a day [1]. Hotel rooms are covered up to 120 euros a night.")
	a := b.answer(t, Request{Question: "What is paid for meals and hotel rooms?"})
	if len(a.Citations) != 2 || len(a.Unsupported) != 0 || a.Abstained {
		t.Fatalf("got %+v", a)
	}
	for i, want := range []struct {
		marker, page  int
		label, origin string
	}{{1, 1, "", corpus.OriginModel}, {2, 2, "iv", corpus.OriginAttributed}} {
		c := a.Citations[i]
		if c.Marker != want.marker || *c.Page != want.page || c.PageLabel != want.label || c.Origin != want.origin || !c.Verified {
			t.Errorf("citation %d: got %+v, want %+v and verified", i, c, want)
		}
		page := []rune(library()["travel"][*c.Page-1].Text)
		if got := string(page[*c.Start:*c.End]); got != string(c.Quote) {
			t.Errorf("citation %d: page[%d:%d] = %q, quote %q", i, *c.Start, *c.End, got, c.Quote)
		}
	}
	if a.Citations[0].Quote != "Meals are paid up to 40 euros a day." {
		t.Errorf("quote %q is not the sentence that supports", a.Citations[0].Quote)
	}
}

func TestCitationIsNotVerifiedWhere(t *testing.T) {
	t.Run("the number is another", func(t *testing.T) {
		a := newBench(t, "Meals are paid up to 60 euros a day [1].").answer(t, Request{Question: "Are meals paid?"})
		if len(a.Citations) != 1 || a.Citations[0].Verified || len(a.Unsupported) != 1 {
			t.Errorf("got %+v, want one unverified citation and the sentence unsupported", a)
		}
	})
	t.Run("another passage says it", func(t *testing.T) {
		a := newBench(t, "Meals are paid up to 40 euros a day [2].").answer(t, Request{Question: "Are meals paid?"})
		if len(a.Citations) != 2 || a.Citations[0].Verified || !a.Citations[1].Verified || a.Citations[1].Marker != 1 || len(a.Unsupported) != 0 {
			t.Errorf("got %+v, want 2 by the model, not verified, and 1 attributed", a.Citations)
		}
	})
	t.Run("there is no such passage", func(t *testing.T) {
		a := newBench(t, "Meals are paid up to 40 euros a day [7]. Dogs are welcome [9].").answer(t, Request{Question: "Are meals paid?"})
		if len(a.Citations) != 1 || a.Citations[0].Origin != corpus.OriginAttributed || !cmp.Equal(a.Unsupported, []string{"Dogs are welcome."}) {
			t.Errorf("got %+v, %q", a.Citations, a.Unsupported)
		}
		if !strings.Contains(a.Text, "[7]") {
			t.Errorf("the text was changed: %q", a.Text)
		}
	})
	t.Run("the document has changed since", func(t *testing.T) {
		b := newBench(t, "Meals are paid up to 40 euros a day [1].")
		b.service.pages = shelf{"travel": {{Number: 1, Text: "All is new."}}}
		a := b.answer(t, Request{Question: "Are meals paid?"})
		if len(a.Citations) != 1 || a.Citations[0].Verified || a.Citations[0].Start != nil || len(a.Unsupported) != 0 {
			t.Errorf("got %+v, want a citation without offsets", a)
		}
	})
}

func TestCitedPassagesMaySupportASentenceTogether(t *testing.T) {
	a := newBench(t, "Meals are paid up to 40 euros and hotel rooms covered up to 120 euros [1][2].").answer(t, Request{Question: "Are meals paid?"})
	if len(a.Citations) != 2 || len(a.Unsupported) != 0 {
		t.Errorf("got %+v, unsupported %q", a.Citations, a.Unsupported)
	}
}

func TestCitationsOfARepeatedSentenceSayWhichTimeItIs(t *testing.T) {
	const again = "Meals are paid up to 40 euros a day"
	a := newBench(t, again+" [1]. "+again+" [2]. "+again+" [1].").answer(t, Request{Question: "Are meals paid?"})
	var repeats []int
	for _, c := range a.Citations {
		repeats = append(repeats, c.Repeat)
	}
	if len(repeats) < 3 || !slices.IsSorted(repeats) || repeats[0] != 0 || repeats[len(repeats)-1] != 2 {
		t.Errorf("citations are of the times %v", repeats)
	}
}

func TestParaphraseAndTranslationAreLeftToTheEmbedder(t *testing.T) {
	b := newBench(t, "Beer and wine are never reimbursed. Dogs and cats are never reimbursed.")
	b.service.embedder = meaning{id: "e5-small", table: map[string][]float32{
		"Beer and wine are never reimbursed.": {1, 0, 0}, "Alcohol is not reimbursed.": {.95, .3122, 0},
		"Dogs and cats are never reimbursed.": {.5, .866, 0},
	}}
	a := b.answer(t, Request{Question: "Is alcohol reimbursed?"})
	if len(a.Citations) != 1 || a.Citations[0].Quote != "Alcohol is not reimbursed." || len(a.Unsupported) != 1 {
		t.Errorf("got %+v, unsupported %q", a.Citations, a.Unsupported)
	}
	if *a.Usage.EmbeddingTokens <= 7 {
		t.Errorf("%d embedding tokens, want those of the check too", *a.Usage.EmbeddingTokens)
	}

	b = newBench(t, "酒店房间每晚最高120欧元。")
	quote := "Höchstens 120 € pro Nacht: Hotel rooms are covered up to 120 euros a night."
	b.service.embedder = meaning{id: "e5-small", table: map[string][]float32{"酒店房间每晚最高120欧元。": {1, 0, 0}, quote: {.85, .5268, 0}}}
	a = b.answer(t, Request{Question: "酒店房间每晚最高多少欧元？"})
	if len(a.Citations) != 1 || !a.Citations[0].Verified || a.Citations[0].Marker != 2 {
		t.Errorf("got %+v, unsupported %q", a.Citations, a.Unsupported)
	}
}

func TestAbstainsWithoutAskingTheModel(t *testing.T) {
	for _, c := range []struct {
		name, question, text string
		dense                float64
		abstains             bool
	}{
		{"far away", "Who won the cup in 1998?", "I found no answer", .78, true},
		{"far away in Chinese is still near across languages", "谁赢得了世界杯冠军？", "", .78, false},
		{"nothing near in Chinese", "谁赢得了世界杯冠军？", "没有找到", .7, true},
		{"words make up for a low score", "Is alcohol reimbursed?", "", .79, false},
		{"near", "What about beer and wine?", "", .9, false},
		{"a language that can't be told", "Hotelsatz Singapur?", "", .8, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, "Alcohol is not reimbursed [1].")
			for i := range b.finder.passages {
				b.finder.passages[i].Scores.Dense = &c.dense
				b.finder.passages[i].Score = 1 // what fusion says must not matter
			}
			var streamed strings.Builder
			a, err := b.service.Answer(t.Context(), Request{Question: c.question, Chat: b.chat}, func(e Event) error {
				streamed.WriteString(e.Delta)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if a.Abstained != c.abstains || (len(b.chat.asked) == 0) != c.abstains {
				t.Fatalf("abstained %t with %d calls of the model, want %t", a.Abstained, len(b.chat.asked), c.abstains)
			}
			if streamed.String() != a.Text || !strings.Contains(a.Text, c.text) {
				t.Errorf("text %q, streamed %q, want %q in it", a.Text, streamed.String(), c.text)
			}
			if c.abstains && (len(a.Passages) != 2 || *a.Usage.PromptTokens != 0 || !strings.Contains(a.Text, "travel.pdf")) {
				t.Errorf("got %+v, want the nearest passages and no tokens", a)
			}
		})
	}
	b := newBench(t, "x")
	b.finder.passages = nil
	if a := b.answer(t, Request{Question: "Anything?"}); !a.Abstained {
		t.Error("found nothing and did not abstain")
	}
}

func TestAbstentionRuleOfAModel(t *testing.T) {
	low, high, limit := .2, .8, .5
	reranked := []corpus.Passage{{Text: "x", Scores: corpus.Scores{Dense: &high, Rerank: &low}}}
	for _, c := range []struct {
		name string
		rule Abstention
		want bool
	}{
		{"unknown model", DefaultAbstention("other"), false},
		{"reranker without a threshold", Abstention{Below: &limit}, false},
		{"reranker goes before dense", Abstention{Below: &low, BelowRerank: &limit}, true},
	} {
		if got := c.rule.refuses("What is y?", reranked); got != c.want {
			t.Errorf("%s: refuses %t, want %t", c.name, got, c.want)
		}
	}
}

func TestPassageInAnotherLanguageIsJudgedByItself(t *testing.T) {
	near, across := .84, .78
	english := corpus.Passage{Text: "Meals are paid.", Chunk: corpus.Chunk{Language: "en"}, Scores: corpus.Scores{Dense: &near}}
	chinese := corpus.Passage{Text: "餐费补贴为每天三十元。", Chunk: corpus.Chunk{Language: "zh"}, Scores: corpus.Scores{Dense: &across}}
	rule := DefaultAbstention("e5-small")
	const question = "How much is the lunch subsidy in Shanghai?"
	if !rule.refuses(question, []corpus.Passage{english}) {
		t.Error("the English passage alone was let pass")
	}
	if rule.refuses(question, []corpus.Passage{english, chinese}) {
		t.Error("refused in spite of the Chinese passage")
	}
}

func TestModelThatDeclinesHasAbstained(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{"I don't know.", true},
		{"The passages do not contain information about parking [1].", true},
		{"I'm sorry, but there is no information on parking in the documents. Let me know if you need anything else.", true},
		{"Die Dokumente enthalten dazu keine Angaben.", true},
		{"Ich weiß es nicht.", true},
		{"Les documents ne mentionnent pas le parking.", true},
		{"Los documentos no contienen esta información.", true},
		{"I documenti non contengono questa informazione.", true},
		{"文档中没有提到停车。", true},
		{"我不知道。", true},
		{"Meals are paid up to 40 euros a day [1].", false},
		{"The plan does not cover parking.", false},
		{"没有停车位。", false},
		{"No lo sé.", true},
		{"No information about parking is available.", true},
		{"No information is passed on to third parties.", false},
		{"文件未签字不得报销。", false},
		{"The documents don't mention parking. Hotel rooms are covered up to 120 euros a night [2].", false},
	} {
		if got := declined(c.text); got != c.want {
			t.Errorf("declined(%q) = %t, want %t", c.text, got, c.want)
		}
	}
	a := newBench(t, "The documents do not mention parking.").answer(t, Request{Question: "Are meals paid?"})
	if !a.Abstained || len(a.Citations)+len(a.Unsupported) != 0 || len(a.Passages) != 2 {
		t.Errorf("got %+v", a)
	}
}

func TestPlainAndFewShotRetrieveNothing(t *testing.T) {
	b := newBench(t, "Forty euros.")
	examples := []prompts.Example{{Question: "How long is a mile?", Answer: "1.6 kilometres."}}
	a := b.answer(t, Request{Question: "Are meals paid?", Arm: ArmPlain, Examples: examples})
	if a.Arm != ArmPlain || len(a.Passages) != 0 || len(a.Unsupported) != 0 || a.Timings.RetrieveMS != nil || a.Timings.FirstTokenMS == nil {
		t.Errorf("got %+v", a)
	}
	if strings.Contains(b.chat.prompt(0), "mile") {
		t.Error("plain shows the examples")
	}
	b.answer(t, Request{Question: "Are meals paid?", Arm: ArmFewShot, Examples: examples})
	if len(b.chat.asked[1].Messages) != 4 || len(b.finder.asked) != 0 {
		t.Errorf("few-shot asked %q after %d retrievals", b.chat.prompt(1), len(b.finder.asked))
	}
}

func TestRequestThatCannotBeIsInvalid(t *testing.T) {
	b := newBench(t, "x")
	for name, r := range map[string]Request{
		"no question": {Chat: b.chat},
		"no model":    {Question: "q"},
		"no arm":      {Question: "q", Chat: b.chat, Arm: "psychic"},
		"no examples": {Question: "q", Chat: b.chat, Arm: ArmFewShot},
		"no passages": {Question: "q", Chat: b.chat, Arm: "oracle"},
	} {
		if _, err := b.service.Answer(t.Context(), r, nil); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

func TestGivenPassagesAreNotJudged(t *testing.T) {
	b := newBench(t, "Meals are paid up to 40 euros a day [1].")
	low := .1
	given := []corpus.Passage{{DocumentID: "travel", Document: "travel.pdf", PageStart: 1, Text: meals, Scores: corpus.Scores{Dense: &low}}}
	for _, arm := range []string{"oracle", ArmGrounded} {
		a := b.answer(t, Request{Question: "Are meals paid?", Arm: arm, Passages: given})
		if a.Abstained || len(a.Citations) != 1 || !a.Citations[0].Verified || len(b.finder.asked) != 0 || a.Timings.RetrieveMS != nil {
			t.Errorf("%s: got %+v", arm, a)
		}
	}
}

func TestUsageAndCostAreKnownOrNull(t *testing.T) {
	b := newBench(t, "Meals are paid up to 40 euros a day [1].")
	if a := b.answer(t, Request{Question: "Are meals paid?"}); a.CostUSD != nil || a.Usage.PromptTokens == nil {
		t.Errorf("without a price: cost %v, usage %+v", a.CostUSD, a.Usage)
	}
	in, out := 1.0, 2.0
	b.chat.card.Price = model.Price{In: &in, Out: &out}
	a := b.answer(t, Request{Question: "Are meals paid?"})
	if want := (float64(*a.Usage.PromptTokens) + 2*float64(*a.Usage.CompletionTokens)) / 1e6; a.CostUSD == nil || *a.CostUSD != want {
		t.Errorf("cost %v, want %g", a.CostUSD, want)
	}
}

func TestDeltasComeAsTheyAreWrittenAndAnErrorStopsThem(t *testing.T) {
	b := newBench(t, "Meals are paid up to 40 euros a day [1].")
	var kinds []string
	stop := errors.New("gone")
	_, err := b.service.Answer(t.Context(), Request{Question: "Are meals paid?", Chat: b.chat}, func(e Event) error {
		if e.Passages != nil {
			kinds = append(kinds, "passages")
			return nil
		}
		kinds = append(kinds, e.Delta)
		if len(kinds) == 3 {
			return stop
		}
		return nil
	})
	if want := []string{"passages", "Meals ", "are "}; !errors.Is(err, stop) || !cmp.Equal(kinds, want) {
		t.Errorf("got %q, %v; want %q and the callback's error", kinds, err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.service.Answer(ctx, Request{Question: "Are meals paid?", Chat: b.chat}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestFollowUpIsRewrittenBeforeItIsSearched(t *testing.T) {
	history := []model.Message{{Role: "user", Content: "Are meals paid?"}, {Role: "assistant", Content: "Yes [1]."}}
	b := newBench(t, "Is alcohol paid for at meals?", "Alcohol is not reimbursed [1].")
	a := b.answer(t, Request{Question: "And alcohol?", History: history})
	if got := b.finder.asked[0].Question; got != "Is alcohol paid for at meals?" || a.Question != "And alcohol?" {
		t.Errorf("searched %q for %q", got, a.Question)
	}
	if len(a.Citations) != 1 || len(b.chat.asked) != 2 || *a.Usage.CompletionTokens != 11 {
		t.Errorf("got %+v after %d calls", a, len(b.chat.asked))
	}
	b = newBench(t, "Alcohol is not reimbursed [1].")
	b.chat.card.Parameters = 135_000_000
	b.answer(t, Request{Question: "And alcohol?", History: history})
	if got := b.finder.asked[0].Question; got != "Are meals paid?\nAnd alcohol?" || len(b.chat.asked) != 1 {
		t.Errorf("small model: searched %q after %d calls", got, len(b.chat.asked))
	}
}

func TestModelThatSaysNothingIsAnError(t *testing.T) {
	b := newBench(t, " \n")
	if _, err := b.service.Answer(t.Context(), Request{Question: "Are meals paid?", Chat: b.chat}, nil); !errors.Is(err, corpus.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}
