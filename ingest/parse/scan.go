package parse

import (
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"grounded/analyze"
	"grounded/ingest/parse/ocr"
)

const (
	scanDPI   = 300  // dots an inch for text recognition
	visionDPI = 150  // for a model, which makes it smaller anyway
	maxScans  = 2000 // pages of a document that are read as pictures
	sureAbove = 60.0 // percent of confidence, below which a page is mentioned
	wellAbove = 75.0 // from here on the language is right
	textAbove = 30.0 // below, what was read is taken for stains and drawings
)

// scanReader reads the pages of a document that are pictures: by text recognition where there is an engine, else it
// leaves them to a model that sees, where the caller has one. It keeps page numbers by what became of them.
type scanReader struct {
	in       Input
	folder   string
	scans    []Scan
	language string // ISO 639-1 code, of the pages read so far; "" while it is not known

	read    []int // by text recognition
	unsure  []int // of these, with little confidence
	blank   []int // nothing is on them
	without []int // pictures in which no text was found
	unread  []int // nothing here reads them
	failed  []int // can't be drawn or read
	reason  error // of the first of those
}

// able reports whether there is anything that reads scans.
func (s *scanReader) able() bool { return s.in.ocr.Reads() || s.vision() }

func (s *scanReader) vision() bool { return s.in.pictures && s.in.Scratch != "" }

// page reads the page with this number. draw makes its picture at so many dots an inch, or tells with how many it
// did. The page has text already, of so many letters: it is only replaced by much more. The error is that of ctx or
// of the disk.
func (s *scanReader) page(ctx context.Context, number, letters int, draw func(dpi int) (*image.Gray, int, error)) ([]Block, error) {
	if !s.able() || len(s.read)+len(s.scans)+len(s.without) >= maxScans {
		s.unread = append(s.unread, number)
		return nil, nil
	}
	dpi := visionDPI
	if s.in.ocr.Reads() {
		dpi = scanDPI
	}
	picture, dpi, err := draw(dpi)
	if err != nil {
		s.fail(number, err)
		return nil, nil
	}
	if isBlank(picture) {
		s.blank = append(s.blank, number)
		return nil, nil
	}
	if !s.in.ocr.Reads() {
		return nil, s.leave(number, picture)
	}
	found, err := s.recognise(ctx, picture, dpi)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		s.fail(number, err)
		return nil, nil
	}
	blocks, n := scanBlocks(found)
	if n == 0 || found.Confidence < textAbove || n <= letters+letters/2 {
		if letters == 0 {
			s.without = append(s.without, number)
		}
		return nil, nil
	}
	s.read = append(s.read, number)
	if found.Confidence < sureAbove {
		s.unsure = append(s.unsure, number)
	}
	return blocks, nil
}

// recognise reads the picture in the language of the pages before it, which takes less time than all of them, and in
// all when that goes badly.
func (s *scanReader) recognise(ctx context.Context, picture *image.Gray, dpi int) (ocr.Page, error) {
	narrow := s.in.ocr.For(s.language)
	found, err := narrow.Read(ctx, picture, dpi)
	s.in.advance()
	if err != nil {
		return found, err
	}
	if found.Confidence < wellAbove && len(narrow.Languages) < len(s.in.ocr.Languages) {
		all, err := s.in.ocr.Read(ctx, picture, dpi)
		s.in.advance()
		if err != nil {
			return all, err
		}
		if all.Confidence > found.Confidence {
			found, s.language = all, ""
		}
	}
	if s.language == "" && found.Confidence >= wellAbove {
		var text strings.Builder
		for _, l := range found.Lines {
			text.WriteString(l.Text + "\n")
		}
		if text.Len() > 300 { // bytes; less is told wrong too often
			s.language = analyze.Language(text.String())
		}
	}
	return found, nil
}

func (s *scanReader) fail(number int, err error) {
	s.failed = append(s.failed, number)
	if s.reason == nil {
		s.reason = err
	}
}

// leave writes the picture for a model.
func (s *scanReader) leave(number int, picture *image.Gray) error {
	if s.folder == "" {
		folder, err := s.in.folder()
		if err != nil {
			return err
		}
		s.folder = folder
	}
	name := fmt.Sprintf("page-%d.jpg", number)
	f, err := os.Create(filepath.Join(s.folder, name))
	if err != nil {
		return err
	}
	if err := jpeg.Encode(f, picture, &jpeg.Options{Quality: 80}); err != nil {
		_ = f.Close()
		return err
	}
	s.scans = append(s.scans, Scan{Page: number, File: name, MediaType: "image/jpeg"})
	return f.Close()
}

// warnings says what was lost.
func (s *scanReader) warnings() []string {
	var all []string
	say := func(pages []int, format string, args ...any) {
		if len(pages) > 0 {
			all = append(all, fmt.Sprintf("Not all text is there: %s "+format, append([]any{pageList(pages)}, args...)...))
		}
	}
	say(s.unread, "pictures that nothing here reads. %s", scanHint)
	say(s.without, "pictures in which no text was found.")
	say(s.failed, "pictures that could not be read: %v.", s.reason)
	if len(s.unsure) > 0 {
		all = append(all, fmt.Sprintf("Text recognition is not sure of what it read: %s look at the original.", pageList(s.unsure)))
	}
	return all
}

// scanHint says how scans come to be read.
const scanHint = "To have scans read, " + ocr.Hint + ", or name a model that sees as ingest.vision_model in the configuration, and ingest again."

// isBlank reports whether next to nothing is darker than the ground.
func isBlank(picture *image.Gray) bool {
	var count [256]int
	for _, p := range picture.Pix {
		count[p]++
	}
	ground := 0
	for value, n := range count {
		if n > count[ground] {
			ground = value
		}
	}
	dark := 0
	for value := range max(ground-60, 0) {
		dark += count[value]
	}
	light := 0
	for value := min(ground+60, 255) + 1; value < 256; value++ {
		light += count[value]
	}
	return (dark+light)*20_000 < len(picture.Pix)
}

// scanBlocks makes blocks of the lines of a picture, and counts their letters. Lines much higher than most are
// headings.
func scanBlocks(page ocr.Page) (blocks []Block, letters int) {
	var heights []float64
	for _, l := range page.Lines {
		heights = append(heights, l.Height)
		letters += utf8.RuneCountInString(l.Text)
	}
	slices.Sort(heights)
	for i, l := range page.Lines {
		usual := heights[len(heights)/2]
		block := Block{Kind: Paragraph, Text: l.Text}
		switch _, item, ok := listItem(l.Text); {
		case l.Height > 1.4*usual && couldBeHeading(l.Text):
			block.Kind, block.Level = Heading, 2
		case ok:
			block = Block{ListItem, 1, item}
		}
		if i > 0 && l.Paragraph == page.Lines[i-1].Paragraph && block.Kind == Paragraph {
			if last := &blocks[len(blocks)-1]; last.Kind != Heading {
				last.Text = joinLines(last.Text, l.Text, alwaysBreaks)
				continue
			}
		}
		blocks = append(blocks, block)
	}
	return blocks, letters
}
