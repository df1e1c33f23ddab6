package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/model"
)

// recordingRules names the rules of this file, for fingerprints.
const recordingRules = "1"

const (
	recordingPage  = 60. // seconds after which a page of a transcript ends with a segment
	recordingPause = 2.  // seconds of silence that end a paragraph
)

// listener names what listens to recordings, for fingerprints; "" if nothing does.
func (in *Ingester) listener() string {
	if in.Transcriber == nil {
		return ""
	}
	return "transcribed by " + in.Transcriber.Card().ID + " rules " + recordingRules
}

// listen has the model write down what is said in a recording. The error is a *parse.Error if the recording is to
// blame; a model that can't be reached ends the run, as an embedder does.
func (r *run) listen(ctx context.Context, f file, sum string, doc parse.Document) (parse.Document, error) {
	if r.Transcriber == nil {
		return parse.Document{}, &parse.Error{Code: parse.NotTranscribed, Reason: "It is a recording, and there is no model to write down what is said; " +
			"name one as ingest.transcription_model in the configuration (`grounded models --task transcription` lists some) and ingest again."}
	}
	data, err := os.ReadFile(f.disk)
	if err != nil {
		return parse.Document{}, &parse.Error{Code: parse.Unreadable, Reason: ioReason(err)}
	}
	if now := sha256.Sum256(data); hex.EncodeToString(now[:]) != sum {
		return parse.Document{}, &parse.Error{Code: parse.Changed, Reason: "The file changed while it was read; ingest it again when nothing writes to it."}
	}
	name := strings.ToValidUTF8(path.Base(f.path), "_")
	transcript, err := r.Transcriber.Transcribe(ctx, model.Recording{Name: name, Data: data})
	switch {
	case errors.Is(err, corpus.ErrInvalid):
		reason := fmt.Sprintf("The transcription model does not take it: %v.", err)
		if hint := corpus.HintOf(err); hint != "" {
			reason += " To help: " + hint + "."
		}
		return parse.Document{}, &parse.Error{Code: parse.Damaged, Reason: reason}
	case err != nil:
		return parse.Document{}, err
	}
	r.heard(transcript, r.Transcriber.Card())
	doc.Pages = transcriptPages(transcript.Segments)
	doc.Metadata = map[string]any{}
	if transcript.Seconds != nil {
		doc.Metadata["seconds"] = *transcript.Seconds
	}
	if len(transcript.Segments) == 1 && transcript.Segments[0].End == 0 {
		doc.Warnings = append(doc.Warnings, "The transcription model tells no times; the recording is one page.")
	}
	doc, err = parse.Finish(doc, name)
	if parse.CodeOf(err) == parse.Empty {
		return parse.Document{}, &parse.Error{Code: parse.NoText, Reason: "The transcription model heard nobody speak in it."}
	}
	return doc, err
}

// transcriptPages makes a page of each minute or so, labelled with the time at which it begins.
func transcriptPages(segments []model.Segment) []parse.Page {
	var pages []parse.Page
	begin, end := 0., 0.
	for _, s := range segments {
		text := strings.TrimSpace(s.Text)
		if text == "" {
			continue
		}
		if len(pages) == 0 || s.Start-begin >= recordingPage {
			pages = append(pages, parse.Page{Label: clock(s.Start)})
			begin = s.Start
		}
		blocks := &pages[len(pages)-1].Blocks
		if last := len(*blocks) - 1; last >= 0 && s.Start-end < recordingPause {
			(*blocks)[last].Text += " " + text
		} else {
			*blocks = append(*blocks, parse.Block{Kind: parse.Paragraph, Text: text})
		}
		end = s.End
	}
	return pages
}

// clock writes a time in seconds as 00:12:30.
func clock(seconds float64) string {
	s := int(seconds)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
