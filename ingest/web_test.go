package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/source"
	"grounded/ingest/source/web"
)

// webSite is a server of pages, by path with query, and keeps what it was asked for.
type webSite struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]webPage
	asked []string // "200 /path"
}

type webPage struct {
	body, kind, etag, date string
	status                 int
}

func newWebSite(t *testing.T, pages map[string]webPage) *webSite {
	t.Helper()
	s := &webSite{pages: pages}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *webSite) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, ok := s.pages[r.URL.RequestURI()]
	status := page.status
	switch {
	case !ok:
		status = http.StatusNotFound
	case page.etag != "" && r.Header.Get("If-None-Match") == page.etag, page.date != "" && r.Header.Get("If-Modified-Since") == page.date:
		status = http.StatusNotModified
	case status == 0:
		status = http.StatusOK
	}
	s.asked = append(s.asked, fmt.Sprint(status, " ", r.URL.RequestURI()))
	for key, value := range map[string]string{"Content-Type": page.kind, "ETag": page.etag, "Last-Modified": page.date} {
		if value != "" {
			w.Header().Set(key, value)
		}
	}
	w.WriteHeader(status)
	if status == http.StatusOK {
		fmt.Fprint(w, strings.ReplaceAll(page.body, "BASE", s.URL))
	}
}

func (s *webSite) set(path string, page webPage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = page
}

func (s *webSite) drop(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pages, path)
}

// count tells how often a line was asked since the last call, and forgets them all.
func (s *webSite) count(line string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, asked := range s.asked {
		if asked == line {
			n++
		}
	}
	s.asked = nil
	return n
}

func (s *webSite) host() string { u, _ := url.Parse(s.URL); return u.Host }

func html(title, text string) string {
	return "<html><head><title>" + title + "</title></head><body><p>" + text + "</p></body></html>"
}

func sitemap(paths ...string) webPage {
	body := `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`
	for _, p := range paths {
		body += "<url><loc>BASE" + p + "</loc></url>"
	}
	return webPage{body: body + "</urlset>", kind: "application/xml"}
}

// openWeb lets a world read the web.
func (w *world) openWeb(c web.Config) {
	w.t.Helper()
	c.Backoff = time.Millisecond
	w.config.Open = func(_ context.Context, address string) (source.Source, error) {
		client, err := web.New(c)
		if err != nil {
			return nil, err
		}
		return client.Open(address)
	}
}

func newWeb(t *testing.T, pages map[string]webPage) (*world, *webSite) {
	w := newWorld(t)
	w.openWeb(web.Config{AllowPrivate: true})
	return w, newWebSite(t, pages)
}

func TestAPageIsNotSentAgainUntilItChanges(t *testing.T) {
	for _, page := range []webPage{
		{body: html("Leave", note), kind: "text/html", etag: `"1"`},
		{body: html("Leave", note), kind: "text/html", date: "Tue, 06 Jan 2026 10:00:00 GMT"},
	} {
		w, site := newWeb(t, map[string]webPage{"/hr/leave": page})
		request := ingest.Request{Paths: []string{site.URL + "/hr/leave#top"}}
		w.wantCounts(w.ingest(request), ingest.Documents{New: 1})
		w.wantNames(site.host() + ":hr/leave")
		d := w.document("hr/leave")
		if d.URI != site.URL+"/hr/leave" || d.Title != "Leave" || d.MediaType != "text/html" {
			t.Errorf("document is %+v", d)
		}
		site.count("")
		w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 1})
		if site.count("304 /hr/leave") != 1 || w.parser.calls != 0 {
			t.Error("the page was sent again")
		}
		// Another revision of the same text is remembered, and costs nothing else.
		page.etag, page.date = `"2"`, ""
		site.set("/hr/leave", page)
		w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 1})
		if w.parser.calls != 0 || w.embedder.calls != 0 || site.count("200 /hr/leave") != 1 {
			t.Error("the same text was read again")
		}
		w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 1})
		if site.count("304 /hr/leave") != 1 {
			t.Error("the new revision was not remembered")
		}
		page.etag, page.body = `"3"`, html("Leave", note+" And two more.")
		site.set("/hr/leave", page)
		w.wantCounts(w.ingest(request), ingest.Documents{Changed: 1})
	}
}

