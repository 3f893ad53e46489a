package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/load"
)

// loadFlags are the flags of `kindred load` that are not its configuration as it is.
type loadFlags struct {
	cfg  load.Config
	mix  string
	json string
}

func newLoad(g *globals) *cobra.Command {
	f := loadFlags{cfg: load.Default()}
	c := &cobra.Command{
		Use:   "load",
		Short: "Drive a running server and measure throughput, latency and freshness",
		Long: "Load sends what people, bots and bad clocks send, and reports requests a second, latencies, and how soon an event shows in\n" +
			"recommendations. Without --rate, each client sends when it has its answer (closed loop); with it, requests are due at times\n" +
			"drawn beforehand and their latency counts from then (open loop), however late the server lets them be sent.\n\n" +
			"It writes events into the server it drives (asking for recommendations does, too: what was shown): use a server made for it.\n" +
			"Its people and items are user-1, user-2 … and item-1, item-2 …, which a server of your own data does not know: name yours with\n" +
			"--person-prefix and --item-prefix, and how many with --people and --items. Only loopback is loaded unless --allow-remote is given.\n" +
			"The same seed and --run send the same calls; Ctrl-C prints what was measured so far.",
		Example: "  kindred load --addr 127.0.0.1:8080 --duration 10s\n" +
			"  kindred load --target recommendations --rate 500 --people 100000 --prefill 20 --distinct --duration 30s\n" +
			"  kindred load --target ingest --batch 500 --duplicates 0.01 --late 0.01 --skewed 0.01 --bots 0.02 --json load.json\n" +
			"  kindred load --rate 1000 --diurnal 60s --spike-every 20s --spike-times 5 --mix ingest=10,recommendations=88,freshness=2",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.idle(cmd.Flags().Changed); err != nil {
				return err
			}
			return g.drive(cmd.Context(), f)
		},
	}
	f.add(c)
	return c
}

