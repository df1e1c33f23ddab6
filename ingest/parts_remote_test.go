package ingest_test

import (
	"slices"
	"testing"

	"grounded/ingest"
)

func TestAnArchiveInABucketIsOpened(t *testing.T) {
	w, s := newBucket(t, map[string]string{
		"hr/a.zip": archived(t, "x.txt", article("X", 1), "y.pdf", "no PDF"), "hr/a.zip.meta.yaml": "groups: [hr]", "b.txt": note,
	})
	request := ingest.Request{Paths: []string{"s3://docs"}, Prune: true}
	w.wantCounts(w.ingest(request), ingest.Documents{New: 3, Quarantined: 1})
	w.wantNames("docs:b.txt", "docs:hr/a.zip", "docs:hr/a.zip!/x.txt")
	member := w.document("hr/a.zip!/x.txt")
	if !slices.Equal(member.Groups, []string{"hr"}) || member.URI != "s3://docs/hr/a.zip!/x.txt" || member.Title != "x" {
		t.Errorf("the member is %+v", member)
	}

	s.change(func() {})
	w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 3, Quarantined: 1})
	if len(s.gets) != 0 || w.parser.calls != 0 {
		t.Errorf("got %q again, and parsed %d times", s.gets, w.parser.calls)
	}

	// A member that is missing has the archive fetched, though that is what it was.
	if err := w.store.Delete(t.Context(), "c", member.ID); err != nil {
		t.Fatal(err)
	}
	w.wantCounts(w.ingest(request), ingest.Documents{New: 1, Changed: 1, Unchanged: 1, Quarantined: 1})

	s.change(func() { delete(s.objects, "hr/a.zip") })
	w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 1, Pruned: 3})
	w.wantNames("docs:b.txt")
}

func TestAnArchiveOfASitemapGoesWithIt(t *testing.T) {
	w, site := newWeb(t, map[string]webPage{
		"/sitemap.xml": sitemap("/a", "/b.zip"), "/a": {body: html("A", note), kind: "text/html"},
		"/b.zip": {body: archived(t, "x.txt", article("X", 1)), kind: "application/zip", etag: `"1"`},
	})
	request := ingest.Request{Paths: []string{site.URL + "/sitemap.xml"}, Prune: true}
	w.wantCounts(w.ingest(request), ingest.Documents{New: 3})
	w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 3})
	site.set("/sitemap.xml", sitemap("/a"))
	w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 1, Pruned: 2})
	w.wantNames(site.host() + ":a")
}
