package clean

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/oschwald/maxminddb-golang/v2"

	"kindred/features/expr/rawjson"
)

// geography finds places in an MMDB file of countries or cities. The file is held in
// memory: a mapped one would end the process when it is overwritten in place.
type geography struct {
	db    *maxminddb.Reader
	mu    sync.RWMutex
	known map[uintptr][]byte // by record: the fields of context.geo without braces
}

// maxPlaces bounds the records that are remembered; cities of the world are fewer.
const maxPlaces = 1 << 18

// newGeography reads the bytes of an MMDB file.
func newGeography(b []byte) (*geography, error) {
	db, err := maxminddb.OpenBytes(b)
	if err != nil {
		return nil, fmt.Errorf("not an MMDB file: %w", err)
	}
	return &geography{db: db, known: map[uintptr][]byte{}}, nil
}

// record is what is read of a place; names as GeoLite2, GeoIP2 and DB-IP files have them.
type record struct {
	Country struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Subdivisions []struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"subdivisions"`
	City struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Zone string `maxminddb:"time_zone"`
	} `maxminddb:"location"`
	Continent struct {
		Code string `maxminddb:"code"`
	} `maxminddb:"continent"`
}

// find is the fields of context.geo for an address, without braces, or nothing.
func (g *geography) find(addr netip.Addr) []byte {
	if g == nil || !addr.IsValid() {
		return nil
	}
	r := g.db.Lookup(addr)
	if r.Err() != nil || !r.Found() {
		return nil
	}
	g.mu.RLock()
	fields, ok := g.known[r.Offset()]
	g.mu.RUnlock()
	if ok {
		return fields
	}
	var rec record
	if r.Decode(&rec) != nil {
		return nil
	}
	region := ""
	if len(rec.Subdivisions) > 0 {
		region = rec.Subdivisions[0].Code
	}
	for _, f := range [...][2]string{{"continent", rec.Continent.Code}, {"country", rec.Country.Code}, {"region", region}, {"city", rec.City.Names["en"]}, {"tz", rec.Location.Zone}} {
		if f[1] == "" {
			continue
		}
		if len(fields) > 0 {
			fields = append(fields, ',')
		}
		fields = append(rawjson.AppendText(fields, f[0]), ':')
		fields = rawjson.AppendText(fields, clip(f[1], 100))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.known) >= maxPlaces {
		clear(g.known)
	}
	g.known[r.Offset()] = fields
	return fields
}

// address reads an address as clients write it, with its zone and IPv4-mapping taken off.
func address(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// appendIP appends the value that context.ip gets, or nothing where it is to have none.
func appendIP(dst []byte, addr netip.Addr, keep string) []byte {
	if !addr.IsValid() || keep == IPNone {
		return dst
	}
	dst = append(dst, '"')
	if keep == IPFull {
		dst = addr.AppendTo(dst)
	} else {
		bits := 24
		if !addr.Is4() {
			bits = 48
		}
		p, _ := addr.Prefix(bits) // never more bits than the address has
		dst = p.AppendTo(dst)
	}
	return append(dst, '"')
}

// Keep is as much of an address as events keep with that setting of Config.IP: the address,
// its network, or "".
func Keep(addr netip.Addr, keep string) string {
	return strings.Trim(string(appendIP(nil, addr, keep)), `"`)
}

// truncated is the address of a context.ip that has been shortened before, such as by
// another Kindred in front of this one.
func truncated(ip []byte) bool { return bytes.IndexByte(ip, '/') >= 0 }