func TestASitemapIsASource(t *testing.T) {
	w, site := newWeb(t, map[string]webPage{
		"/sitemap.xml":        sitemap("/", "/a.html", "/b?page=2", "/a.html", "/员工", "/guide.pdf"),
		"/":                   {body: html("Start", note), kind: "text/html"},
		"/a.html":             {body: html("A", note), kind: "text/html"},
		"/b?page=2":           {body: html("B", note), kind: "text/html; charset=utf-8"},
		"/%E5%91%98%E5%B7%A5": {body: html("C", note), kind: "text/html"},
		"/guide.pdf":          {body: html("Log in", "Please log in."), kind: "text/html"},
	})
	request := ingest.Request{Paths: []string{site.URL + "/sitemap.xml"}, Prune: true}
	w.wantCounts(w.ingest(request), ingest.Documents{New: 5})
	host := site.host()
	w.wantNames(host+":/", host+":a.html", host+":b?page=2", host+":guide.pdf", host+":员工")
	w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 5})

	// A page by itself belongs to the same source, and is no business of the sitemap.
	site.set("/single", webPage{body: html("Single", note), kind: "text/html"})
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{site.URL + "/single"}}), ingest.Documents{New: 1})
	site.set("/sitemap.xml", sitemap("/", "/a.html", "/gone"))
	w.wantCounts(w.ingest(ingest.Request{Paths: request.Paths, Prune: true, DryRun: true}), ingest.Documents{Unchanged: 2, Pruned: 3, Quarantined: 1})
	r := w.ingest(request)
	w.wantCounts(r, ingest.Documents{Unchanged: 2, Pruned: 3, Quarantined: 1})
	if q := r.Quarantined[0]; q.Code != "gone" || q.Document != "gone" || !strings.Contains(q.Reason, "404") {
		t.Errorf("quarantined is %+v", q)
	}
	w.wantNames(host+":/", host+":a.html", host+":single")

	// What is listed and not there any more is pruned as well; without --prune it stays.
	site.drop("/a.html")
	w.wantCounts(w.ingest(ingest.Request{Paths: request.Paths}), ingest.Documents{Unchanged: 1, Quarantined: 2})
	w.wantNames(host+":/", host+":a.html", host+":single")
	w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 1, Pruned: 1, Quarantined: 1})
	w.wantNames(host+":/", host+":single")
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{site.URL + "/single"}, Prune: true}), ingest.Documents{Unchanged: 1})
	site.drop("/single")
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{site.URL + "/single"}, Prune: true}), ingest.Documents{Pruned: 1})
}

func TestAListThatIsNotWholePrunesNothing(t *testing.T) {
	whole := sitemap("/a.html", "/b.html")
	index := webPage{kind: "application/xml", body: `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
		<sitemap><loc>BASE/one.xml</loc></sitemap><sitemap><loc>BASE/two.xml</loc></sitemap></sitemapindex>`}
	for _, c := range []struct {
		name string
		one  webPage
		want ingest.Documents
		fail error
	}{
		{"broken off", webPage{body: whole.body[:len(whole.body)-40]}, ingest.Documents{Unchanged: 2, Quarantined: 1}, nil},
		{"not there", webPage{status: http.StatusNotFound}, ingest.Documents{Unchanged: 1, Quarantined: 1}, nil},
		{"server in trouble", webPage{status: http.StatusServiceUnavailable}, ingest.Documents{Unchanged: 1, Quarantined: 1}, nil},
		{"something else", webPage{body: html("Sorry", "We are closed."), kind: "text/html"}, ingest.Documents{Unchanged: 1, Quarantined: 1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, site := newWeb(t, map[string]webPage{"/sitemap_index.xml": index, "/one.xml": whole, "/two.xml": sitemap("/c.html"),
				"/a.html": {body: html("A", note)}, "/b.html": {body: html("B", note)}, "/c.html": {body: html("C", note)}})
			request := ingest.Request{Paths: []string{site.URL + "/sitemap_index.xml"}, Prune: true}
			w.wantCounts(w.ingest(request), ingest.Documents{New: 3})
			site.set("/one.xml", c.one)
			r, err := w.try(t.Context(), request)
			if !errors.Is(err, c.fail) {
				t.Fatalf("error is %v", err)
			}
			w.wantCounts(r, c.want)
			if len(w.names()) != 3 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "was pruned") {
				t.Errorf("left are %q, warnings %q", w.names(), r.Warnings)
			}
		})
	}
	t.Run("nothing at all", func(t *testing.T) {
		w, site := newWeb(t, map[string]webPage{"/sitemap.xml": sitemap("/a.html"), "/a.html": {body: html("A", note)}})
		request := ingest.Request{Paths: []string{site.URL + "/sitemap.xml"}, Prune: true}
		w.ingest(request)
		site.set("/sitemap.xml", sitemap())
		w.wantCounts(w.ingest(request), ingest.Documents{})
		site.set("/sitemap.xml", webPage{status: http.StatusBadGateway})
		if _, err := w.try(t.Context(), request); !errors.Is(err, corpus.ErrUnavailable) {
			t.Errorf("error is %v", err)
		}
		w.wantNames(site.host() + ":a.html")
	})
}

