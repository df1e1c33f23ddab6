package model

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"grounded/corpus"
)

// upload is what a transcription server was sent.
type upload struct {
	path, name, format, model, key string
	data                           []byte
}

// listen is a server that gives its replies one after the other, the last again and again, and keeps the uploads.
func listen(t *testing.T, replies ...http.HandlerFunc) (url string, uploads func() []upload) {
	t.Helper()
	var mu sync.Mutex
	var all []upload
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil {
			t.Errorf("the request has no file: %v", err)
			return
		}
		data, err := io.ReadAll(file)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		all = append(all, upload{r.URL.Path, header.Filename, r.FormValue("response_format"), r.FormValue("model"), r.Header.Get("Authorization"), data})
		reply := replies[min(len(all), len(replies))-1]
		mu.Unlock()
		reply(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []upload { mu.Lock(); defer mu.Unlock(); return slices.Clone(all) }
}

func transcriptionCard(base string) Card {
	return Card{ID: "ear", Provider: "openai", BaseURL: base + "/v1", Model: "whisper-1", APIKeyEnv: "KEY", Tasks: []Task{TaskTranscription}}
}

const spoken = `{"text":"One. Two.","language":"english","duration":4.5,"segments":[{"start":0,"end":2,"text":" One."},{"start":2,"end":2.5,"text":" Thanks for watching!","no_speech_prob":0.9,"avg_logprob":-1.4},{"start":2.5,"end":4.5,"text":" Two."}]}`

func TestTranscribeKeepsTimesAndTriesAgain(t *testing.T) {
	base, uploads := listen(t, reply(503, `{"error":"busy"}`), reply(200, spoken))
	m, err := NewTranscriber(t.Context(), transcriptionCard(base), quick("KEY", "k"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Transcribe(t.Context(), Recording{"talk.mp3", []byte("sound")})
	if err != nil {
		t.Fatal(err)
	}
	if want := []Segment{{0, 2, " One."}, {2.5, 4.5, " Two."}}; !slices.Equal(got.Segments, want) || got.Language != "english" || *got.Seconds != 4.5 {
		t.Errorf("got %+v", got)
	}
	all := uploads()
	if want := (upload{"/v1/audio/transcriptions", "talk.mp3", "verbose_json", "whisper-1", "Bearer k", []byte("sound")}); len(all) != 2 ||
		all[1].path != want.path || all[1].name != want.name || all[1].format != want.format || all[1].model != want.model || all[1].key != want.key || !bytes.Equal(all[1].data, want.data) {
		t.Errorf("sent were %+v", all)
	}
}

func TestAModelWithoutTimesIsAskedForTextAlone(t *testing.T) {
	base, uploads := listen(t, reply(400, `{"error":{"message":"response_format 'verbose_json' is not compatible with model"}}`), reply(200, `{"text":"All of it."}`))
	m, err := NewTranscriber(t.Context(), transcriptionCard(base), quick("KEY", "k"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Transcribe(t.Context(), Recording{"talk.mp3", []byte("sound")})
	if err != nil || len(got.Segments) != 1 || got.Segments[0] != (Segment{Text: "All of it."}) || uploads()[1].format != "json" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestARefusedRecordingIsNotTheServersTrouble(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   error
		want   string
	}{
		{400, `{"error":{"message":"could not be decoded"}}`, corpus.ErrInvalid, "could not be decoded"},
		{413, `{"error":{"message":"Maximum content size limit exceeded"}}`, corpus.ErrInvalid, "larger than the server takes"},
		{401, `{"error":{"message":"bad key"}}`, corpus.ErrForbidden, "bad key"},
		{429, `{"error":{"message":"insufficient_quota"}}`, corpus.ErrLimit, "insufficient_quota"},
		{500, `{}`, corpus.ErrUnavailable, "3 attempts"},
		{200, `{"segments":[]}`, corpus.ErrUnavailable, "no text"},
		{200, `{"text":"x","segments":[{"start":5,"end":1,"text":"x"}]}`, corpus.ErrUnavailable, "from 5 to 1"},
	} {
		base, _ := listen(t, reply(c.status, c.body))
		m, err := NewTranscriber(t.Context(), transcriptionCard(base), quick("KEY", "k"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = m.Transcribe(t.Context(), Recording{"a.mp3", []byte("x")}); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d %s: got %v", c.status, c.body, err)
		}
	}
	if _, err := NewTranscriber(t.Context(), transcriptionCard("http://x"), quick()); !errors.Is(err, corpus.ErrForbidden) {
		t.Errorf("without a key: %v", err)
	}
}

// makeWAV has samples of 8 bits, 1000 a second.
func makeWAV(samples int) []byte {
	b := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"), 0xe8, 3, 0, 0, 0xe8, 3, 0, 0, 1, 0, 8, 0)
	b = append(b, "LIST\x03\x00\x00\x00abc\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(samples))
	for i := range samples {
		b = append(b, byte(i/1000))
	}
	return b
}

// makeMP3 has tags and frames of 417 or 418 bytes: 128 kilobits and 44,100 samples a second.
func makeMP3(frames int) []byte {
	b := append([]byte("ID3\x03\x00\x00\x00\x00\x00\x05"), "taggy"...)
	for i := range frames {
		frame := make([]byte, 417)
		copy(frame, []byte{0xff, 0xfb, 0x90, 0x00, byte(i)})
		b = append(b, frame...)
	}
	return b
}

func TestLongRecordingsAreCut(t *testing.T) {
	pieces, err := cutRecording(makeWAV(2500), 1044)
	if err != nil || len(pieces) != 3 || pieces[1].start != 1 || pieces[2].start != 2 || len(pieces[0].data) != 1044 || len(pieces[2].data) != 544 {
		t.Fatalf("%d pieces, %v", len(pieces), err)
	}
	again, err := cutRecording(pieces[1].data, 600) // is a file itself
	if err != nil || len(again) != 2 || again[1].data[44] != 1 {
		t.Errorf("a piece gives %d pieces, %v", len(again), err)
	}
	pieces, err = cutRecording(makeMP3(100), 20000)
	if err != nil || len(pieces) != 3 || len(pieces[0].data) != 47*417 || pieces[1].data[4] != 47 {
		t.Fatalf("%d pieces, %v", len(pieces), err)
	}
	if got, want := pieces[1].start, 47*1152/44100.; got < want-1e-9 || got > want+1e-9 {
		t.Errorf("the second piece begins at %v, want %v", got, want)
	}
	for _, data := range [][]byte{[]byte(strings.Repeat("x", 3000)), append([]byte("RIFF\x00\x00\x00\x00WAVE"), make([]byte, 3000)...)} {
		if _, err := cutRecording(data, 1000); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("what can't be cut: %v", err)
		}
	}
}

func TestTimesGoOnFromPieceToPiece(t *testing.T) {
	card := transcriptionCard("")
	card.MaxFileMB = 1
	base, uploads := listen(t, reply(200, `{"text":"a","duration":1048,"segments":[{"start":1,"end":2,"text":"a"}]}`))
	card.BaseURL = base
	m, err := NewTranscriber(t.Context(), card, quick("KEY", "k"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Transcribe(t.Context(), Recording{"a.wav", makeWAV(1<<20 + 5000)})
	if err != nil || len(uploads()) != 2 || len(got.Segments) != 2 || got.Segments[1].Start != 1048.532+1 || *got.Seconds != 2096 {
		t.Errorf("got %+v, %v after %d requests", got, err, len(uploads()))
	}
}

func FuzzCutRecording(f *testing.F) {
	f.Add(makeWAV(3000))
	f.Add(makeMP3(9))
	f.Fuzz(func(t *testing.T, data []byte) {
		pieces, err := cutRecording(data, 1000)
		for _, p := range pieces {
			if err == nil && len(p.data) > 1000 {
				t.Fatalf("a piece has %d bytes", len(p.data))
			}
		}
	})
}
