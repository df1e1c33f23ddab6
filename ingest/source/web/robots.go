package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/temoto/robotstxt"

	"grounded/ingest/source"
)

const (
	// maxRobots bounds robots.txt, in bytes (RFC 9309, 2.5, asks for at least 500 KiB).
	maxRobots = 512 << 10
	// longestDelay between requests that a robots.txt may ask for; a longer one would stop the run rather than slow it.
	longestDelay = 30 * time.Second
)

// host is what is known of a server: what it allows, and when it may be asked next.
type host struct {
	client *Client
	robots *url.URL

	once sync.Mutex
	read bool
	err  error
	// group has the rules for us; nil allows everything.
	group *robotstxt.Group

	mu       sync.Mutex
	next     time.Time
	silences int // connections that failed one after another
}

func (c *Client) host(u *url.URL) *host {
	key := u.Scheme + "://" + u.Host
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[key]
	if h == nil {
		h = &host{client: c, robots: &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}}
		c.hosts[key] = h
	}
	return h
}

// allows fails when the server's robots.txt keeps us from an address, or can't be read: then nothing is allowed
// (RFC 9309, 2.3.1.4). Without a robots.txt everything is.
func (h *host) allows(ctx context.Context, u *url.URL) error {
	h.once.Lock()
	if !h.read {
		h.group, h.err = h.client.readRobots(ctx, h.robots)
		h.read = ctx.Err() == nil
	}
	group, err := h.group, h.err
	h.once.Unlock()
	if err != nil {
		return err
	}
	if group != nil && !group.Test(u.RequestURI()) {
		return source.Errorf(source.Forbidden, "The robots.txt of %s forbids it.", u.Host)
	}
	return nil
}

func (c *Client) readRobots(ctx context.Context, u *url.URL) (*robotstxt.Group, error) {
	name, _, _ := strings.Cut(c.config.UserAgent, "/")
	for redirects := 0; redirects <= 5; redirects++ {
		got, err := c.try(ctx, u, nil)
		if err != nil {
			if codeOf(err) == source.Unreachable {
				err = source.Errorf(source.Unreachable, "Whether it may be read is not known, since %s can't be: %s", u, err)
			}
			return nil, err
		}
		to, err := got.redirection()
		if to != nil && err == nil {
			got.close()
			u = to
			continue
		}
		if got.StatusCode != http.StatusOK {
			got.close()
			return nil, nil
		}
		data, err := io.ReadAll(io.LimitReader(got.Body, maxRobots))
		got.close()
		if err != nil {
			return nil, source.Errorf(source.Unreachable, "Whether it may be read is not known, since %s broke off.", u)
		}
		rules, err := robotstxt.FromStatusAndBytes(http.StatusOK, data)
		if err != nil {
			return nil, source.Errorf(source.Unreachable, "Whether it may be read is not known, since %s is not understood: %s.", u, err)
		}
		return rules.FindGroup(name), nil
	}
	return nil, nil // so many redirections count as no robots.txt (RFC 9309, 2.3.1.2)
}

// wait returns when the server's Crawl-delay is over.
func (h *host) wait(ctx context.Context) error {
	h.once.Lock()
	group := h.group
	h.once.Unlock()
	if group == nil || group.CrawlDelay <= 0 {
		return ctx.Err()
	}
	h.mu.Lock()
	at := time.Now()
	if h.next.After(at) {
		at = h.next
	}
	h.next = at.Add(min(group.CrawlDelay, longestDelay))
	h.mu.Unlock()
	return sleep(ctx, time.Until(at))
}
