package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html/charset"

	"grounded/ingest/source"
)

// Limits on sitemaps. Their protocol (sitemaps.org) allows 50 MB each, and no index in an index.
const (
	maxSitemap  = 64 << 20 // bytes, unpacked
	maxSitemaps = 10_000
	maxNesting  = 3
)

// sitemapAt is one to be gone through.
type sitemapAt struct {
	address *url.URL
	content []byte
	hosts   map[string]bool // without www., that it may list pages of
	depth   int
}

// sitemap reads one, unpacked.
func (c *Client) sitemap(ctx context.Context, u *url.URL) (content []byte, final *url.URL, err error) {
	got, err := c.get(ctx, u, nil)
	if err != nil {
		return nil, nil, err
	}
	defer got.close()
	content, err = readAll(got.Body, maxSitemap)
	if err != nil || !bytes.HasPrefix(content, []byte("\x1f\x8b")) {
		return content, got.url, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(content))
	if err == nil {
		content, err = io.ReadAll(io.LimitReader(unpacked, maxSitemap+1))
	}
	switch {
	case err != nil:
		return nil, nil, source.Errorf(source.Unreachable, "It is not whole: %s.", err)
	case len(content) > maxSitemap:
		return nil, nil, source.Errorf(source.Unreachable, "It unpacks to more than %d MB.", maxSitemap>>20)
	}
	return content, got.url, nil
}

// isSitemap looks at the first element.
func isSitemap(content []byte) bool {
	d := newDecoder(content)
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local == "urlset" || start.Name.Local == "sitemapindex"
		}
	}
}

func newDecoder(content []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = charset.NewReaderLabel
	return d
}

// visit tells of the pages of a sitemap and of those that it is the index of.
func (s *site) visit(ctx context.Context, v source.Visitor, m sitemapAt) error {
	err := locations(m.content, func(isMap bool, loc string) error {
		u, err := m.address.Parse(loc)
		if err != nil {
			v.Skip(loc, "the sitemap has no address there")
			return nil
		}
		if reason := unfit(u); reason != "" {
			v.Skip(loc, reason)
			return nil
		}
		u = normal(u)
		if !m.hosts[bare(u)] {
			v.Skip(u.String(), "the sitemap lists a page of another host")
			return nil
		}
		if isMap {
			return s.descend(ctx, v, m, u)
		}
		if _, twice := s.listed[pathOf(u)]; twice {
			return nil
		}
		s.listed[pathOf(u)] = struct{}{}
		s.pages++
		return v.Found(s.entry(u, false))
	})
	var broken brokenError
	if errors.As(err, &broken) {
		s.lose(v, m.address, broken.Error()+".")
		return nil
	}
	return err
}

// descend goes through a sitemap that an index names.
func (s *site) descend(ctx context.Context, v source.Visitor, m sitemapAt, u *url.URL) error {
	if _, twice := s.seen[u.String()]; twice {
		return nil
	}
	s.seen[u.String()] = struct{}{}
	switch {
	case m.depth == maxNesting:
		s.lose(v, u, fmt.Sprintf("Sitemaps name each other more than %d deep.", maxNesting))
		return nil
	case len(s.seen) > maxSitemaps:
		s.lose(v, u, fmt.Sprintf("There are more than %d sitemaps.", maxSitemaps))
		return nil
	}
	content, _, err := s.client.sitemap(ctx, u)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		s.lose(v, u, err.Error())
		return nil
	case !isSitemap(content):
		s.lose(v, u, "It is no sitemap.")
		return nil
	}
	return s.visit(ctx, v, sitemapAt{u, content, m.hosts, m.depth + 1})
}

// lose reports a sitemap whose pages are not all known.
func (s *site) lose(v source.Visitor, u *url.URL, reason string) {
	v.Gap(u.String(), "Not all that the sitemap lists is known: "+reason+" What is stored of it stays.")
	if s.lost == "" {
		s.lost = fmt.Sprintf("not all that the sitemap %s lists is known.", u)
	}
}

// brokenError says where XML ends to be XML.
type brokenError struct{ error }

// locations passes on each address of a sitemap (isMap false) or of an index of sitemaps.
func locations(content []byte, visit func(isMap bool, loc string) error) error {
	d := newDecoder(content)
	var open []string
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return brokenError{fmt.Errorf("it breaks off or is no XML: %w", err)}
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
			text.Reset()
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			at := strings.Join(open, "/")
			open = open[:len(open)-1]
			if at != "urlset/url/loc" && at != "sitemapindex/sitemap/loc" {
				continue
			}
			if loc := strings.TrimSpace(text.String()); loc != "" {
				if err := visit(at == "sitemapindex/sitemap/loc", loc); err != nil {
					return err
				}
			}
		}
	}
}
