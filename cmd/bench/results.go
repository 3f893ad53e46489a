package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Results are the figures of every case that was run, newest run each.
type Results struct {
	Cases map[string]Case `json:"cases"`
}

// Case is one comparison as it was run.
type Case struct {
	Title   string            `json:"title"`
	At      time.Time         `json:"at"`
	Command string            `json:"command"` // that runs it again
	Machine Machine           `json:"machine"`
	Peers   map[string]string `json:"peers,omitempty"` // versions of the libraries that took part
	Rows    []Row             `json:"rows"`
	Notes   []string          `json:"notes,omitempty"`
}

// Row is one figure of a case. Ours, Peer or both are set; Missing says why one is not.
type Row struct {
	What    string  `json:"what"`
	Unit    string  `json:"unit"`
	Ours    *Sample `json:"ours,omitempty"`
	Peer    *Sample `json:"peer,omitempty"`
	Name    string  `json:"name,omitempty"`  // of the peer
	Ratio   *Sample `json:"ratio,omitempty"` // peer/ours, pair by pair; more is better for us
	Bound   *Bound  `json:"bound,omitempty"`
	Missing string  `json:"missing,omitempty"`
}

// Sample sums up the values of several runs.
type Sample struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`  // first quartile
	High   float64 `json:"high"` // third quartile
	N      int     `json:"n"`    // 2 also stands for "several", of figures that were read back from the page
}

// Bound is what the row is held to.
type Bound struct {
	Of       string   `json:"of"`    // ratio, ours, or difference: theirs less ours
	Least    bool     `json:"least"` // the figure must be at least the gate, not at most
	Gate     float64  `json:"gate"`
	Moonshot *float64 `json:"moonshot,omitempty"`
}

// sampleOf sums values up; nil for none.
func sampleOf(values []float64) *Sample {
	if len(values) == 0 {
		return nil
	}
	s := slices.Sorted(slices.Values(values))
	at := func(q float64) float64 { // between the neighbours, as numpy does
		x := q * float64(len(s)-1)
		i := int(x)
		if i+1 >= len(s) {
			return s[len(s)-1]
		}
		return s[i] + (x-float64(i))*(s[i+1]-s[i])
	}
	return &Sample{Median: at(.5), Low: at(.25), High: at(.75), N: len(s)}
}

// ratioOf divides pairs that were measured one after the other.
func ratioOf(peer, ours []float64) *Sample {
	var r []float64
	for i := range min(len(peer), len(ours)) {
		if ours[i] > 0 {
			r = append(r, peer[i]/ours[i])
		}
	}
	return sampleOf(r)
}

// Verdicts of a bound.
const (
	Missed  = "missed"
	Met     = "met"
	Beyond  = "moonshot"
	Unknown = "not measured"
)

// verdict is how the row stands to its bound; "" where it has none.
func (r Row) verdict() string {
	if r.Bound == nil {
		return ""
	}
	s := r.Ours
	switch {
	case r.Bound.Of == "ratio":
		s = r.Ratio
	case r.Bound.Of == "difference" && r.Ours != nil && r.Peer != nil:
		s = &Sample{Median: r.Peer.Median - r.Ours.Median}
	case r.Bound.Of == "difference":
		s = nil
	}
	if s == nil {
		return Unknown
	}
	within := func(bound float64) bool {
		if r.Bound.Least {
			return s.Median >= bound
		}
		return s.Median <= bound
	}
	switch {
	case r.Bound.Moonshot != nil && within(*r.Bound.Moonshot):
		return Beyond
	case within(r.Bound.Gate):
		return Met
	}
	return Missed
}

// atLeast and atMost are bounds; the second number is the moonshot, if any.
func atLeast(of string, gate float64, moonshot ...float64) *Bound {
	b := &Bound{Of: of, Least: true, Gate: gate}
	if len(moonshot) > 0 {
		b.Moonshot = &moonshot[0]
	}
	return b
}

func atMost(of string, gate float64, moonshot ...float64) *Bound {
	b := atLeast(of, gate, moonshot...)
	b.Least = false
	return b
}

// readResults reads them; none yet is no error.
func readResults(file string) (Results, error) {
	r := Results{Cases: map[string]Case{}}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", file, err)
	}
	return r, nil
}

// keep replaces one case in the results, at once, so that a run that is cut off
// keeps what it measured.
func keep(file, name string, c Case) error {
	r, err := readResults(file)
	if err != nil {
		return err
	}
	r.Cases[name] = c
	return r.write(file)
}

// write replaces the file.
func (r Results) write(file string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	next := file + ".new"
	if err := os.WriteFile(next, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(next, file)
}

// names are the cases in the order of the document: by their first word as plan has
// it, then by name with numbers counted.
func (r Results) names(plan []string) []string {
	place := func(name string) int {
		first, _, _ := strings.Cut(name, "/")
		if i := slices.Index(plan, first); i >= 0 {
			return i
		}
		return len(plan)
	}
	return slices.SortedFunc(maps.Keys(r.Cases), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), compareNumbers(a, b))
	})
}

// compareNumbers compares texts with runs of digits taken as numbers.
func compareNumbers(a, b string) int {
	digits := func(s string) int {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		return n
	}
	for a != "" && b != "" {
		i, j := digits(a), digits(b)
		if i > 0 && j > 0 {
			x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[i:], b[j:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}
