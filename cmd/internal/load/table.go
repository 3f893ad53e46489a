package load

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable prints the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	loop := fmt.Sprintf("closed loop of %d clients", r.Clients)
	if r.Mode == "open" {
		loop = fmt.Sprintf("open loop at %.0f a second over at most %d connections", r.Rate, r.Clients)
	}
	fmt.Fprintf(w, "%s, %s, %.1f s, seed %d, run %s\n", r.Target, loop, r.Seconds, r.Seed, r.Run)
	if r.Interrupted {
		fmt.Fprintln(w, "INTERRUPTED: this is what was measured until then")
	}
	if p := r.Prefill; p != nil {
		fmt.Fprintf(w, "before: %d calls in %.1f s (%.0f a second), folded after %.1f s, quiet after %.1f s\n", p.Calls, p.Seconds, float64(p.Calls)/max(p.Seconds, 1e-9), p.FoldedSeconds, p.QuietSeconds)
		if !p.Quiet {
			fmt.Fprintf(w, "NOT QUIET: %v after the fold the server was still busy with something else, which is in the figures\n", quietLimit)
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\n\tper second\tdone\tfailed\tunsent\tretries\tmean ms\tp50\tp90\tp99\tp99.9\tmax\t\n")
	row := func(q Quantiles) {
		fmt.Fprintf(t, "%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t\n", q.Mean, q.P50, q.P90, q.P99, q.P999, q.Max)
	}
	for _, k := range r.Kinds {
		fmt.Fprintf(t, "%s\t%.0f\t%d\t%d\t%d\t%d\t", k.Kind, k.PerSecond, k.Done, k.Failed, k.Unsent, k.Retries)
		row(k.Latency)
		if r.Mode == "open" {
			fmt.Fprint(t, "since sent\t\t\t\t\t\t")
			row(k.Service)
		}
	}
	if f := r.Freshness; f != nil {
		fmt.Fprintf(t, "acknowledged to changed\t\t%d\t%d\t\t\t", f.Changed.Count, f.Missed)
		row(f.Changed)
		fmt.Fprint(t, "sent to changed\t\t\t\t\t\t")
		row(f.Posted)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, k := range r.Kinds {
		fmt.Fprintf(w, "%s: %s\n", k.Kind, k.answers())
	}
	if f := r.Freshness; f != nil {
		fmt.Fprintf(w, "probes: %d lists lost the item that was viewed, %d did not within %v, %d were empty from the start; %.2f requests until the change\n",
			f.Changed.Count, f.Missed, probeLimit, f.Empty, float64(f.Polls)/float64(max(f.Changed.Count, 1)))
	}
	if e := r.Events; e.EverAcked > 0 || e.Throttled > 0 {
		fmt.Fprintf(w, "events: %d acknowledged (%.0f a second), %d with everything before", e.Acknowledged, e.PerSecond, e.EverAcked)
		if e.Taken != nil {
			fmt.Fprintf(w, "; the server says %d", *e.Taken)
		}
		fmt.Fprintf(w, "; throttled %d times, %.0f s of waiting\n", e.Throttled, e.Waited)
	}
	r.writeCost(w)
	return nil
}

// answers are the counts by status and error.
func (k KindReport) answers() string {
	var parts []string
	for _, status := range sorted(k.Statuses) {
		parts = append(parts, fmt.Sprintf("%d × %s", k.Statuses[status], status))
	}
	for _, reason := range sorted(k.Errors) {
		parts = append(parts, fmt.Sprintf("%d × %s", k.Errors[reason], reason))
	}
	if len(parts) == 0 {
		return "no answers"
	}
	return strings.Join(parts, ", ")
}

// writeCost prints what both sides used.
func (r *Report) writeCost(w io.Writer) {
	g := r.Generator
	fmt.Fprintf(w, "generator: %.1f CPU seconds, %.1f µs an operation", g.CPUSeconds, g.CPUEach)
	if g.Pacing.Count > 0 {
		fmt.Fprintf(w, "; it noticed the moments %.3f ms late at p50, %.3f at p99", g.Pacing.P50, g.Pacing.P99)
	}
	fmt.Fprintln(w)
	s := r.Server
	if s == nil {
		fmt.Fprintln(w, "server: /metrics could not be read")
		return
	}
	fmt.Fprintf(w, "server: %.1f CPU seconds, %.1f µs an operation, %.0f MB, %.0f records to fold at the end, %.0f impressions dropped\n",
		s.CPUSeconds, s.CPUEach, s.MemoryBytes/(1<<20), s.LagRecords, s.Dropped)
	if len(s.Outcomes) > 0 {
		var parts []string
		for _, name := range sorted(s.Outcomes) {
			parts = append(parts, fmt.Sprintf("%.0f %s", s.Outcomes[name], name))
		}
		fmt.Fprintf(w, "folded: %s\n", strings.Join(parts, ", "))
	}
	if !r.asked() {
		return
	}
	fmt.Fprintf(w, "answers: %d stale, %d cold (not from the person's own taste), %d about people of whom the server knows nothing\n", s.Stale, s.Cold, s.Unknown)
	if s.CacheShare != nil {
		fmt.Fprintf(w, "answer cache: %.0f hits, %.0f misses, %.1f %%\n", *s.CacheHits, *s.CacheMisses, 100**s.CacheShare)
	} else {
		fmt.Fprintln(w, "answer cache: the server has no counters of one")
	}
}

// asked reports whether recommendations were asked for.
func (r *Report) asked() bool {
	for _, k := range r.Kinds {
		if k.Kind == Recommend.String() || k.Kind == Freshness.String() {
			return true
		}
	}
	return false
}
