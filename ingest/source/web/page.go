package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/transform"

	"grounded/ingest/parse"
	"grounded/ingest/source"
)

// entry is a page that is fetched when there is time for it.
func (s *site) entry(u *url.URL, named bool) source.Entry {
	listing := s.listing()
	return source.Entry{Path: pathOf(u), URI: u.String(), Named: named,
		Fetch: func(ctx context.Context, folder, revision string) (source.Fetched, error) {
			fetched, err := s.client.page(ctx, u, folder, revision)
			fetched.Listing = listing
			return fetched, err
		}}
}

// page fetches one into a folder, unless it has the revision still.
func (c *Client) page(ctx context.Context, u *url.URL, folder, revision string) (source.Fetched, error) {
	got, err := c.get(ctx, u, conditions(revision))
	if err != nil {
		return source.Fetched{}, err
	}
	defer got.close()
	if got.StatusCode == http.StatusNotModified {
		if revision == "" {
			return source.Fetched{}, source.Errorf(source.Unreachable, "The server says that it has not changed, but was not asked.")
		}
		return source.Fetched{Revision: revision}, nil
	}
	if got.ContentLength > c.config.MaxBytes {
		return source.Fetched{}, source.TooLarge(c.config.MaxBytes)
	}
	kind, parameters, _ := mime.ParseMediaType(got.Header.Get("Content-Type"))
	name := fileName(got.url, kind)
	if source.IsMedia(kind) && !parse.HasKnownExtension(name) {
		return source.Fetched{}, source.Errorf(parse.UnsupportedFormat, "no parser for %s", kind)
	}
	file := filepath.Join(folder, name)
	if err := source.Save(ctx, file, decoded(got.Body, kind, parameters["charset"]), c.config.MaxBytes); err != nil {
		return source.Fetched{}, err
	}
	if at, err := http.ParseTime(got.Header.Get("Last-Modified")); err == nil {
		if err := os.Chtimes(file, time.Time{}, at); err != nil {
			return source.Fetched{}, fmt.Errorf("keep what was fetched: %w", err)
		}
	}
	return source.Fetched{File: file, Revision: revisionOf(got.Header)}, nil
}

// revisionOf is a page's ETag and date with a tab between, which neither can have; empty if it has neither.
func revisionOf(h http.Header) string {
	etag, date := h.Get("ETag"), h.Get("Last-Modified")
	if etag == "" && date == "" {
		return ""
	}
	return etag + "\t" + date
}

// conditions ask for a page if it has another revision by now.
func conditions(revision string) http.Header {
	h := http.Header{}
	etag, date, _ := strings.Cut(revision, "\t")
	if etag != "" {
		h.Set("If-None-Match", etag)
	}
	if date != "" {
		h.Set("If-Modified-Since", date)
	}
	return h
}

// decoded gives text in UTF-8, with a byte order mark that says so, if the server names another charset: that
// counts more than what the text says of itself (RFC 9110, 8.3; HTML, 13.2.3).
func decoded(body io.Reader, kind, name string) io.Reader {
	if name == "" || !strings.HasPrefix(kind, "text/") && kind != "application/xhtml+xml" {
		return body
	}
	encoding, canonical := charset.Lookup(name)
	if encoding == nil || canonical == "utf-8" || strings.HasPrefix(canonical, "utf-16") || canonical == "replacement" {
		return body
	}
	return io.MultiReader(bytes.NewReader([]byte("\xef\xbb\xbf")), transform.NewReader(body, encoding.NewDecoder()))
}

// fileName ends with an extension that fits what the server says that a page is.
func fileName(u *url.URL, kind string) string {
	name := source.FileName(strings.TrimSuffix(u.Path, "/"))
	if name == "_" {
		name = "index"
	}
	switch kind {
	case "", "application/octet-stream":
		return name
	case "text/plain", "text/markdown":
		if path.Ext(name) == "" {
			name += map[string]string{"text/plain": ".txt", "text/markdown": ".md"}[kind]
		}
		return name
	}
	known := mimetype.Lookup(kind)
	if known == nil || known.Extension() == "" || strings.EqualFold(path.Ext(name), known.Extension()) {
		return name
	}
	if by := mime.TypeByExtension(path.Ext(name)); by != "" {
		if own, _, _ := mime.ParseMediaType(by); known.Is(own) {
			return name
		}
	}
	return name + known.Extension()
}
