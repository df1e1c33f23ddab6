package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"grounded/ingest/parse"
	"grounded/ingest/source"
)

func TestOnlyPublicAddressesAreDialled(t *testing.T) {
	for address, public := range map[string]bool{
		"93.184.216.34:80": true, "[2606:2800:220:1:248:1893:25c8:1946]:443": true,
		"127.0.0.1:80": false, "10.1.2.3:80": false, "172.16.0.1:80": false, "192.168.1.1:80": false, "169.254.169.254:80": false,
		"100.64.0.1:80": false, "0.0.0.0:80": false, "224.0.0.1:80": false, "255.255.255.255:80": false, "198.18.0.1:80": false,
		"[::1]:80": false, "[::]:80": false, "[fe80::1]:80": false, "[fe80::1%eth0]:80": false, "[fc00::1]:80": false, "[ff02::1]:80": false,
		"[::ffff:127.0.0.1]:80": false, "[::ffff:10.0.0.1]:80": false, "[64:ff9b::7f00:1]:80": false, "[2002:7f00:1::]:80": false, "[::7f00:1]:80": false,
	} {
		if err := checkPublic(address); (err == nil) != public {
			t.Errorf("%s: %v, want public %t", address, err, public)
		}
	}
}

func newClient(t *testing.T, c Config) *Client {
	t.Helper()
	c.Backoff = time.Millisecond
	c.AllowPrivate = true
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// serve answers for each path; a path that is not there is a 404.
func serve(t *testing.T, paths map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := paths[r.URL.Path]; answer != nil {
			answer(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func fetch(t *testing.T, c *Client, address, revision string) (text string, fetched source.Fetched, err error) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	fetched, err = c.page(t.Context(), u, t.TempDir(), revision)
	if err == nil && fetched.File != "" {
		data, err := os.ReadFile(fetched.File)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	return text, fetched, err
}

func TestTheServersCharsetCounts(t *testing.T) {
	answer := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, body)
		}
	}
	s := serve(t, map[string]http.HandlerFunc{
		"/latin.html": answer("text/html; charset=ISO-8859-1", "caf\xe9"),
		"/gbk":        answer("text/plain; charset=gb18030", "\xd4\xb1\xb9\xa4"),
		"/utf8.html":  answer("text/html; charset=utf-8", "café"),
		"/none.html":  answer("text/html", "caf\xe9"),
		"/wrong.html": answer("text/html; charset=klingon", "café"),
		"/a.pdf":      answer("application/pdf; charset=ISO-8859-1", "%PDF-\xe9"),
	})
	c := newClient(t, Config{})
	for path, want := range map[string]string{
		"/latin.html": "\ufeffcafé", "/gbk": "\ufeff员工", "/utf8.html": "café", "/none.html": "caf\xe9", "/wrong.html": "café", "/a.pdf": "%PDF-\xe9",
	} {
		if got, _, err := fetch(t, c, s.URL+path, ""); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestFilesAreNamedForWhatTheyAre(t *testing.T) {
	for _, c := range []struct{ path, kind, want string }{
		{"/", "text/html", "index.html"}, {"/a", "text/html", "a.html"}, {"/a/", "text/html", "a.html"}, {"/a.html", "text/html", "a.html"},
		{"/a.htm", "text/html", "a.htm"}, {"/a.php", "text/html", "a.php.html"}, {"/get", "application/pdf", "get.pdf"},
		{"/a.pdf", "text/html", "a.pdf.html"}, {"/a.md", "text/plain", "a.md"}, {"/a", "text/plain", "a.txt"}, {"/a", "text/markdown", "a.md"},
		{"/a.docx", "application/octet-stream", "a.docx"}, {"/a.xyz", "", "a.xyz"},
	} {
		if got := fileName(&url.URL{Path: c.path}, c.kind); got != c.want {
			t.Errorf("%s, %s is called %q, want %q", c.path, c.kind, got, c.want)
		}
	}
}

func TestRedirectionsAreBounded(t *testing.T) {
	var s *httptest.Server
	to := func(path string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, path, http.StatusFound) }
	}
	s = serve(t, map[string]http.HandlerFunc{
		"/loop": to("/loop"), "/file": to("file:///etc/passwd"), "/old": to("/new"),
		"/new": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") },
	})
	c := newClient(t, Config{})
	if text, _, err := fetch(t, c, s.URL+"/old", ""); err != nil || text != "here" {
		t.Errorf("got %q, %v", text, err)
	}
	for path, want := range map[string]string{"/loop": "more than 10 times", "/file": "file:///etc/passwd"} {
		if _, _, err := fetch(t, c, s.URL+path, ""); codeOf(err) != source.Unreachable || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestLimitsOfSizeAndTimeHold(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, map[string]http.HandlerFunc{
		"/large": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 2000)) },
		"/endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := fmt.Fprint(w, strings.Repeat("x", 1000)); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		},
		"/silent": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
		"/bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			for range 1000 {
				fmt.Fprint(z, strings.Repeat("\x00", 1000))
			}
		},
		"/broken": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "short")
		},
	})
	defer close(release)
	c, hasty := newClient(t, Config{MaxBytes: 1024}), newClient(t, Config{Timeout: 300 * time.Millisecond})
	for path, want := range map[string]parse.ErrorCode{
		"/large": parse.TooLarge, "/endless": parse.TooLarge, "/bomb": parse.TooLarge, "/silent": source.Unreachable, "/broken": source.Unreachable,
	} {
		client := c
		if path == "/silent" {
			client = hasty
		}
		if _, _, err := fetch(t, client, s.URL+path, ""); codeOf(err) != want {
			t.Errorf("%s: %v, want code %s", path, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u, _ := url.Parse(s.URL + "/silent")
	if _, err := c.page(ctx, u, t.TempDir(), ""); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

func TestAServerInTroubleIsAskedAgain(t *testing.T) {
	asked := map[string]int{}
	answer := func(status, times int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if asked[r.URL.Path]++; asked[r.URL.Path] <= times {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
				return
			}
			fmt.Fprint(w, "well")
		}
	}
	s := serve(t, map[string]http.HandlerFunc{"/busy": answer(429, 2), "/ill": answer(503, 1), "/dead": answer(500, 100), "/login": answer(401, 100)})
	c := newClient(t, Config{})
	for path, times := range map[string]int{"/busy": 3, "/ill": 2, "/dead": attempts, "/login": 1} {
		_, _, err := fetch(t, c, s.URL+path, "")
		if asked[path] != times || (err == nil) != (path == "/busy" || path == "/ill") {
			t.Errorf("%s was asked %d times, want %d; %v", path, asked[path], times, err)
		}
	}
}

func TestAServerThatIsNotThereIsNotAskedForEver(t *testing.T) {
	var calls atomic.Int64
	s := serve(t, map[string]http.HandlerFunc{"/a": func(http.ResponseWriter, *http.Request) {
		calls.Add(1)
		panic(http.ErrAbortHandler) // breaks the connection
	}})
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	c := newClient(t, Config{})
	for i := range 20 {
		_, _, err := fetch(t, c, s.URL+"/a", "")
		if codeOf(err) != source.Unreachable || i == 19 && !strings.Contains(err.Error(), "in a row") {
			t.Errorf("try %d: %v", i, err)
		}
	}
	if n := calls.Load(); n < attempts || n > 3*maxSilences { // the transport tries again by itself
		t.Errorf("it was asked %d times", n)
	}
}

func TestCrawlDelaySpacesRequests(t *testing.T) {
	var times []time.Time
	s := serve(t, map[string]http.HandlerFunc{
		"/robots.txt": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "User-agent: *\nCrawl-delay: 0.1\n") },
		"/a":          func(http.ResponseWriter, *http.Request) { times = append(times, time.Now()) },
	})
	c := newClient(t, Config{})
	for range 4 {
		if _, _, err := fetch(t, c, s.URL+"/a", ""); err != nil {
			t.Fatal(err)
		}
	}
	if d := times[3].Sub(times[0]); d < 280*time.Millisecond {
		t.Errorf("four requests in %v", d)
	}
}

