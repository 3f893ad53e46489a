package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// resolve gives the one address to dial and the Host to send. Every address that
// the name has must be loopback, unless allowRemote; resolving once keeps a name
// from meaning something else later.
func resolve(ctx context.Context, addr string, allowRemote bool) (dial, host string, err error) {
	if rest, ok := strings.CutPrefix(addr, "https://"); ok {
		return "", "", fmt.Errorf("addr %q: only http is spoken; use http://%s on the server's side of the proxy", addr, rest)
	}
	host = strings.TrimSuffix(strings.TrimPrefix(addr, "http://"), "/")
	name, port, err := net.SplitHostPort(host)
	if err != nil || port == "" || strings.ContainsAny(host, "/ \r\n@") {
		return "", "", fmt.Errorf("addr %q: write HOST:PORT, for example 127.0.0.1:8080", addr)
	}
	if name == "" {
		name = "127.0.0.1"
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return "", "", fmt.Errorf("addr %q: %w", addr, err)
	}
	pick := netip.Addr{}
	for _, ip := range found {
		ip = ip.Unmap()
		if !ip.IsLoopback() && !allowRemote {
			return "", "", fmt.Errorf("addr %q is %s, which is another machine's; load is sent to loopback only, unless --allow-remote says that the server is yours to load", addr, ip)
		}
		if !pick.IsValid() || ip.Is4() && !pick.Is4() {
			pick = ip
		}
	}
	if !pick.IsValid() {
		return "", "", fmt.Errorf("addr %q: the name has no address", addr)
	}
	return net.JoinHostPort(pick.String(), port), host, nil
}
