package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// goBench is Go benchmarks that have rows in the document.
type goBench struct {
	name, title string
	pkg, bench  string
	args        []string
	count       int // how often each is run
	rows        func(results []goResult) []Row
}

// goResult is one benchmark with the values of its runs, by unit.
type goResult struct {
	name   string // without Benchmark and the number of processors
	values map[string][]float64
}

// goBenches are those. The figures of the first come from this repository's fold on its own data.
func goBenches(quick bool) []caseRun {
	count, short := 5, []string(nil)
	if quick {
		count, short = 1, []string{"-short"}
	}
	all := []goBench{
		{
			name: "gobench/events", title: "the event path in process, one core: decode, dedup, profile, and with clusters the nearest centroid",
			pkg: "./features", bench: "^BenchmarkEventPath$", args: append(short, "-benchtime=200000x", "-cpu=1"), count: count, rows: eventRows,
		},
		{
			name: "gobench/freshness", title: "event accepted to changed recommendations in process, 100 k items × 64, with and without other requests for half of the time",
			pkg: "./cmd/kindred", bench: "^BenchmarkFreshnessInProcess$", args: append(short, "-benchtime=500x"), count: count, rows: freshRows,
		},
	}
	var runs []caseRun
	for _, g := range all {
		runs = append(runs, caseRun{name: g.name, title: g.title, run: g.run})
	}
	return runs
}

// runGoBench runs them.
func runGoBench(ctx context.Context, args []string, out io.Writer) error {
	b := &bench{}
	if err := b.start(ctx, b.flags("bench gobench"), args, out); err != nil {
		return err
	}
	return b.all(goBenches(b.quick), "bench-peers")
}

func (g goBench) run(b *bench, c *Case) error {
	args := append([]string{"test", "-run", "^$", "-bench", g.bench, "-benchmem", "-count", strconv.Itoa(g.count)}, append(g.args, g.pkg)...)
	c.Notes = append(c.Notes, "go "+strings.Join(args, " "))
	out, err := exec.CommandContext(b.ctx, "go", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, out)
	}
	results := parseGoBench(string(out))
	if len(results) == 0 {
		return fmt.Errorf("%s has no benchmark %s", g.pkg, g.bench)
	}
	c.Rows = g.rows(results)
	return nil
}

// parseGoBench reads what go test -bench prints, in order of first appearance.
func parseGoBench(text string) (results []goResult) {
	at := map[string]int{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(f[0], "Benchmark")
		if i := strings.LastIndex(name, "-"); i > 0 {
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i]
			}
		}
		i, ok := at[name]
		if !ok {
			i = len(results)
			at[name] = i
			results = append(results, goResult{name, map[string][]float64{}})
		}
		for j := 2; j+1 < len(f); j += 2 {
			if v, err := strconv.ParseFloat(f[j], 64); err == nil {
				results[i].values[f[j+1]] = append(results[i].values[f[j+1]], v)
			}
		}
	}
	return results
}

// eventRows are the event path's.
func eventRows(results []goResult) (rows []Row) {
	for _, r := range results {
		_, name, _ := strings.Cut(r.name, "/")
		var rate []float64
		for _, ns := range r.values["cpu-ns/op"] {
			rate = append(rate, 1000/ns) // millions a CPU second
		}
		rows = append(rows, Row{What: name + ": million events a CPU second", Unit: "M/s", Ours: sampleOf(rate), Bound: atLeast("ours", .8, 1.6)},
			Row{What: name + ": allocations an event", Ours: sampleOf(r.values["allocs/op"]), Bound: atMost("ours", 0)})
		if size := sampleOf(r.values["B/person"]); size != nil {
			rows = append(rows, Row{What: name + ": bytes a person", Unit: "B", Ours: size, Bound: atMost("ours", 640)})
		}
	}
	return rows
}

// freshRows are those of BenchmarkFreshnessInProcess.
func freshRows(results []goResult) (rows []Row) {
	for _, r := range results {
		_, name, _ := strings.Cut(r.name, "/")
		rows = append(rows,
			Row{What: name + ": accepted to changed list, p50", Unit: "ms", Ours: sampleOf(r.values["p50-ms"])},
			Row{What: name + ": accepted to changed list, p99", Unit: "ms", Ours: sampleOf(r.values["p99-ms"]), Bound: atMost("ours", 2, .5)},
			Row{What: name + ": answers that were stale", Ours: sampleOf(r.values["stale"])})
	}
	return rows
}
