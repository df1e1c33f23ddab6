package move_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"grounded/ingest/move"
	"grounded/store/qdrant/qdranttest"
)

// BenchmarkMoves copies and reindexes 20,000 chunks of 384 dimensions in 4,000 documents, with an embedder that costs
// nothing.
func BenchmarkMoves(b *testing.B) {
	const documents, chunks = 4000, 5
	from, to := &embedder{model: "from", dimensions: 384}, &embedder{model: "to", dimensions: 384}
	s := fill(b, open(b, filepath.Join(b.TempDir(), "a.db")), from, 0)
	var filling sync.WaitGroup
	for w := range 32 {
		filling.Go(func() {
			for i := w; i < documents; i += 32 {
				var texts []string
				for j := range chunks {
					texts = append(texts, fmt.Sprintf("Part %d of number %d. %s", j, i, strings.Repeat(fmt.Sprintf("It says something about subject %d. ", i%97), 15)))
				}
				put(b, s, from, fmt.Sprintf("%04d.txt", i), 0, texts...)
			}
		})
	}
	filling.Wait()
	rate := func(b *testing.B, run func() (move.Report, error)) {
		b.Helper()
		for b.Loop() {
			report, err := run()
			if err != nil || report.Documents.Copied != documents {
				b.Fatalf("%+v, %v", report, err)
			}
			b.ReportMetric(documents*chunks/report.Seconds, "chunks/s")
		}
	}
	b.Run("copy=file", func(b *testing.B) {
		target := open(b, filepath.Join(b.TempDir(), "b.db"))
		rate(b, func() (move.Report, error) {
			return move.Copy(b.Context(), move.CopyConfig{From: s, To: target, Collection: "c"})
		})
	})
	b.Run("copy=qdrant", func(b *testing.B) {
		target := openQdrant(b, qdranttest.Start(b).Address)
		rate(b, func() (move.Report, error) {
			return move.Copy(b.Context(), move.CopyConfig{From: s, To: target, Collection: "c"})
		})
	})
	b.Run("reindex", func(b *testing.B) {
		rate(b, func() (move.Report, error) {
			return move.Reindex(b.Context(), move.ReindexConfig{Store: s, Collection: "c", Embedder: to.fresh(), Drop: true})
		})
	})
}
