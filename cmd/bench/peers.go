package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

var errNoDatasets = errors.New("no directory of data sets was given: run make bench-peers DATASETS=DIR, where DIR holds ml-1m")

// bench is a run of cases.
type bench struct {
	ctx      context.Context
	work     string // directory of data
	results  string // file of the results
	datasets string
	python   string // interpreter with the peers, or ""
	script   string // peers.py
	only     []string
	quick    bool // small sizes, to see that everything runs
	repeats  int
	out      io.Writer
	version  string
	peers    map[string]string
}

// caseRun is one case and how to run it.
type caseRun struct {
	name  string
	title string
	run   func(b *bench, c *Case) error
}

// flags are what all runs of cases understand.
func (b *bench) flags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.StringVar(&b.work, "work", "build/bench", "directory of data")
	fs.StringVar(&b.results, "results", "docs/benchmarks.json", "file of the results, a case each; with -quick it is in the work directory")
	fs.StringVar(&b.datasets, "datasets", "", "directory that holds ml-1m")
	fs.StringVar(&b.python, "python", "", "Python with the peers; empty measures our side only")
	fs.StringVar(&b.script, "script", "deploy/bench/peers.py", "the peers' side")
	fs.Func("only", "run only these cases, by comma; a name may end in *", func(s string) error {
		b.only = append(b.only, strings.Split(s, ",")...)
		return nil
	})
	fs.BoolVar(&b.quick, "quick", false, "small sizes and few repetitions, to see that everything runs; the figures mean nothing")
	fs.IntVar(&b.repeats, "repeats", 7, "how often each side is asked")
	return fs
}

// wants reports whether the case was asked for.
func (b *bench) wants(name string) bool {
	if len(b.only) == 0 {
		return true
	}
	return slices.ContainsFunc(b.only, func(pattern string) bool { return matches(pattern, name) })
}

// matches reports whether the pattern of -only means the case.
func matches(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	return ok || pattern == name || strings.HasPrefix(name, strings.TrimSuffix(pattern, "*")) && strings.HasSuffix(pattern, "*")
}

// targetCase is a case and the make target that measures it.
type targetCase struct{ name, target string }

// everyCase lists the cases of all subcommands.
func everyCase() (all []targetCase) {
	for _, part := range []struct {
		target string
		cases  []caseRun
	}{{"bench-peers", peerCases(false)}, {"bench-peers", goBenches(false)}, {"bench-http", httpCases(kindred{}, false)}} {
		for _, c := range part.cases {
			all = append(all, targetCase{c.name, part.target})
		}
	}
	return all
}

// caseNames lists the cases of a target, of all for "".
func caseNames(target string) string {
	var names []string
	for _, c := range everyCase() {
		if target == "" || c.target == target {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, ", ")
}

// peerCases are the cases with a peer's side.
func peerCases(quick bool) []caseRun {
	return append(append(alsCases(quick), topKCases(quick)...), append(otherCases(quick), clusterCases(quick)...)...)
}

// start reads the flags and what is the same for all cases.
func (b *bench) start(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	if err := fs.Parse(args); err != nil {
		return err
	}
	b.ctx, b.out = ctx, out
	if b.quick {
		b.work = filepath.Join(b.work, "quick") // never among real figures
		b.results = filepath.Join(b.work, "benchmarks.json")
		b.repeats = min(b.repeats, 3)
	}
	for _, pattern := range b.only {
		if !slices.ContainsFunc(everyCase(), func(c targetCase) bool { return matches(pattern, c.name) }) {
			return fmt.Errorf("-only %s: there is no such case; there are %s (a name may end in *)", pattern, caseNames(""))
		}
	}
	b.version = "unknown"
	if text, err := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty").Output(); err == nil {
		b.version = strings.TrimSpace(string(text))
	}
	return os.MkdirAll(b.work, 0o700)
}

