package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// newHTTPClient returns a client that follows no redirection by itself. Addresses are checked when they are
// dialled: what a name stood for when it was looked up before does not count.
func newHTTPClient(c Config) *http.Client {
	dialer := &net.Dialer{Timeout: 15 * time.Second}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    15 * time.Second,
		ResponseHeaderTimeout:  c.Timeout,
		MaxConnsPerHost:        4,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
	}
	if c.AllowPrivate {
		transport.Proxy = http.ProxyFromEnvironment
	} else {
		// A proxy would look names up by itself, so that none could be checked.
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkPublic(address) }
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// privateError refuses an address that is not of the public internet.
type privateError struct{ address netip.Addr }

func (e privateError) Error() string {
	return fmt.Sprintf("%s is a private address; --allow-private, or ingest.web.allow_private, has it read", e.address)
}

// reserved are ranges that netip has no word for (IANA special-purpose registries): shared, protocol assignments,
// documentation, benchmarks and what is reserved; and those that carry another address inside.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
}

// checkPublic fails for the address of a private network, this machine, a link or a group.
func checkPublic(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().WithZone("").Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return privateError{ip}
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return privateError{ip}
		}
	}
	return nil
}