func (f *loadFlags) add(c *cobra.Command) {
	fl, d := c.Flags(), load.Default()
	fl.StringVar(&f.cfg.Addr, "addr", d.Addr, "HOST:PORT of the server")
	fl.StringVar(&f.cfg.Key, "key", "", "API key with the scopes that the target needs (default $KINDRED_LOAD_KEY)")
	fl.BoolVar(&f.cfg.AllowRemote, "allow-remote", false, "load a server on another machine, which is yours to load")
	fl.StringVar(&f.cfg.Target, "target", d.Target, "what to send: "+strings.Join(load.Targets(), ", ")+" (what --mix says)")
	fl.StringVar(&f.mix, "mix", "ingest=10,recommendations=88,freshness=2", "what the target mixed sends, as KIND=WEIGHT,…; KIND is noop, recommendations, ingest or freshness")
	fl.DurationVar(&f.cfg.Duration, "duration", d.Duration, "how long to measure")
	fl.DurationVar(&f.cfg.Warmup, "warmup", 0, "how long to send before measuring")
	fl.Float64Var(&f.cfg.Rate, "rate", 0, "operations a second (open loop); 0 is the closed loop")
	fl.StringVar(&f.cfg.Arrivals, "arrivals", d.Arrivals, "when requests are due in the open loop: poisson or uniform")
	fl.IntVar(&f.cfg.Clients, "clients", d.Clients, "how many send at the same time; with --rate, at most")
	fl.DurationVar(&f.cfg.Diurnal, "diurnal", 0, "period of a compressed day that the rate follows")
	fl.Float64Var(&f.cfg.DiurnalSwing, "diurnal-swing", d.DiurnalSwing, "share by which the rate rises and falls over the day")
	fl.DurationVar(&f.cfg.SpikeEvery, "spike-every", 0, "period of spikes in the open loop; each spike is at the end of its period")
	fl.DurationVar(&f.cfg.SpikeFor, "spike-for", d.SpikeFor, "how long a spike lasts")
	fl.Float64Var(&f.cfg.SpikeTimes, "spike-times", d.SpikeTimes, "the rate during a spike, in rates")
	fl.Uint64Var(&f.cfg.Seed, "seed", d.Seed, "seed of everything drawn")
	fl.StringVar(&f.cfg.Run, "run", "", "name in every messageId; a second run of the same name and seed is all duplicates (default: the time)")
	fl.IntVar(&f.cfg.Batch, "batch", d.Batch, "tracking calls in an ingest batch")
	fl.IntVar(&f.cfg.N, "n", d.N, "items asked for")
	fl.IntVar(&f.cfg.People, "people", d.People, "how many people there are")
	fl.Float64Var(&f.cfg.PeopleZipf, "people-zipf", d.PeopleZipf, "Zipf exponent of who acts and asks; 0 is everybody alike")
	fl.BoolVar(&f.cfg.Distinct, "distinct", false, "ask for people in turn, nobody twice before everybody once")
	fl.IntVar(&f.cfg.First, "first", 0, "how many people --distinct leaves for last")
	fl.IntVar(&f.cfg.Items, "items", d.Items, "how many items there are")
	fl.Float64Var(&f.cfg.ItemsZipf, "items-zipf", d.ItemsZipf, "Zipf exponent of what is used")
	fl.StringVar(&f.cfg.PersonPrefix, "person-prefix", d.PersonPrefix, "a person's id is this and a number from 1")
	fl.StringVar(&f.cfg.ItemPrefix, "item-prefix", d.ItemPrefix, "an item's id is this and a number from 1")
	fl.BoolVar(&f.cfg.Check, "check", false, "read every list whole; those that are wrong count as failed (costs the generator more)")
	fl.StringVar(&f.cfg.NoopPath, "noop-path", d.NoopPath, "route of the target noop")
	fl.Float64Var(&f.cfg.Duplicates, "duplicates", 0, "share of calls sent again under their messageId")
	fl.Float64Var(&f.cfg.Late, "late", 0, "share of calls that happened a minute to two weeks ago")
	fl.Float64Var(&f.cfg.Skewed, "skewed", 0, "share of batches by a client whose clock is off by a minute to a day")
	fl.Float64Var(&f.cfg.Bots, "bots", 0, "share of calls that bots make")
	fl.IntVar(&f.cfg.BotIDs, "bot-ids", d.BotIDs, "how many bots there are")
	fl.IntVar(&f.cfg.Prefill, "prefill", 0, "calls that everybody gets before, not measured")
	fl.StringVar(&f.json, "json", "", "file for the report as JSON, - for standard output in place of the table")
}

// idle refuses flags that would do nothing beside the others.
func (f *loadFlags) idle(given func(flag string) bool) error {
	kinds, err := f.kinds()
	if err != nil {
		return nil // which has its own message
	}
	only := func(k ...load.Kind) bool {
		return slices.ContainsFunc(k, func(k load.Kind) bool { return kinds[k] > 0 })
	}
	asks, sends := only(load.Recommend, load.Freshness), only(load.Ingest)
	acts := sends || f.cfg.Prefill > 0
	for _, c := range []struct {
		flags  string
		useful bool
		why    string
	}{
		{"mix", f.cfg.Target == load.Mixed, fmt.Sprintf("--target is %s; it is what --target mixed sends", f.cfg.Target)},
		{"arrivals diurnal diurnal-swing spike-every spike-for spike-times", f.cfg.Rate > 0, fmt.Sprintf("--rate is %v; it shapes the open loop: give a rate with --rate", f.cfg.Rate)},
		{"diurnal-swing", f.cfg.Diurnal > 0, "there is no --diurnal"},
		{"spike-for spike-times", f.cfg.SpikeEvery > 0, "there is no --spike-every"},
		{"first", f.cfg.Distinct, "there is no --distinct, whose beginning it moves"},
		{"distinct n", asks, fmt.Sprintf("nobody is asked for with --target %s", f.cfg.Target)},
		{"check", only(load.Recommend), fmt.Sprintf("no recommendations are asked for with --target %s", f.cfg.Target)},
		{"batch duplicates late skewed bots bot-ids", sends, fmt.Sprintf("no batches are sent with --target %s", f.cfg.Target)},
		{"bot-ids", f.cfg.Bots > 0, "there is no --bots"},
		{"item-prefix items-zipf", acts, fmt.Sprintf("nobody uses an item with --target %s and no --prefill", f.cfg.Target)},
		{"noop-path", only(load.Noop), fmt.Sprintf("the no-op route is not asked with --target %s", f.cfg.Target)},
		{"people-zipf", !f.cfg.Distinct || sends, "--distinct asks for everybody in turn"},
	} {
		for _, name := range strings.Fields(c.flags) {
			if given(name) && !c.useful {
				return usagef("--%s does nothing: %s", name, c.why)
			}
		}
	}
	return nil
}

