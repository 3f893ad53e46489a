package segment

import (
	"fmt"
	"math"
	"time"
)

// LintConfig says what the linter warns of.
type LintConfig struct {
	// Overlap is the Jaccard index of two segments from which on one of them says little of its own.
	Overlap float64 `yaml:"overlap"`
	// Flaps is how often the people of a segment enter it on average from which on it flaps.
	Flaps float64 `yaml:"flaps"`
	// Removes is the share of changes that a suggested For would have removed.
	Removes float64 `yaml:"removes"`
}

// DefaultLint warns of 90 % overlap and of three entries a person.
func DefaultLint() LintConfig { return LintConfig{Overlap: .9, Flaps: 3, Removes: .8} }

// Validate reports what is wrong with the configuration.
func (c LintConfig) Validate() error {
	switch {
	case !(c.Overlap > 0 && c.Overlap <= 1):
		return fmt.Errorf("overlap: %v; above 0 and up to 1 is possible", c.Overlap)
	case !(c.Flaps > 1):
		return fmt.Errorf("flaps: %v; more than 1 is needed", c.Flaps)
	case !(c.Removes > 0 && c.Removes <= 1):
		return fmt.Errorf("removes: %v; above 0 and up to 1 is possible", c.Removes)
	}
	return nil
}

// Finding is something a set could do better.
type Finding struct {
	Segment string   `json:"segment"`
	Kind    string   `json:"kind"` // overlap, unused, small or flapping
	Says    string   `json:"says"`
	Other   string   `json:"other,omitempty"` // of an overlap
	For     Duration `json:"for,omitempty"`   // of flapping: what to try
}

// Lint looks for mistakes in what a backtest of the set came to. Segments that read others or have a parent
// overlap with them on purpose.
func (s *Set) Lint(b *Backtested, cfg LintConfig) (out []Finding) {
	related := map[[2]string]bool{}
	for i := range s.rules {
		for on := range s.rules[i].reads.segments {
			related[[2]string{s.rules[i].Segment, s.rules[on].Segment}] = true
			related[[2]string{s.rules[on].Segment, s.rules[i].Segment}] = true
		}
	}
	for i := range s.rules {
		r, t := &s.rules[i], &b.Segments[i]
		if t.Ever == 0 {
			out = append(out, Finding{Segment: r.Segment, Kind: "unused", Says: fmt.Sprintf("nobody was in it in %d days", b.Days)})
			continue
		}
		if size := t.Size[b.Days-1]; size < r.MinSize {
			out = append(out, Finding{Segment: r.Segment, Kind: "small", Says: fmt.Sprintf("%d members, %d are wanted", size, r.MinSize)})
		}
		if f, ok := s.flapping(r, t, cfg); ok {
			out = append(out, f)
		}
	}
	for _, o := range b.Overlaps() {
		if o.Jaccard >= cfg.Overlap && !related[[2]string{o.A, o.B}] {
			out = append(out, Finding{Segment: o.A, Kind: "overlap", Other: o.B, Says: fmt.Sprintf("%.0f %% of those in one are in both", 100*o.Jaccard)})
		}
	}
	return out
}

// flapping finds a For that would have removed most re-entries: an absence shorter than it is none,
// and so is a stay.
func (s *Set) flapping(r *rule, t *Backtest, cfg LintConfig) (Finding, bool) {
	entries := 0
	for _, n := range t.Entries {
		entries += n
	}
	rate := float64(entries) / float64(t.Ever)
	if rate < cfg.Flaps {
		return Finding{}, false
	}
	f := Finding{Segment: r.Segment, Kind: "flapping", Says: fmt.Sprintf("people enter it %.1f times in %d days", rate, len(t.Size))}
	of, what := t.Gaps, "absences"
	hold, _ := of.Quantile(cfg.Removes)
	if stay, n := t.Stays.Quantile(cfg.Removes); n > 0 && (stay < hold || hold == 0) {
		hold, of, what = stay, t.Stays, "stays"
	}
	if hold > 0 {
		f.For = Duration(roundUp(hold))
		f.Says += fmt.Sprintf("; for: %v would have ignored %d of %d %s", f.For, of.Upto(timeOf(f.For)), of.Upto(math.MaxInt64), what)
	}
	return f, true
}

// roundUp is d in a length that people write.
func roundUp(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour} {
		if d <= 60*unit || unit == 24*time.Hour {
			return (d + unit - 1) / unit * unit
		}
	}
	return d
}