// runPeers measures both sides of every case that is wanted.
func runPeers(ctx context.Context, args []string, out io.Writer) error {
	b := &bench{}
	if err := b.start(ctx, b.flags("bench peers"), args, out); err != nil {
		return err
	}
	if b.python != "" {
		p, err := play(ctx, &b.peers, b.python, b.script, "versions")
		if err != nil {
			return fmt.Errorf("the peers do not run: %w", err)
		}
		if err := p.stop(); err != nil {
			return err
		}
	}
	return b.all(peerCases(b.quick), "bench-peers")
}

// all runs the wanted cases of a make target, keeps each result at once, and goes on after a failure.
func (b *bench) all(cases []caseRun, target string) error {
	for _, pattern := range b.only {
		if !slices.ContainsFunc(everyCase(), func(c targetCase) bool { return c.target == target && matches(pattern, c.name) }) {
			return fmt.Errorf("-only %s: make %s has no such case; it has %s", pattern, target, caseNames(target))
		}
	}
	var errs []error
	for _, c := range cases {
		if !b.wants(c.name) || b.ctx.Err() != nil {
			continue
		}
		began := time.Now()
		fmt.Fprintf(b.out, "%s: %s\n", c.name, c.title)
		got := Case{
			Title: c.title, At: began.UTC().Truncate(time.Second), Command: "make " + target + " ONLY=" + c.name,
			Machine: thisMachine(b.version), Peers: b.peers,
		}
		if err := c.run(b, &got); err != nil {
			fmt.Fprintf(b.out, "  FAILED: %v\n", err)
			if !errors.Is(err, errNoDatasets) {
				errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
			}
			got.Rows = append(got.Rows, Row{What: "the whole case", Missing: err.Error()})
		}
		for _, r := range got.Rows {
			fmt.Fprintf(b.out, "  %s\n", r)
		}
		for _, note := range got.Notes {
			fmt.Fprintf(b.out, "  %s\n", note)
		}
		fmt.Fprintf(b.out, "  %.0f s\n", time.Since(began).Seconds())
		if b.ctx.Err() != nil {
			break // what was cut off is not kept
		}
		if had, err := readResults(b.results); err != nil || slices.ContainsFunc(got.Rows, Row.withoutData) && len(had.Cases[c.name].Rows) > 1 {
			if err != nil {
				return err
			}
			continue // a former run had the data
		}
		if err := keep(b.results, c.name, got); err != nil {
			return err
		}
	}
	return errors.Join(append(errs, b.ctx.Err())...)
}

// withoutData reports whether the row says that there was nothing to measure with.
func (r Row) withoutData() bool { return r.Missing == errNoDatasets.Error() }

// ours starts our side.
func (b *bench) ours(setup any, args ...string) (*player, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return play(b.ctx, setup, self, append([]string{"side"}, args...)...)
}

// theirs starts a peer; nil without an error where there are none.
func (b *bench) theirs(setup any, args ...string) (*player, error) {
	if b.python == "" {
		return nil, nil
	}
	return play(b.ctx, setup, b.python, append([]string{b.script}, args...)...)
}

// noPeer is why a row lacks the other side.
const noPeer = "the peers were not installed: PyPI could not be reached"

// String is the row in one line.
func (r Row) String() string {
	if r.Missing != "" && r.Ours == nil {
		return r.What + ": MISSING: " + r.Missing
	}
	s := fmt.Sprintf("%s: %s %s", r.What, significant(r.Ours), r.Unit)
	if r.Peer != nil {
		s += fmt.Sprintf(", %s %s", r.Name, significant(r.Peer))
	}
	if r.Ratio != nil {
		s += fmt.Sprintf(", %s×", significant(r.Ratio))
	}
	if v := r.verdict(); v != "" {
		s += " (" + v + ")"
	}
	return s
}

// significant is the median with three digits that mean something.
func significant(s *Sample) string {
	if s == nil {
		return "–"
	}
	return digits(s.Median)
}

func digits(v float64) string {
	switch a := max(v, -v); {
	case a >= 100_000:
		return fmt.Sprintf("%.0f k", v/1000)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
