package ingest_test

import (
	"context"
	"crypto/md5"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/source"
	"grounded/ingest/source/bucket"
)

// bucketServer speaks what S3's protocol has for reading: the bucket "docs", two objects a page of a list.
type bucketServer struct {
	*httptest.Server
	mu       sync.Mutex
	objects  map[string]string
	gets     []string
	failList int // the number of the list request that fails; 0 for none
	lists    int
	denied   bool
}

const bucketPage = 2

func newBucketServer(t *testing.T, objects map[string]string) *bucketServer {
	t.Helper()
	s := &bucketServer{objects: objects}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *bucketServer) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, isLocation := r.URL.Query()["location"]
	switch text, ok := s.objects[key]; {
	case s.denied || !strings.Contains(r.Header.Get("Authorization"), "Credential=reader/"):
		refuse(w, http.StatusForbidden, "AccessDenied")
	case name != "docs":
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case isLocation:
		fmt.Fprint(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">us-east-1</LocationConstraint>`)
	case key == "":
		s.list(w, r)
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", etag(text))
		w.Header().Set("Last-Modified", "Tue, 06 Jan 2026 10:00:00 GMT")
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		if r.Method == http.MethodGet {
			s.gets = append(s.gets, key)
			fmt.Fprint(w, text)
		}
	}
}

func etag(text string) string { return fmt.Sprintf(`"%x"`, md5.Sum([]byte(text))) }

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

func (s *bucketServer) list(w http.ResponseWriter, r *http.Request) {
	type content struct {
		Key, LastModified, ETag string
		Size                    int
	}
	type result struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string
		Contents              []content
	}
	if s.lists++; s.lists == s.failList {
		refuse(w, http.StatusForbidden, "AccessDenied")
		return
	}
	var keys []string
	for key := range s.objects {
		if strings.HasPrefix(key, r.FormValue("prefix")) && key > r.FormValue("continuation-token") {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	var out result
	if out.IsTruncated = len(keys) > bucketPage; out.IsTruncated {
		keys = keys[:bucketPage]
		out.NextContinuationToken = keys[bucketPage-1]
	}
	for _, key := range keys {
		out.Contents = append(out.Contents, content{key, "2026-01-06T10:00:00.000Z", etag(s.objects[key]), len(s.objects[key])})
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(out)
}

// change does something to the bucket between runs, and forgets what was asked.
func (s *bucketServer) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	s.gets, s.lists = nil, 0
}

func newBucket(t *testing.T, objects map[string]string) (*world, *bucketServer) {
	w, s := newWorld(t), newBucketServer(t, objects)
	w.openBucket(bucket.Config{Endpoint: s.URL, AccessKey: "reader", SecretKey: "secret", PathStyle: true})
	return w, s
}

func (w *world) openBucket(c bucket.Config) {
	w.t.Helper()
	client, err := bucket.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.config.Open = func(_ context.Context, address string) (source.Source, error) { return client.Open(address) }
}

func TestABucketIsASource(t *testing.T) {
	w, s := newBucket(t, map[string]string{
		"a.txt": note, "hr/b.txt": note + " More.", "hr/b.txt.meta.yaml": "groups: [hr]", "hr/c.md": "# C\n\n" + note, "hr2/d.txt": note,
		"hr/c.meta.yaml": "title: Called so", "folder/": "", ".hidden/e.txt": note, "film.mp4": "film", "x//y.txt": note,
	})
	request := ingest.Request{Paths: []string{"s3://docs"}, Prune: true}
	w.wantCounts(w.ingest(request), ingest.Documents{New: 4, Skipped: 2})
	w.wantNames("docs:a.txt", "docs:hr/b.txt", "docs:hr/c.md", "docs:hr2/d.txt")
	if d := w.document("hr/b.txt"); !slices.Equal(d.Groups, []string{"hr"}) || d.URI != "s3://docs/hr/b.txt" || d.ModifiedAt.Format(time.DateOnly) != "2026-01-06" {
		t.Errorf("document is %+v", d)
	}
	if d := w.document("hr/c.md"); d.Title != "Called so" {
		t.Errorf("title is %q", d.Title)
	}
	s.change(func() {})
	w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 4, Skipped: 2})
	if len(s.gets) != 0 {
		t.Errorf("fetched again: %q", s.gets)
	}

	// Changed metadata is a change of the document.
	s.change(func() { s.objects["hr/b.txt.meta.yaml"] = "groups: [legal]"; s.objects["a.txt"] += " Changed." })
	w.wantCounts(w.ingest(request), ingest.Documents{Changed: 2, Unchanged: 2, Skipped: 2})
	if d := w.document("hr/b.txt"); !slices.Equal(d.Groups, []string{"legal"}) {
		t.Errorf("groups are %q", d.Groups)
	}

	// A part of it is pruned by itself.
	s.change(func() { delete(s.objects, "hr/b.txt"); delete(s.objects, "hr2/d.txt") })
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{"s3://docs/hr/"}, Prune: true}), ingest.Documents{Unchanged: 1, Pruned: 1})
	w.wantNames("docs:a.txt", "docs:hr/c.md", "docs:hr2/d.txt")
	s.change(func() {})
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{"s3://docs/hr/c.md"}}), ingest.Documents{Unchanged: 1})
	if len(s.gets) != 0 {
		t.Errorf("fetched again: %q", s.gets)
	}
	if _, err := w.try(t.Context(), ingest.Request{Paths: []string{"s3://docs/nothing"}, Prune: true}); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
	w.wantNames("docs:a.txt", "docs:hr/c.md", "docs:hr2/d.txt")
}

