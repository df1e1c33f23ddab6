package ingest_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/model"
)

// eyes is a model that sees; it replies with the text or the error.
type eyes struct {
	mu    sync.Mutex
	id    string
	text  string
	err   error
	asked int
	shown []model.Picture
}

func (e *eyes) Complete(_ context.Context, r model.Request, _ func(model.Delta) error) (model.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked++
	e.shown = append(e.shown, r.Pictures...)
	return model.Response{Text: e.text, FinishReason: "stop"}, e.err
}

func (e *eyes) CountTokens(context.Context, string) (int, error) { return 0, nil }
func (e *eyes) Card() model.Card                                 { return model.Card{ID: e.id} }

// newSight is a world whose scans a model reads.
func newSight(t *testing.T, text string) (*world, *eyes) {
	t.Helper()
	w := newWorld(t)
	pool, err := parse.New(parse.Config{Workers: 1, Pictures: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	e := &eyes{id: "seer", text: text}
	w.parser.Parser, w.config.Vision, w.config.Scratch = pool, e, filepath.Join(t.TempDir(), "scratch")
	scan, err := os.ReadFile("../testdata/awkward/scan.pdf")
	if err != nil {
		t.Fatal(err)
	}
	w.write("scan.pdf", string(scan))
	return w, e
}

func TestScansAreReadByAModelThatSees(t *testing.T) {
	w, e := newSight(t, "---\n# Delivery note\n\n| item | number |\n|---|---|\n| Dunlin 200 | 4 |\n")
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
	if len(e.shown) != 1 || e.shown[0].MediaType != "image/jpeg" || !bytes.HasPrefix(e.shown[0].Data, []byte("\xff\xd8")) {
		t.Fatalf("the model was shown %d pictures", len(e.shown))
	}
	id := corpus.NewDocumentID("c", "docs", "scan.pdf")
	pages, err := w.store.Pages(t.Context(), everything, id, 1, 1)
	if err != nil || len(pages) != 1 || !strings.Contains(pages[0].Text, "Dunlin 200 | 4") {
		t.Errorf("stored are %+v, %v", pages, err)
	}
	left, _ := filepath.Glob(filepath.Join(w.config.Scratch, "*", "*"))
	if len(left) > 0 {
		t.Errorf("pictures are left: %q", left)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 1})
	if e.asked != 1 {
		t.Errorf("the model was asked %d times", e.asked)
	}
}

func TestAScanIsReadWhenAModelIsConfiguredOrAnother(t *testing.T) {
	w, e := newSight(t, "Delivery note")
	sighted := w.parser.Parser
	blind, err := parse.New(parse.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blind.Close() })
	w.parser.Parser, w.config.Vision = blind, nil
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{Quarantined: 1})
	if reason := r.Quarantined[0].Reason; !strings.Contains(reason, "tesseract") || !strings.Contains(reason, "ingest.vision_model") {
		t.Errorf("reason %q", reason)
	}
	w.parser.Parser, w.config.Vision = sighted, e
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
	e.id = "another"
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Changed: 1})
}

func TestAModelThatCannotReadAScan(t *testing.T) {
	w, _ := newSight(t, "NONE")
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{Quarantined: 1})
	if r.Quarantined[0].Code != string(parse.NoText) {
		t.Errorf("got %+v", r.Quarantined[0])
	}
	w, e := newSight(t, "")
	e.err = corpus.Errorf(corpus.ErrUnavailable, "ask seer: the server is down")
	if _, err := w.try(t.Context(), ingest.Request{}); err == nil || !strings.Contains(err.Error(), "the server is down") {
		t.Errorf("got %v", err)
	}
	e.err = nil
	e.text = "Delivery note"
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
}