func TestRobotsAreHonoured(t *testing.T) {
	w, site := newWeb(t, map[string]webPage{
		"/robots.txt":     {body: "User-agent: *\nDisallow: /\n\nUser-agent: grounded\nDisallow: /private/\nDisallow: /*?session=\n"},
		"/sitemap.xml":    sitemap("/a.html", "/private/b.html", "/c?session=1"),
		"/a.html":         {body: html("A", note)},
		"/private/b.html": {body: html("B", note)},
		"/c?session=1":    {body: html("C", note)},
	})
	r := w.ingest(ingest.Request{Paths: []string{site.URL + "/sitemap.xml"}})
	w.wantCounts(r, ingest.Documents{New: 1, Skipped: 2})
	if site.count("200 /private/b.html") != 0 || !strings.Contains(r.Skipped[1].Reason, "robots.txt") {
		t.Errorf("skipped are %+v", r.Skipped)
	}
	_, err := w.try(t.Context(), ingest.Request{Paths: []string{site.URL + "/private/b.html"}})
	if !errors.Is(err, corpus.ErrForbidden) || !strings.Contains(err.Error(), "robots.txt") {
		t.Errorf("error is %v", err)
	}
	// A robots.txt that is there and can't be had forbids everything.
	site.set("/robots.txt", webPage{status: http.StatusInternalServerError})
	if _, err := w.try(t.Context(), ingest.Request{Paths: []string{site.URL + "/a.html"}}); !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), "robots.txt") {
		t.Errorf("error is %v", err)
	}
	w.wantNames(site.host() + ":a.html")
	site.set("/robots.txt", webPage{status: http.StatusForbidden})
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{site.URL + "/a.html"}}), ingest.Documents{Unchanged: 1})
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	w, site := newWeb(t, map[string]webPage{"/a.html": {body: html("A", note)}})
	w.openWeb(web.Config{})
	for _, address := range []string{site.URL + "/a.html", strings.Replace(site.URL, "127.0.0.1", "localhost", 1) + "/a.html"} {
		_, err := w.try(t.Context(), ingest.Request{Paths: []string{address}})
		if !errors.Is(err, corpus.ErrForbidden) || !strings.Contains(err.Error(), "--allow-private") {
			t.Errorf("%s: error is %v", address, err)
		}
	}
	if site.count("200 /a.html") != 0 {
		t.Error("it was asked all the same")
	}
}

func TestASourceOfTheSameNameElsewhereIsRefused(t *testing.T) {
	w, site := newWeb(t, map[string]webPage{"/a.html": {body: html("A", note)}})
	_, other := newWeb(t, map[string]webPage{"/a.html": {body: html("A", note)}})
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{site.URL + "/a.html"}, Source: "wiki"}), ingest.Documents{New: 1})
	_, err := w.try(t.Context(), ingest.Request{Paths: []string{other.URL + "/a.html"}, Source: "wiki"})
	if !errors.Is(err, corpus.ErrConflict) || !strings.Contains(corpus.HintOf(err), "--moved") {
		t.Errorf("error is %v", err)
	}
	// It keeps the name that it was given.
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{site.URL + "/a.html"}}), ingest.Documents{Unchanged: 1})
	w.wantNames("wiki:a.html")
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{other.URL + "/a.html"}, Source: "wiki", Moved: true}), ingest.Documents{Unchanged: 1})
}

func TestStandardInputIsADocument(t *testing.T) {
	w := newWorld(t)
	text := "# Leave\n\n" + note
	name := "report.md"
	w.config.Open = func(context.Context, string) (source.Source, error) {
		return source.NewStream(strings.NewReader(text), name, 1000)
	}
	request := ingest.Request{Paths: []string{"-"}}
	w.wantCounts(w.ingest(request), ingest.Documents{New: 1})
	w.wantNames("stdin:report.md")
	w.wantCounts(w.ingest(request), ingest.Documents{Unchanged: 1})
	text += " More."
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{"-"}, Prune: true}), ingest.Documents{Changed: 1})
	text = strings.Repeat("long ", 1000)
	w.wantCounts(w.ingest(request), ingest.Documents{Quarantined: 1})
	w.wantNames("stdin:report.md")
	for _, name = range []string{"", "../x.md", "/x.md", "."} {
		if _, err := w.try(t.Context(), request); !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(corpus.HintOf(err), "report.md") {
			t.Errorf("name %q: error is %v", name, err)
		}
	}
}
