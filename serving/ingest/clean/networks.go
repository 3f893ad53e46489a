package clean

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"
)

// maxNetworks bounds a list of networks.
const maxNetworks = 1_000_000

// networks is a set of addresses as sorted ranges that do not touch.
type networks []ipRange

type ipRange struct{ first, last netip.Addr }

// parseNetworks reads a list of address ranges in CIDR notation or of addresses, one at the
// beginning of each line; what follows a space, comma or semicolon is a remark, as is a line that begins with #.
func parseNetworks(b []byte) (networks, error) {
	var n networks
	for i, line := range strings.Split(string(b), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if len(n) == maxNetworks {
			return nil, fmt.Errorf("more than %d networks", maxNetworks)
		}
		if end := strings.IndexAny(line, " \t,;"); end >= 0 {
			line = line[:end]
		}
		p, err := netip.ParsePrefix(line)
		if err != nil {
			a, bad := netip.ParseAddr(line)
			if bad != nil {
				return nil, fmt.Errorf("line %d: %.60q is no network; write one such as 203.0.113.0/24", i+1, line)
			}
			p = netip.PrefixFrom(a.WithZone(""), a.BitLen())
		}
		n = append(n, ipRange{p.Masked().Addr(), lastOf(p)})
	}
	sort.Slice(n, func(i, j int) bool { return n[i].first.Less(n[j].first) })
	merged := n[:0]
	for _, r := range n {
		if k := len(merged) - 1; k >= 0 && r.first.BitLen() == merged[k].last.BitLen() && !merged[k].last.Less(r.first) {
			if merged[k].last.Less(r.last) {
				merged[k].last = r.last
			}
			continue
		}
		merged = append(merged, r)
	}
	return merged, nil
}

// lastOf is the highest address of the network.
func lastOf(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr().As16()
	from := p.Bits()
	if p.Addr().Is4() {
		from += 96
	}
	for bit := from; bit < 128; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	if last := netip.AddrFrom16(a); p.Addr().Is4() {
		return last.Unmap()
	} else {
		return last
	}
}

func (n networks) contains(a netip.Addr) bool {
	i := sort.Search(len(n), func(i int) bool { return a.Less(n[i].first) }) - 1
	return i >= 0 && !n[i].last.Less(a) && n[i].first.BitLen() == a.BitLen()
}
