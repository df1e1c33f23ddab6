package local_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"grounded/model"
	"grounded/model/local/localtest"
)

func TestTheLocalEmbedderFindsTheRightPassageAcrossLanguages(t *testing.T) {
	e := localtest.Embedder(t)
	began := time.Now()
	query, err := e.Embed(t.Context(), model.Query, []string{"每位员工有多少天带薪年假？"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("first vector after %s", time.Since(began).Round(time.Millisecond))
	passages := []string{
		"The printer on the second floor needs a new cartridge every month.",
		"Every employee has thirty days of paid annual leave.",
		strings.Repeat("The pump was serviced in March and two valves were replaced. ", 80), // over 512 tokens
	}
	found, err := e.Embed(t.Context(), model.Passage, passages)
	if err != nil {
		t.Fatal(err)
	}
	cosine := func(i int) (sum float64) {
		for d, x := range found.Vectors[i] {
			sum += float64(x) * float64(query.Vectors[0][d])
		}
		return sum
	}
	if len(query.Vectors[0]) != 384 || cosine(1) < cosine(0)+0.03 {
		t.Errorf("the right passage scores %.3f, the wrong one %.3f, in %d dimensions", cosine(1), cosine(0), len(query.Vectors[0]))
	}
	if n := cosine(2); math.IsNaN(n) || found.Tokens == nil || *found.Tokens < 1000 {
		t.Errorf("the long passage scores %v, tokens are %v", n, found.Tokens)
	}
}

func TestTheLocalChatModelAnswersAndCountsItsTokens(t *testing.T) {
	c := localtest.Chat(t)
	began := time.Now()
	n, err := c.CountTokens(t.Context(), "hello world")
	if err != nil || n != 2 {
		t.Errorf("counted %d tokens, %v", n, err)
	}
	t.Logf("first count after %s", time.Since(began).Round(time.Millisecond))
	zero, pieces := 0.0, 0
	got, err := c.Complete(t.Context(), model.Request{
		Messages:  []model.Message{{Role: "user", Content: "Name the capital of France in one word."}},
		MaxTokens: 12, Temperature: &zero,
	}, func(model.Delta) error { pieces++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%q after %s, first token after %s", got.Text, got.Total.Round(time.Millisecond), got.FirstToken.Round(time.Millisecond))
	if got.Text == "" || pieces == 0 || got.PromptTokens == nil || got.FirstToken == 0 || got.FinishReason == "" {
		t.Errorf("answer is %+v", got)
	}
}
