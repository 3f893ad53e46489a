package load

import (
	"bytes"
	"strconv"
	"strings"
)

// scraper reads the server's own counters.
type scraper struct {
	client client
	render *renderer
}

// metrics are values by series, such as name{label="x"}, and summed by name over
// all labels. Nil when they could not be read.
type metrics map[string]float64

// read asks for them. A server without them, or a key that may not read them,
// makes a report without them.
func (s *scraper) read() metrics {
	r, err := s.client.do(s.render.get("/metrics"), true)
	if err != nil || r.Status != 200 {
		return nil
	}
	return parseMetrics(r.Body)
}

// parseMetrics reads Prometheus's text format as far as its own client writes it.
func parseMetrics(text []byte) metrics {
	m := metrics{}
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		at := bytes.LastIndexByte(line, ' ')
		if len(line) == 0 || line[0] == '#' || at < 0 {
			continue
		}
		v, err := strconv.ParseFloat(string(line[at+1:]), 64)
		if err != nil {
			continue
		}
		series := string(line[:at])
		m[series] = v
		if name, _, labelled := strings.Cut(series, "{"); labelled {
			m[name] += v
		}
	}
	return m
}

// since is how much a counter grew from before to m; ok is false where either lacks it.
func (m metrics) since(before metrics, series string) (grown float64, ok bool) {
	a, had := before[series]
	b, has := m[series]
	return b - a, has && (had || before != nil && a == 0)
}

// cache adds up the growth of the answer cache's counters: whatever series has
// "cache" in its name and says hit or miss in its name or labels.
func (m metrics) cache(before metrics) (hits, misses float64, ok bool) {
	for series := range m {
		name, labels, labelled := strings.Cut(series, "{")
		if !strings.HasPrefix(name, "kindred_") || !strings.Contains(name, "cache") || strings.HasSuffix(name, "_bucket") {
			continue
		}
		grown, _ := m.since(before, series)
		switch {
		case !labelled && m.labelled(name): // the sum of labelled series, which are counted themselves
		case strings.Contains(name, "hit") || strings.Contains(labels, "hit"):
			hits, ok = hits+grown, true
		case strings.Contains(name, "miss") || strings.Contains(labels, "miss"):
			misses, ok = misses+grown, true
		}
	}
	return hits, misses, ok
}

// labelled reports whether the name has series with labels.
func (m metrics) labelled(name string) bool {
	for series := range m {
		if strings.HasPrefix(series, name+"{") {
			return true
		}
	}
	return false
}