func TestShardsOfABucketLeaveEachOtherAlone(t *testing.T) {
	objects := map[string]string{}
	for i := range 9 {
		objects[fmt.Sprintf("%d.txt", i)] = fmt.Sprintf("%s It is number %d.", note, i)
	}
	w, s := newBucket(t, objects)
	for _, k := range []int{1, 2, 1, 2} {
		w.ingest(ingest.Request{Paths: []string{"s3://docs"}, Prune: true, Shard: ingest.Shard{Number: k, Of: 2}})
	}
	if n := len(w.names()); n != 9 {
		t.Errorf("%d documents are in", n)
	}
	s.change(func() { delete(s.objects, "3.txt") })
	gone := 0
	for _, k := range []int{1, 2} {
		gone += w.ingest(ingest.Request{Paths: []string{"s3://docs"}, Prune: true, Shard: ingest.Shard{Number: k, Of: 2}}).Documents.Pruned
	}
	if gone != 1 || len(w.names()) != 8 {
		t.Errorf("%d were pruned, %d are left", gone, len(w.names()))
	}
}

func TestAListOfABucketThatBreaksOffPrunesNothing(t *testing.T) {
	objects := map[string]string{}
	for i := range 7 {
		objects[fmt.Sprintf("%d.txt", i)] = fmt.Sprintf("%s It is number %d.", note, i)
	}
	w, s := newBucket(t, objects)
	request := ingest.Request{Paths: []string{"s3://docs"}, Prune: true}
	w.ingest(request)
	for page := 1; page <= 8; page++ { // of four for the metadata, and four for the rest
		s.change(func() { s.failList = page })
		if _, err := w.try(t.Context(), request); !errors.Is(err, corpus.ErrForbidden) {
			t.Errorf("page %d: error is %v", page, err)
		}
	}
	s.change(func() { s.failList = 0; clear(s.objects) })
	r := w.ingest(request)
	if len(w.names()) != 7 || !strings.Contains(strings.Join(r.Warnings, " "), "was pruned: nothing is in the bucket") {
		t.Errorf("left are %q, warnings %q", w.names(), r.Warnings)
	}
}

func TestBucketsThatCannotBeReadSayWhatToDo(t *testing.T) {
	w, s := newBucket(t, map[string]string{"a.txt": note})
	for _, c := range []struct {
		address string
		config  bucket.Config
		kind    error
		hint    string
	}{
		{"s3://none", bucket.Config{Endpoint: s.URL, AccessKey: "reader", SecretKey: "x", PathStyle: true}, corpus.ErrNotFound, ""},
		{"s3://docs", bucket.Config{Endpoint: s.URL, AccessKey: "stranger", SecretKey: "x", PathStyle: true}, corpus.ErrForbidden, "AWS_SECRET_ACCESS_KEY"},
		{"s3://", bucket.Config{Endpoint: s.URL, AccessKey: "reader", SecretKey: "x", PathStyle: true}, corpus.ErrInvalid, "s3://bucket"},
		{"s3://docs", bucket.Config{Endpoint: "http://127.0.0.1:1", AccessKey: "reader", SecretKey: "x", PathStyle: true}, corpus.ErrUnavailable, "ingest.s3.endpoint"},
	} {
		w.openBucket(c.config)
		_, err := w.try(t.Context(), ingest.Request{Paths: []string{c.address}})
		if !errors.Is(err, c.kind) || !strings.Contains(corpus.HintOf(err), c.hint) {
			t.Errorf("%s: error is %v, hint %q", c.address, err, corpus.HintOf(err))
		}
	}
	for _, bad := range []bucket.Config{{Endpoint: "minio:9000"}, {Endpoint: "https://h/path"}, {AccessKey: "x"}} {
		if _, err := bucket.New(bad); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