// visitor keeps what it is told.
type visitor struct{ found, skipped, gaps []string }

func (v *visitor) Found(e source.Entry) error { v.found = append(v.found, e.Path); return nil }
func (v *visitor) Skip(path, _ string)        { v.skipped = append(v.skipped, path) }
func (v *visitor) Gap(path, _ string)         { v.gaps = append(v.gaps, path) }

func TestSitemapsOfAllKindsAreRead(t *testing.T) {
	var s *httptest.Server
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.ReplaceAll(body, "BASE", s.URL)) }
	}
	s = serve(t, map[string]http.HandlerFunc{
		"/sitemap.xml": text(`<sitemapindex><sitemap><loc>BASE/one.xml.gz</loc></sitemap><sitemap><loc>BASE/sitemap.xml</loc></sitemap>
			<sitemap><loc> BASE/two.xml
			</loc></sitemap></sitemapindex>`),
		"/one.xml.gz": func(w http.ResponseWriter, _ *http.Request) {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			fmt.Fprintf(z, `<urlset xmlns:image="i"><url><loc>%s/a?x=1&amp;y=2</loc><image:image><image:loc>%[1]s/a.png</image:loc></image:image></url></urlset>`, s.URL)
			z.Close()
			w.Write(packed.Bytes())
		},
		"/two.xml": text("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><urlset><url><loc>BASE/caf\xe9#x</loc></url><url><loc>BASE/caf%C3%A9</loc></url>" +
			"<url><loc>https://elsewhere.example/b</loc></url><url><loc>ftp://x/y</loc></url><url><loc>http://[</loc></url><url><loc></loc></url></urlset>"),
		"/map.txt": text("BASE/a\n"),
	})
	c := newClient(t, Config{})
	opened, err := c.Open(strings.ToUpper(s.URL[:4]) + s.URL[4:] + "/sitemap.xml")
	if err != nil {
		t.Fatal(err)
	}
	var v visitor
	if err := opened.List(t.Context(), &v); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a?x=1&y=2", "café"}; !slices.Equal(v.found, want) {
		t.Errorf("found %q, want %q", v.found, want)
	}
	if len(v.skipped) != 3 || len(v.gaps) != 0 || opened.Lost() != "" {
		t.Errorf("skipped %q, gaps %q, lost %q", v.skipped, v.gaps, opened.Lost())
	}
}

func TestAddressesThatAreNoneAreRefused(t *testing.T) {
	c := newClient(t, Config{})
	for _, address := range []string{"http://", "http:///x", "https://user:secret@host/x", "http://[::1", "http://a b/"} {
		if _, err := c.Open(address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func FuzzLocations(f *testing.F) {
	for _, seed := range []string{"<urlset><url><loc>http://h/a</loc></url></urlset>", "<sitemapindex><sitemap><loc>x</loc>", "</a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><urlset>&b;"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		isSitemap(content)
		_ = locations(content, func(_ bool, loc string) error {
			u, err := url.Parse(loc)
			if err == nil && unfit(u) == "" {
				p := pathOf(normal(u))
				if p == "" || filepath.Base(fileName(u, "text/html")) != fileName(u, "text/html") {
					t.Errorf("%q has path %q and file name %q", loc, p, fileName(u, "text/html"))
				}
			}
			return nil
		})
	})
}