// kinds are the weights of what is sent.
func (f *loadFlags) kinds() (load.Mix, error) {
	if f.cfg.Target == load.Mixed {
		return load.ParseMix(f.mix)
	}
	i := slices.Index(load.Targets(), f.cfg.Target)
	if i < 0 {
		return load.Mix{}, errors.New("no target")
	}
	var m load.Mix
	m[i] = 1
	return m, nil
}

// drive runs the load and prints its report, also when it was interrupted.
func (g *globals) drive(ctx context.Context, f loadFlags) error {
	cfg := f.cfg
	var err error
	if cfg.Mix, err = load.ParseMix(f.mix); err != nil {
		return usageError{err}
	}
	if cfg.Key == "" {
		for _, v := range g.environ {
			if key, ok := strings.CutPrefix(v, "KINDRED_LOAD_KEY="); ok {
				cfg.Key = key
			}
		}
	}
	if err := cfg.Validate(); err != nil {
		return usageError{err}
	}
	var out io.WriteCloser
	if f.json != "" && f.json != "-" { // before the load: a typing error must not cost the run
		if out, err = os.Create(f.json); err != nil {
			return fmt.Errorf("create the report: %w", err)
		}
		defer out.Close()
	}
	if cfg.Rate > 0 {
		// One thread waits for the moments in a system call, which keeps its processor.
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + 1))
	}
	defer load.HoldProcessor()()
	p := &loadProgress{out: g.err, live: isTerminal(g.err)}
	report, err := load.Run(ctx, cfg, p.at)
	p.close()
	if err != nil {
		return err
	}
	if f.json == "-" {
		return printJSON(g.out, report)
	}
	if err := report.WriteTable(g.out); err != nil || f.json == "" {
		return err
	}
	if err := printJSON(out, report); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return out.Close()
}

// loadProgress is one line that is written over on a terminal, and elsewhere a line
// every ten seconds.
type loadProgress struct {
	out   io.Writer
	live  bool
	drawn bool
	last  time.Duration
}

func (p *loadProgress) at(now load.Progress) {
	if !p.live && now.Elapsed-p.last < 10*time.Second {
		return
	}
	p.last = now.Elapsed
	line := fmt.Sprintf("%s %3.0f s: %.0f calls, %.0f a second, %.0f %%", now.Phase, now.Elapsed.Seconds(), float64(now.Calls), now.CallsRate, 100*now.Share)
	if now.Of > 0 {
		line = fmt.Sprintf("%s %.0f of %.0f s: %.0f a second, p50 %.2f ms, p99 %.2f ms, %d failed", now.Phase, now.Elapsed.Seconds(),
			now.Of.Seconds(), now.PerSecond, now.P50.Seconds()*1000, now.P99.Seconds()*1000, now.Failed)
		if now.Calls > 0 {
			line += fmt.Sprintf(", %.0f calls a second", now.CallsRate)
		}
		if now.Throttled > 0 {
			line += fmt.Sprintf(", throttled %d times", now.Throttled)
		}
	}
	if p.live {
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
		p.drawn = true
		return
	}
	fmt.Fprintln(p.out, line)
}

// close leaves the line behind.
func (p *loadProgress) close() {
	if p.drawn {
		fmt.Fprintln(p.out)
	}
}
