package verify

import (
	"context"
	"errors"
	"strings"

	"grounded/corpus"
)

// document looks at the pages, chunks and vectors of one document. One that is replaced meanwhile is looked at again.
func (v *verification) document(ctx context.Context, c corpus.Collection, d corpus.Document, found *findings) error {
	for {
		var mine findings
		err := v.parts(ctx, c, d, &mine)
		if err == nil && len(mine.faults) == 0 {
			return nil
		}
		now, nowErr := v.store.Document(ctx, v.scope(), d.ID)
		switch {
		case errors.Is(nowErr, corpus.ErrNotFound):
			return nil
		case nowErr != nil:
			return nowErr
		case now.IngestedAt.Equal(d.IngestedAt):
			for _, f := range mine.faults {
				found.add(f)
			}
			return err
		}
		d = now
	}
}

func (v *verification) parts(ctx context.Context, c corpus.Collection, d corpus.Document, found *findings) error {
	if d.EmbeddingFingerprint != c.Embedding.Fingerprint() {
		found.about(d, Vector, "Its embedding fingerprint is %s, that of the collection %s.", d.EmbeddingFingerprint, c.Embedding.Fingerprint())
	}
	pages, err := v.store.Pages(ctx, v.scope(), d.ID, 1, 0)
	if err != nil {
		return err
	}
	chunks, err := v.store.DocumentChunks(ctx, v.scope(), d.ID, 0, -1)
	if err != nil {
		return err
	}
	if len(pages) != d.PageCount {
		found.about(d, Order, "%d of %d pages are stored.", len(pages), d.PageCount)
	}
	if len(chunks) != d.ChunkCount {
		found.about(d, Order, "%d of %d chunks are stored.", len(chunks), d.ChunkCount)
	}
	checkChunks(d, newSpans(pages), chunks, found)
	return v.vectors(ctx, c, d, chunks, found)
}

// checkChunks looks at the order of chunks, and whether each is the text at its place.
func checkChunks(d corpus.Document, s spans, chunks []corpus.Chunk, found *findings) {
	ids := map[corpus.ChunkID]bool{}
	order, double, text := true, 0, 0
	for i, k := range chunks {
		order = order && k.Ordinal == i
		if ids[k.ID] {
			double++
		}
		ids[k.ID] = true
		if got, ok := s.text(k); !ok || got != k.Text {
			text++
		}
	}
	if !order {
		found.about(d, Order, "Its chunks are not numbered from 0 without gaps.")
	}
	if double > 0 {
		found.about(d, Double, "%d chunks are stored twice.", double)
	}
	if text > 0 {
		found.about(d, Text, "%d chunks are not the text of their pages.", text)
	}
}

func (v *verification) vectors(ctx context.Context, c corpus.Collection, d corpus.Document, chunks []corpus.Chunk, found *findings) error {
	hashes := make([]string, len(chunks))
	for i, k := range chunks {
		hashes[i] = k.InputHash()
	}
	vectors, err := v.store.Vectors(ctx, v.Collection, hashes)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		found.about(d, Vector, "Its vectors can't be read: %v.", err)
		return nil
	}
	missing, wrong := 0, 0
	for _, hash := range hashes {
		switch len(vectors[hash]) {
		case c.Embedding.Dimensions:
		case 0:
			missing++
		default:
			wrong++
		}
	}
	if missing > 0 {
		found.about(d, Vector, "%d chunks have no vector.", missing)
	}
	if wrong > 0 {
		found.about(d, Vector, "%d vectors have not %d dimensions.", wrong, c.Embedding.Dimensions)
	}
	return nil
}

// spans are the pages of a document in Unicode code points, by number.
type spans map[int][]rune

func newSpans(pages []corpus.Page) spans {
	s := spans{}
	for _, p := range pages {
		s[p.Number] = []rune(p.Text)
	}
	return s
}

// text returns what a chunk should be (corpus.Chunk says how); false if it is outside the pages.
func (s spans) text(k corpus.Chunk) (string, bool) {
	if k.PageStart > k.PageEnd {
		return "", false
	}
	var parts []string
	for n := k.PageStart; n <= k.PageEnd; n++ {
		page, there := s[n]
		from, to := 0, len(page)
		if n == k.PageStart {
			from = k.Start
		}
		if n == k.PageEnd {
			to = k.End
		}
		if !there || from < 0 || to > len(page) || from > to {
			return "", false
		}
		parts = append(parts, string(page[from:to]))
	}
	return strings.Join(parts, "\n"), true
}
