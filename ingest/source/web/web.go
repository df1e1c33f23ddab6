// Package web reads pages of the web and the sitemaps that list them as sources of documents. It does what
// robots.txt says, never reaches into private networks unless that is allowed, and asks for a page again only
// with the ETag and date that it had, so that an unchanged one is not sent.
package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"grounded/corpus"
	"grounded/ingest/source"
)

// Config of a Client. Zero values are the defaults.
type Config struct {
	UserAgent    string        // default "grounded"; what stands before the first slash is looked up in robots.txt
	AllowPrivate bool          // addresses of private networks and of this machine are read too, and proxies used
	Timeout      time.Duration // of one request with its answer; default 2 minutes
	MaxBytes     int64         // of one page; default 512 MiB
	Backoff      time.Duration // before the second try, doubled before each other; default 1 second
}

// Client opens sources. It is safe for concurrent use.
type Client struct {
	config Config
	http   *http.Client

	mu    sync.Mutex
	hosts map[string]*host
}

// New returns a client.
func New(c Config) (*Client, error) {
	if c.Timeout < 0 || c.MaxBytes < 0 || c.Backoff < 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "set up reading the web: a limit is negative")
	}
	if c.UserAgent == "" {
		c.UserAgent = "grounded"
	}
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Minute
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 512 << 20
	}
	if c.Backoff == 0 {
		c.Backoff = time.Second
	}
	return &Client{config: c, http: newHTTPClient(c), hosts: map[string]*host{}}, nil
}

// Open returns the source of a page or sitemap. Nothing is read yet.
func (c *Client) Open(address string) (source.Source, error) {
	u, err := parsed(address)
	if err != nil {
		return nil, err
	}
	return &site{client: c, address: u, listed: map[string]struct{}{}}, nil
}

// Page returns the entry of one address, which is a page also when it could be a sitemap. Nothing is read yet.
func (c *Client) Page(address string) (source.Entry, error) {
	u, err := parsed(address)
	if err != nil {
		return source.Entry{}, err
	}
	return (&site{client: c, address: u}).entry(u, true), nil
}

// Address returns the one form of an address, or corpus.ErrInvalid when a client would not read it.
func Address(address string) (string, error) {
	u, err := parsed(address)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

func parsed(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "%q is no address: %w", address, err)
	}
	if reason := unfit(u); reason != "" {
		return nil, corpus.Errorf(corpus.ErrInvalid, "ingest %s: %s", u.Redacted(), reason)
	}
	return normal(u), nil
}

// unfit says why an address can't be read, in words that end a sentence; "" if it can.
func unfit(u *url.URL) string {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "only http, https and s3 are read"
	case u.Hostname() == "":
		return "it has no host"
	case u.User != nil:
		return "it has a password in it, and pages behind one are not read"
	}
	return ""
}

// normal is the one form of an address: no fragment, no port that goes without saying, the host in lower case.
func normal(u *url.URL) *url.URL {
	n := *u
	n.Fragment, n.RawFragment, n.User = "", "", nil
	n.Host = strings.ToLower(n.Host)
	if n.Scheme == "http" {
		n.Host = strings.TrimSuffix(n.Host, ":80")
	} else {
		n.Host = strings.TrimSuffix(n.Host, ":443")
	}
	if n.Path == "" {
		n.Path = "/"
	}
	return &n
}

// pathOf is an address's path in its source: as people write it, "/" for the start page.
func pathOf(u *url.URL) string {
	p := u.Path
	if u.RawPath != "" || strings.ContainsAny(p, "?#\x00\n\r") {
		p = u.EscapedPath()
	}
	if p = strings.TrimPrefix(p, "/"); p == "" {
		p = "/"
	}
	if u.RawQuery != "" {
		p += "?" + u.RawQuery
	}
	return p
}

// site is what one address gives: a page, or all that a sitemap lists.
type site struct {
	client  *Client
	address *url.URL

	pages  int
	lost   string
	listed map[string]struct{} // paths
	seen   map[string]struct{} // sitemaps
	asMap  bool                // the address is a sitemap's
}

var _ source.Source = (*site)(nil)

// Name implements source.Source: the host.
func (s *site) Name() string { return s.address.Host }

// Root implements source.Source. Whether a page is sent in the clear makes no other source of it.
func (s *site) Root() string { return "https://" + s.address.Host }

// Path implements source.Source.
func (s *site) Path() string {
	if mayBeSitemap(s.address) {
		return ""
	}
	return pathOf(s.address)
}

// List implements source.Source.
func (s *site) List(ctx context.Context, v source.Visitor) error {
	if !mayBeSitemap(s.address) {
		return v.Found(s.entry(s.address, true))
	}
	s.seen = map[string]struct{}{s.address.String(): {}}
	content, final, err := s.client.sitemap(ctx, s.address)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return listError(s.address, err)
	}
	if !isSitemap(content) {
		return v.Found(s.entry(s.address, true))
	}
	s.asMap = true
	return s.visit(ctx, v, sitemapAt{s.address, content, hosts(s.address, final), 0})
}

// Lost implements source.Source.
func (s *site) Lost() string {
	if s.asMap && s.lost == "" && s.pages == 0 {
		return "the sitemap lists no pages."
	}
	return s.lost
}

// Gone implements source.Source: a page is gone when the sitemap that listed it does not list it any more.
func (s *site) Gone(_, listing string) bool { return s.asMap && listing == s.listing() }

func (s *site) listing() string {
	if !s.asMap {
		return ""
	}
	return s.address.String()
}

// listError gives the error of a list the kind that it has.
func listError(u *url.URL, err error) error {
	switch code := codeOf(err); code {
	case source.Gone:
		return corpus.Errorf(corpus.ErrNotFound, "read %s: %w", u, err)
	case source.Forbidden:
		return corpus.Errorf(corpus.ErrForbidden, "read %s: %w", u, err)
	case "":
		return fmt.Errorf("read %s: %w", u, err)
	}
	return corpus.Errorf(corpus.ErrUnavailable, "read %s: %w", u, err)
}

// hosts are those that a sitemap may list pages of: its own, before and after redirections, with and without www.
func hosts(urls ...*url.URL) map[string]bool {
	own := map[string]bool{}
	for _, u := range urls {
		own[bare(u)] = true
	}
	return own
}

func bare(u *url.URL) string { return strings.TrimPrefix(u.Host, "www.") }

// mayBeSitemap reports whether it is worth looking, going by the name.
func mayBeSitemap(u *url.URL) bool {
	name := strings.ToLower(path.Base(u.Path))
	return strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".xml.gz") || strings.Contains(name, "sitemap")
}
