package ocr

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Page is what was read in a picture.
type Page struct {
	Lines      []Line  // in reading order; none if there is no text
	Confidence float64 // 0 to 100, the mean of its words by their length
}

// Line is a line of text.
type Line struct {
	Text      string
	Paragraph int     // number of the paragraph that it is in, from 1
	Height    float64 // in pixels
}

const (
	pageTime  = time.Minute // for one page
	maxOutput = 16 << 20    // bytes that are read of what the program prints
	// minConfidence of a word, in percent: below, pictures and stains are taken for letters.
	minConfidence = 15
)

// Read reads a picture of dark letters on a light ground, made with so many pixels an inch. The error is that of
// running the program, or of ctx.
func (e Engine) Read(ctx context.Context, picture *image.Gray, dpi int) (Page, error) {
	limited, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	layout := "3" // finds columns
	if e.Turns {
		layout = "1" // and how the page is turned
	}
	cmd := exec.CommandContext(limited, e.Command, "stdin", "stdout", "-l", strings.Join(e.Languages, "+"),
		"--psm", layout, "--dpi", strconv.Itoa(dpi), "-c", "tessedit_do_invert=0", "tsv")
	// Its threads hinder each other more than they help.
	cmd.Env = []string{"OMP_THREAD_LIMIT=1", "LC_ALL=C"}
	if e.Data != "" {
		cmd.Env = append(cmd.Env, "TESSDATA_PREFIX="+e.Data)
	}
	tie(cmd)
	cmd.WaitDelay = time.Second
	cmd.Stdin = pgm(picture)
	out, complaint := &bounded{left: maxOutput, full: cancel}, &bounded{left: maxOutput, full: cancel}
	cmd.Stdout, cmd.Stderr = out, complaint
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return Page{}, ctx.Err()
	case out.left < 0 || complaint.left < 0:
		return Page{}, errors.New("tesseract printed more than a page has")
	case limited.Err() != nil:
		return Page{}, fmt.Errorf("tesseract took longer than %s for a page", pageTime)
	case err != nil:
		return Page{}, fmt.Errorf("tesseract failed (%w): %s", err, lastLine(complaint.kept.String()))
	}
	return readTSV(&out.kept), nil
}

// pgm writes the picture in the plainest format that there is.
func pgm(picture *image.Gray) io.Reader {
	b := picture.Bounds()
	rows := []io.Reader{strings.NewReader(fmt.Sprintf("P5\n%d %d\n255\n", b.Dx(), b.Dy()))}
	if picture.Stride == b.Dx() {
		return io.MultiReader(rows[0], bytes.NewReader(picture.Pix))
	}
	for y := range b.Dy() {
		rows = append(rows, bytes.NewReader(picture.Pix[y*picture.Stride:][:b.Dx()]))
	}
	return io.MultiReader(rows...)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// bounded keeps so many bytes, and tells when there are more.
type bounded struct {
	kept bytes.Buffer // not embedded: its ReadFrom would take all
	left int          // below 0 when there were more
	full func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		b.full()
		return len(p), nil
	}
	return b.kept.Write(p)
}

// readTSV reads the table that tesseract prints: level, page, block, paragraph, line, word, left, top, width, height,
// confidence, text; level 4 is a line and level 5 a word.
func readTSV(table io.Reader) Page {
	var page Page
	var words []string
	weighed, letters := 0.0, 0
	block, paragraph, height := "", 0, 0.0
	end := func() {
		if text := join(words); text != "" {
			page.Lines = append(page.Lines, Line{text, paragraph, height})
		}
		words = nil
	}
	lines := bufio.NewScanner(table)
	lines.Buffer(nil, maxOutput)
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		if len(f) < 12 {
			continue
		}
		switch f[0] {
		case "4":
			end()
			if own := strings.Join(f[1:4], "."); own != block {
				block = own
				paragraph++
			}
			height, _ = strconv.ParseFloat(f[9], 64)
		case "5":
			confidence, err := strconv.ParseFloat(f[10], 64)
			word := strings.TrimSpace(f[11])
			if err != nil || word == "" || confidence < minConfidence {
				continue
			}
			n := len([]rune(word))
			weighed += confidence * float64(n)
			letters += n
			words = append(words, word)
		}
	}
	end()
	if letters > 0 {
		page.Confidence = weighed / float64(letters)
	}
	return page
}
