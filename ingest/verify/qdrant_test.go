package verify_test

import (
	"slices"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/verify"
	"grounded/store/qdrant"
	"grounded/store/qdrant/qdranttest"
)

func TestVerifyInQdrant(t *testing.T) {
	w := newWorld(t)
	s, err := qdrant.Open(t.Context(), qdrant.Config{Address: qdranttest.Start(t).Address})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in := w.ingester(s)
	if _, err := in.Run(t.Context(), ingest.Request{Collection: "c", Paths: []string{w.dir}}, nil); err != nil {
		t.Fatal(err)
	}
	look := func(repair bool) verify.Report {
		t.Helper()
		report, err := verify.Run(t.Context(), verify.Config{Ingester: in, Collection: "c", Repair: repair})
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	if report := look(false); !report.Healthy || report.Documents != 3 || report.Quarantined != 1 {
		t.Errorf("after an ingest: %+v", report)
	}
	if err := s.Delete(t.Context(), "c", corpus.NewDocumentID("c", "docs", "1.md")); err != nil {
		t.Fatal(err)
	}
	w.write("2.md", "Changed.")
	if got := kinds(look(false).Faults, false); !slices.Equal(got, []string{"lost 1.md", "stale 2.md"}) {
		t.Errorf("faults are %q", got)
	}
	report := look(true)
	if got := kinds(report.Faults, true); !report.Healthy || !slices.Equal(got, []string{"lost 1.md", "stale 2.md"}) {
		t.Errorf("repaired are %q: %+v", got, report)
	}
}
