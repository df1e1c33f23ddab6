package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"mime/multipart"
	"strings"
	"time"

	"grounded/corpus"
)

// Recording is speech in a file.
type Recording struct {
	Name string // base name; its extension tells the server the format
	Data []byte
}

// Segment is what is said in a span of a recording.
type Segment struct {
	Start, End float64 // seconds from the beginning
	Text       string
}

// Transcript is what is said in a recording. A model that tells no times gives one segment without an End.
type Transcript struct {
	Segments []Segment
	Language string   // ISO 639-1, or the language's English name; "" if the server does not say
	Seconds  *float64 // of the recording; nil if the server does not say
}

// Transcriber writes down what is said. It is safe for concurrent use.
type Transcriber interface {
	// Transcribe splits a recording that is larger than the server takes, where its format allows it. Errors are
	// corpus.ErrInvalid for a recording that the server or the splitting refuses, else those of Embedder.Embed.
	Transcribe(ctx context.Context, r Recording) (Transcript, error)
	// Card is the model's entry in the catalog.
	Card() Card
}

// usualRecordingMB is the size of a file that most servers take, in megabytes: OpenAI's limit.
const usualRecordingMB = 25

type transcriber struct{ connection }

// NewTranscriber connects to a server with OpenAI's /audio/transcriptions. It makes no request; a key that is missing
// is ErrForbidden.
func NewTranscriber(ctx context.Context, card Card, cfg Config) (Transcriber, error) {
	c, err := connect(card, cfg, 10*time.Minute)
	if err != nil {
		return nil, err
	}
	switch c.card.Provider {
	case "openai", "local":
		return &transcriber{c}, nil
	}
	return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "provider %q of model %q has no transcription", c.card.Provider, c.card.ID),
		"choose a model with the task transcription: grounded models --task transcription")
}

func (t *transcriber) Card() Card { return t.card }

func (t *transcriber) Transcribe(ctx context.Context, r Recording) (Transcript, error) {
	limit := t.card.MaxFileMB
	if limit == 0 {
		limit = usualRecordingMB
	}
	pieces, err := cutRecording(r.Data, limit<<20)
	if err != nil {
		return Transcript{}, fmt.Errorf("transcribe %s: %w", r.Name, err)
	}
	var whole Transcript
	total := 0.0
	for _, p := range pieces {
		part, err := t.request(ctx, Recording{r.Name, p.data})
		if err != nil {
			if TooLong(err) {
				err = corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the recording is larger than the server takes (%d MB): %w", len(p.data)>>20, err),
					"set max_file_mb in the model's catalog entry")
			}
			return Transcript{}, fmt.Errorf("transcribe %s with %s: %w", r.Name, t.card.ID, err)
		}
		for _, s := range part.Segments {
			s.Start += p.start
			if s.End > 0 {
				s.End += p.start
			}
			whole.Segments = append(whole.Segments, s)
		}
		if whole.Language == "" {
			whole.Language = part.Language
		}
		if part.Seconds != nil {
			total += *part.Seconds
			whole.Seconds = &total
		}
	}
	return whole, nil
}

// transcriptReply is OpenAI's verbose_json; json has the text alone.
type transcriptReply struct {
	Text     *string  `json:"text"`
	Language string   `json:"language"`
	Duration *float64 `json:"duration"`
	Segments []struct {
		Start        float64 `json:"start"`
		End          float64 `json:"end"`
		Text         string  `json:"text"`
		AvgLogprob   float64 `json:"avg_logprob"`
		NoSpeechProb float64 `json:"no_speech_prob"`
	} `json:"segments"`
}

func (t *transcriber) request(ctx context.Context, r Recording) (Transcript, error) {
	reply, err := t.ask(ctx, r, "verbose_json")
	var f *failure
	if errors.As(err, &f) && errors.Is(err, corpus.ErrInvalid) && strings.Contains(f.Error(), "response_format") {
		reply, err = t.ask(ctx, r, "json") // a model that tells no times
	}
	if err != nil {
		return Transcript{}, err
	}
	if reply.Text == nil {
		return Transcript{}, badTranscript("the reply has no text")
	}
	out := Transcript{Language: reply.Language, Seconds: reply.Duration}
	for _, s := range reply.Segments {
		if math.IsNaN(s.Start) || s.Start < 0 || s.End < s.Start {
			return Transcript{}, badTranscript("a segment of the transcript lasts from %v to %v seconds", s.Start, s.End)
		}
		// Whisper's own rule for what it makes up where nobody speaks.
		if s.NoSpeechProb > .6 && s.AvgLogprob < -1 {
			continue
		}
		out.Segments = append(out.Segments, Segment{s.Start, s.End, s.Text})
	}
	if len(reply.Segments) == 0 && strings.TrimSpace(*reply.Text) != "" {
		out.Segments = []Segment{{Text: *reply.Text}}
	}
	return out, nil
}

func (t *transcriber) ask(ctx context.Context, r Recording, format string) (reply transcriptReply, err error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range [][2]string{{"model", t.card.Model}, {"response_format", format}, {"temperature", "0"}} {
		if err := form.WriteField(field[0], field[1]); err != nil {
			return reply, err
		}
	}
	file, err := form.CreateFormFile("file", r.Name)
	if err == nil {
		_, err = file.Write(r.Data)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return reply, err
	}
	var raw json.RawMessage
	if err := t.postAs(ctx, form.FormDataContentType(), "/audio/transcriptions", body.Bytes(), &raw); err != nil {
		return reply, err
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return reply, badTranscript("the reply cannot be read: %w", err)
	}
	return reply, nil
}

// TranscriptionCost in US dollars of transcribing so many seconds; nil when the price is not known.
func (c Card) TranscriptionCost(seconds float64) *float64 {
	if c.Price.Minute == nil {
		return nil
	}
	cost := seconds / 60 * *c.Price.Minute
	return &cost
}

func badTranscript(format string, args ...any) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, format, args...),
		"the transcription server does not keep to its protocol: check that model and base_url of its catalog entry name a transcription model")
}
