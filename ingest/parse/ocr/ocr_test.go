package ocr

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"grounded/corpus"
)

func TestLanguagesAreThoseNamedOrTheFirstThatAreThere(t *testing.T) {
	for _, tt := range []struct {
		installed, named, want string
		hint                   string
	}{
		{"osd chi_sim eng", "", "eng chi_sim", ""},
		{"afr deu osd eng fra spa swe", "", "eng deu fra spa", ""},
		{"tur osd snum script/Latin chi_tra_vert swe", "", "swe tur", ""},
		{"eng deu", "deu", "deu", ""},
		{"eng", "chi_sim", "", "tesseract-ocr-chi-sim"},
		{"osd", "", "", "tesseract-ocr"},
	} {
		got, err := choose(strings.Fields(tt.installed), strings.Fields(tt.named))
		if !slices.Equal(got, strings.Fields(tt.want)) || (err != nil) != (tt.hint != "") || !strings.Contains(corpus.HintOf(err), tt.hint) {
			t.Errorf("of %q, named %q: got %q, %v", tt.installed, tt.named, got, err)
		}
	}
}

func TestWithoutTesseractNothingIsReadUnlessItWasAskedFor(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if e, err := Find(t.Context(), nil); err != nil || e.Reads() || e.String() != "" {
		t.Errorf("got %v, %v", e, err)
	}
	if _, err := Find(t.Context(), []string{"eng"}); !errors.Is(err, corpus.ErrUnavailable) || corpus.HintOf(err) != Hint {
		t.Errorf("got %v", err)
	}
}

func TestTablesBecomeLines(t *testing.T) {
	row := func(fields ...string) string { return strings.Join(fields, "\t") + "\n" }
	word := func(confidence, text string) string {
		return row("5", "1", "1", "1", "1", "1", "0", "0", "9", "9", confidence, text)
	}
	line := func(paragraph, height string) string {
		return row("4", "1", "1", paragraph, "1", "0", "0", "0", "99", height, "-1", "")
	}
	page := readTSV(strings.NewReader("level\tpage_num\n" + line("1", "31") + word("90", "Weir") + word("80", "9") + word("3", "|~") +
		line("1", "30") + word("70", "潮汐") + word("70", "站") + word("70", "is") + line("2", "12") + word("x", "y") + line("2", "60") + word("50", "End")))
	want := []Line{{"Weir 9", 1, 31}, {"潮汐站is", 1, 30}, {"End", 2, 60}}
	if !slices.Equal(page.Lines, want) {
		t.Errorf("got %v, want %v", page.Lines, want)
	}
	if got := page.Confidence; got < 72 || got > 73 { // (4·90 + 80 + 5·70 + 3·50) / 13
		t.Errorf("confidence %.2f", got)
	}
}

func TestAProgramThatFailsSaysWhy(t *testing.T) {
	program := func(script string) Engine {
		path := filepath.Join(t.TempDir(), "tesseract")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return Engine{Command: path, Languages: []string{"eng"}}
	}
	picture := image.NewGray(image.Rect(0, 0, 10, 10))
	for script, want := range map[string]string{
		"echo 'Error opening data file' >&2; exit 1": "Error opening data file",
		"exec yes more": "more than a page has",
	} {
		if _, err := program(script).Read(t.Context(), picture, 300); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", script, err, want)
		}
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := program("exec sleep 600").Read(stopped, picture, 300); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
