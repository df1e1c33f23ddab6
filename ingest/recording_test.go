package ingest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/model"
)

const spoken = `{"text":"x","language":"english","duration":95,"segments":[
{"start":0,"end":3,"text":" Good morning."},{"start":3.5,"end":30,"text":" The gate opens at five."},{"start":40,"end":58,"text":" Bring the keys."},
{"start":61,"end":90,"text":" The weir is closed."}]}`

// newListener is a transcription model whose server gives a reply, and counts.
func newListener(t *testing.T, id string, status int, reply string) (model.Transcriber, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if _, header, err := r.FormFile("file"); err != nil || header.Filename != "talk.wav" {
			t.Errorf("sent was no talk.wav: %v", err)
		}
		w.WriteHeader(status)
		io.WriteString(w, reply)
	}))
	t.Cleanup(server.Close)
	price := 0.006
	m, err := model.NewTranscriber(t.Context(), model.Card{ID: id, Provider: "openai", BaseURL: server.URL, Price: model.Price{Minute: &price}}, model.Config{Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m, &asked
}

const wav = "RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\xe8\x03\x00\x00\xe8\x03\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00"

func TestARecordingIsReadOnceAModelListens(t *testing.T) {
	w := newWorld(t)
	w.write("talk.wav", wav)
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{Quarantined: 1})
	if q := r.Quarantined[0]; q.Code != string(parse.NotTranscribed) || !strings.Contains(q.Reason, "ingest.transcription_model") {
		t.Errorf("quarantined as %q: %s", q.Code, q.Reason)
	}

	var asked *atomic.Int32
	w.config.Transcriber, asked = newListener(t, "ear", 200, spoken)
	r = w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{New: 1})
	if n := r.Recordings; n.Transcribed != 1 || n.Seconds != 95 || n.CostUSD == nil || *n.CostUSD != 95./60*.006 {
		t.Errorf("reported are %+v", n)
	}
	pages, err := w.store.Pages(t.Context(), everything, corpus.NewDocumentID("c", "docs", "talk.wav"), 1, 2)
	if err != nil || len(pages) != 2 || pages[0].Label != "00:00:00" || pages[1].Label != "00:01:01" ||
		pages[0].Text != "Good morning. The gate opens at five.\n\nBring the keys." || pages[1].Text != "The weir is closed." {
		t.Errorf("stored are %+v, %v", pages, err)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 1})
	if n := asked.Load(); n != 1 {
		t.Errorf("the model was asked %d times", n)
	}
	w.config.Transcriber, _ = newListener(t, "another ear", 200, spoken)
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Changed: 1})
}

func TestARecordingThatTheModelRefusesIsQuarantined(t *testing.T) {
	for _, tt := range []struct {
		status int
		reply  string
		want   parse.ErrorCode
	}{
		{400, `{"error":{"message":"Invalid file format."}}`, parse.Damaged},
		{200, `{"text":"","segments":[]}`, parse.NoText},
	} {
		w := newWorld(t)
		w.write("talk.wav", wav)
		w.config.Transcriber, _ = newListener(t, "ear", tt.status, tt.reply)
		r := w.ingest(ingest.Request{})
		w.wantCounts(r, ingest.Documents{Quarantined: 1})
		if q := r.Quarantined[0]; q.Code != string(tt.want) {
			t.Errorf("%s: quarantined as %q: %s", tt.reply, q.Code, q.Reason)
		}
	}
}

func TestATranscriptionServerThatIsDownEndsTheRun(t *testing.T) {
	w := newWorld(t)
	w.write("talk.wav", wav)
	w.config.Transcriber, _ = newListener(t, "ear", 503, `{"error":"busy"}`)
	if _, err := w.try(t.Context(), ingest.Request{}); err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("got %v", err)
	}
	w.config.Transcriber, _ = newListener(t, "ear", 200, spoken)
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
}
