package storetest

import (
	"time"

	"grounded/corpus"
)

var sourceTests = map[string]func(*fixture){
	"sources are remembered, replaced, listed and forgotten": sources,
	"a forgotten source's documents stay":                    sourceDocuments,
	"quarantine is remembered, replaced and listed":          quarantine,
	"quarantine ends with a good document or a deletion":     quarantineEnds,
	"a quarantined document that is stored stays":            quarantinedStays,
}

var day = time.Date(2025, 6, 7, 8, 9, 10, 11000, time.UTC)

func sources(f *fixture) {
	f.create("a", "b")
	want := func(list ...corpus.Source) {
		f.Helper()
		got, err := f.Sources(f.ctx(), "a")
		f.must("Sources", err)
		f.same("sources", got, list)
	}
	want()
	wiki := corpus.Source{Collection: "a", Name: "wiki", Root: "https://wiki", UsedAt: day}
	hr := corpus.Source{Collection: "a", Name: "人事 files", Root: "/srv/人事 files", UsedAt: day}
	f.must("PutSource", f.PutSource(f.ctx(), hr))
	f.must("PutSource", f.PutSource(f.ctx(), wiki))
	f.must("PutSource", f.PutSource(f.ctx(), corpus.Source{Collection: "b", Name: "elsewhere"}))
	want(wiki, hr)
	wiki.Root, wiki.UsedAt, wiki.Paths = "https://new", day.Add(time.Hour), []string{"手册/a.md", "b"}
	f.must("PutSource", f.PutSource(f.ctx(), wiki))
	want(wiki, hr)
	f.must("DeleteSource", f.DeleteSource(f.ctx(), "a", "not there"))
	f.must("DeleteSource", f.DeleteSource(f.ctx(), "a", hr.Name))
	want(wiki)
}

func sourceDocuments(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "text")
	f.must("PutSource", f.PutSource(f.ctx(), corpus.Source{Collection: "a", Name: c.doc.Source}))
	f.put(c)
	f.must("DeleteSource", f.DeleteSource(f.ctx(), "a", c.doc.Source))
	f.wantStored(c)
}

func bad(path string) corpus.Quarantined {
	return corpus.Quarantined{
		Collection: "a", DocumentID: corpus.NewDocumentID("a", "handbook", path), Source: "handbook", Path: path, At: day,
		Reason: "It needs a password: 请提供密码", Code: "encrypted", ContentHash: "abcd", PipelineFingerprint: "pipeline",
	}
}

func (f *fixture) wantQuarantined(list ...corpus.Quarantined) {
	f.Helper()
	got, err := f.Quarantined(f.ctx(), "a")
	f.must("Quarantined", err)
	f.same("quarantined", got, list)
}

func quarantine(f *fixture) {
	f.create("a")
	f.wantQuarantined()
	x, y := bad("x.pdf"), bad("子/y.pdf")
	f.must("Quarantine", f.Quarantine(f.ctx(), y))
	f.must("Quarantine", f.Quarantine(f.ctx(), x))
	f.wantQuarantined(x, y)
	x.Code, x.Reason, x.At = "damaged", "It is cut short.", day.Add(time.Hour)
	f.must("Quarantine", f.Quarantine(f.ctx(), x))
	f.wantQuarantined(x, y)
}

func quarantineEnds(f *fixture) {
	f.create("a")
	x, y := bad("x.pdf"), bad("y.pdf")
	f.must("Quarantine", f.Quarantine(f.ctx(), x))
	f.must("Quarantine", f.Quarantine(f.ctx(), y))
	f.put(document("a", "x.pdf", "readable now"))
	f.wantQuarantined(y)
	f.must("Delete", f.Delete(f.ctx(), "a", y.DocumentID))
	f.wantQuarantined()
}

func quarantinedStays(f *fixture) {
	f.create("a")
	c := document("a", "x.pdf", "was readable")
	f.put(c)
	f.must("Quarantine", f.Quarantine(f.ctx(), bad("x.pdf")))
	f.wantStored(c)
	f.wantQuarantined(bad("x.pdf"))
}
