package poll

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// checkURL is the objection to fetching u, if there is one.
func (c Config) checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("use https")
	case u.Hostname() == "":
		return errors.New("use an address with a host")
	case u.User != nil:
		return errors.New("put no password into the address; use secret_headers")
	case u.Scheme == "http" && !c.AllowHTTP && !isLoopback(u.Hostname()):
		return errors.New("use https, or allow_http")
	}
	return nil
}

// checkNext is the objection to going from one address of a list to another: everything
// but the path and the query stays.
func (c Config) checkNext(u *url.URL) error {
	first, err := url.Parse(c.expand("", ""))
	if err != nil {
		return err
	}
	if u.Scheme != first.Scheme || !strings.EqualFold(u.Host, first.Host) {
		return fmt.Errorf("it leads to %s://%s; only %s://%s is fetched", u.Scheme, u.Host, first.Scheme, first.Host)
	}
	return c.checkURL(u)
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// special are the networks that are not the public internet and that netip has no
// word for: this network, carrier NAT, protocol assignments, documentation, benchmarks,
// reserved, and IPv6 addresses that hold IPv4 ones.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
}

// isPublic reports whether a is an address of the public internet.
func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// mayConnect reports whether the connector may connect to a.
func (c Config) mayConnect(a netip.Addr) bool {
	a = a.Unmap()
	if isPublic(a) {
		return true
	}
	for _, n := range c.AllowPrivate {
		if p, err := netip.ParsePrefix(n); err == nil && p.Contains(a.WithZone("")) {
			return true
		}
	}
	first, err := url.Parse(c.expand("", ""))
	return err == nil && a.IsLoopback() && isLoopback(first.Hostname())
}

// Client is an HTTP client that connects only where cfg allows, judged by the address
// that it connects to, after the name is resolved. It uses no proxy, which would
// resolve names itself.
func Client(cfg Config) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("connect to %s: %w", address, err)
		}
		if !cfg.mayConnect(to.Addr()) {
			return fmt.Errorf("connect to %s: not a public address; allow_private can allow it", to.Addr())
		}
		return nil
	}}
	return &http.Client{Transport: &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}}
}

// maxRedirects is how many redirects on the same host are followed.
const maxRedirects = 5

// bounded is client with the rules for redirects.
func (c Config) bounded(client *http.Client) *http.Client {
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if err := c.checkNext(to.URL); err != nil {
			return fmt.Errorf("redirect: %w", err)
		}
		return nil
	}
	return &own
}
