package main

import (
	"fmt"
	"strconv"

	"kindred/cmd/internal/load"
)

// httpSize is how long and how much; quick is only to see that it runs.
type httpSize struct {
	items, many      int // of the small and the large model
	people, manyPeop int
	long, short      int // seconds
	turn             int // seconds of one side's turn
	rounds           int
}

// httpCases are the cases of a server under load.
func httpCases(k kindred, quick bool) []caseRun {
	z := httpSize{items: 27_000, many: 1_000_000, people: 50_000, manyPeop: 150_000, long: 30, short: 4, turn: 2, rounds: 5}
	if quick {
		z = httpSize{items: 2000, many: 20_000, people: 1000, manyPeop: 2000, long: 2, short: 1, turn: 1, rounds: 2}
	}
	return []caseRun{
		{"http/27k", fmt.Sprintf("recommendations beside the no-op route, closed loop of 16 clients, %d items", z.items), func(b *bench, c *Case) error { return k.beside(c, z) }},
		{"http/1m", fmt.Sprintf("recommendations at half of the highest rate, open loop, %d items with norm spread .6, everybody asked once", z.many), func(b *bench, c *Case) error { return k.half(c, z) }},
		{"http/training", fmt.Sprintf("recommendations at half of the highest rate beside kindred train, open loop, %d items", z.items), func(b *bench, c *Case) error { return k.training(c, z) }},
		{"http/ingest", "durable ingest over /v1/batch on the embedded log, batches of 500 calls of about 500 bytes", func(b *bench, c *Case) error { return k.ingest(c, z) }},
		{"http/freshness", fmt.Sprintf("event accepted to changed recommendations over HTTP, %d items", z.items), func(b *bench, c *Case) error { return k.fresh(c, z) }},
	}
}

// people are the flags that say who is asked for.
func people(n, items int, more ...string) []string {
	return append([]string{"--people", strconv.Itoa(n), "--items", strconv.Itoa(items)}, more...)
}

// beside asks the no-op route and for recommendations in turn.
func (k kindred) beside(c *Case, z httpSize) error {
	s, stop, err := k.serve(c, z.items, .6)
	if err != nil {
		return err
	}
	err = k.besideOn(s, c, z)
	if stopped := stop(); err == nil {
		err = stopped
	}
	return err
}

func (k kindred) besideOn(s *server, c *Case, z httpSize) error {
	filled, err := k.load(s, people(z.people, z.items, "--target", "noop", "--duration", "1s", "--prefill", "20")...)
	if err != nil {
		return err
	}
	quiet(c, filled)
	sides := []besideSide{
		{name: "Zipf people", flags: func(int) []string { return nil }},
		{name: "everybody in turn", flags: func(asked int) []string { return []string{"--distinct", "--first", strconv.Itoa(asked % z.people)} }},
	}
	var noop, cpuNoop, ownNoop []float64
	for range z.rounds {
		for i := range sides {
			side := &sides[i]
			who := people(z.people, z.items, "--warmup", "500ms", "--duration", seconds(z.turn), "--clients", "16", "--target")
			r, err := k.load(s, append(who, "noop")...)
			if err != nil {
				return err
			}
			n, err := kind(r, load.Noop)
			if err != nil {
				return err
			}
			side.noop = append(side.noop, n.PerSecond)
			noop, cpuNoop, ownNoop = append(noop, n.PerSecond), append(cpuNoop, cpuOf(r)), append(ownNoop, r.Generator.CPUEach)
			if r, err = k.load(s, append(append(who, "recommendations"), side.flags(side.asked)...)...); err != nil {
				return err
			}
			if n, err = kind(r, load.Recommend); err != nil {
				return err
			}
			side.add(r, n)
		}
	}
	zipf, distinct := &sides[0], &sides[1]
	c.Rows = append(c.Rows,
		Row{What: "no-op requests a second (GET /healthz)", Unit: "/s", Ours: sampleOf(noop)},
		Row{What: "server CPU microseconds a no-op", Unit: "µs", Ours: sampleOf(cpuNoop)},
		Row{What: "generator CPU microseconds a no-op", Unit: "µs", Ours: sampleOf(ownNoop)})
	c.Rows = append(c.Rows, zipf.rows(atLeast("ours", 1./3, .5))...)
	c.Rows = append(c.Rows, distinct.rows(nil)...)
	c.Notes = append(c.Notes, "rounds of no-op, Zipf people, no-op, everybody in turn; a ratio is that of two neighbours. The gate is on Zipf people: what people do, with the answer cache that is part of the server; everybody in turn is the cost without it")
	return nil
}

// besideSide is one way of asking for recommendations, beside the no-op route.
type besideSide struct {
	name  string
	flags func(asked int) []string
	asked int // so far, with room for the warm-up

	noop, rate, share, cpu, own []float64
}

// add takes one round's figures.
func (s *besideSide) add(r load.Report, n load.KindReport) {
	s.rate, s.cpu, s.own = append(s.rate, n.PerSecond), append(s.cpu, cpuOf(r)), append(s.own, r.Generator.CPUEach)
	if r.Server != nil && r.Server.CacheShare != nil {
		s.share = append(s.share, *r.Server.CacheShare)
	}
	s.asked += int(n.Done) + 1000 + int(n.PerSecond)
}

// rows are its part of the table; the bound is of the ratio.
func (s *besideSide) rows(bound *Bound) []Row {
	share := Row{What: "share of answers from the cache, " + s.name, Ours: sampleOf(s.share)}
	if len(s.share) == 0 {
		share.Missing = "the server has no counters of an answer cache"
	}
	return []Row{
		{What: "recommendations a second, " + s.name, Unit: "/s", Ours: sampleOf(s.rate)},
		{What: "recommendations / no-op, " + s.name, Ours: ratioOf(s.rate, s.noop), Bound: bound},
		share,
		{What: "server CPU microseconds a recommendation, " + s.name, Unit: "µs", Ours: sampleOf(s.cpu)},
		{What: "generator CPU microseconds a recommendation, " + s.name, Unit: "µs", Ours: sampleOf(s.own)},
	}
}

// cpuOf is the server's processor time an operation.
func cpuOf(r load.Report) float64 {
	if r.Server == nil {
		return 0
	}
	return r.Server.CPUEach
}

// half finds the highest rate of a closed loop and measures at half of it.
func (k kindred) half(c *Case, z httpSize) error {
	s, stop, err := k.serve(c, z.many, .6)
	if err != nil {
		return err
	}
	err = k.halfOn(s, c, z)
	if stopped := stop(); err == nil {
		err = stopped
	}
	return err
}

func (k kindred) halfOn(s *server, c *Case, z httpSize) error {
	who := people(z.manyPeop, z.many, "--target", "recommendations", "--distinct")
	r, err := k.load(s, append(who, "--warmup", "1s", "--duration", seconds(z.short), "--clients", "8", "--prefill", "10")...)
	if err != nil {
		return err
	}
	quiet(c, r)
	top, err := kind(r, load.Recommend)
	if err != nil {
		return err
	}
	first := int(1.3*top.PerSecond*float64(z.short+1)) + 100
	rate := top.PerSecond / 2
	if r, err = k.load(s, append(who, "--warmup", "2s", "--duration", seconds(z.long), "--clients", "64",
		"--rate", strconv.FormatFloat(rate, 'f', 0, 64), "--first", strconv.Itoa(first))...); err != nil {
		return err
	}
	n, err := kind(r, load.Recommend)
	if err != nil {
		return err
	}
	one := func(v float64) *Sample { return sampleOf([]float64{v}) }
	share := Row{What: "share of answers from the cache", Bound: atMost("ours", .05), Missing: "the server has no counters of an answer cache"}
	if r.Server != nil && r.Server.CacheShare != nil {
		share.Ours, share.Missing = one(*r.Server.CacheShare), ""
	}
	c.Rows = append(c.Rows,
		Row{What: "recommendations a second, closed loop of 8 clients", Unit: "/s", Ours: one(top.PerSecond)},
		Row{What: fmt.Sprintf("p50 at %.0f a second (Poisson)", rate), Unit: "ms", Ours: one(n.Latency.P50)},
		Row{What: fmt.Sprintf("p99 at %.0f a second (Poisson)", rate), Unit: "ms", Ours: one(n.Latency.P99), Bound: atMost("ours", 10)},
		Row{What: "p99.9", Unit: "ms", Ours: one(n.Latency.P999)},
		Row{What: "p99 since sent", Unit: "ms", Ours: one(n.Service.P99)},
		share,
		Row{What: "server CPU microseconds a recommendation", Unit: "µs", Ours: one(cpuOf(r))})
	if n.Unsent > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%d REQUESTS WERE DUE AND NEVER SENT: the server did not keep up", n.Unsent))
	}
	c.Notes = append(c.Notes, fmt.Sprintf("%d requests, each for another person; the generator noticed the moments %.2f ms late at p50 and %.2f at p99, which is in the latencies", n.Done, r.Generator.Pacing.P50, r.Generator.Pacing.P99))
	if r.Server != nil {
		c.Notes = append(c.Notes, fmt.Sprintf("%d stale and %d cold answers; the server has %.0f MB", r.Server.Stale, r.Server.Cold, r.Server.MemoryBytes/(1<<20)))
	}
	return nil
}

// ingest sends batches as fast as they are acknowledged.
func (k kindred) ingest(c *Case, z httpSize) error {
	s, stop, err := k.serve(c, z.items, .6)
	if err != nil {
		return err
	}
	err = k.ingestOn(s, c, z)
	if stopped := stop(); err == nil {
		err = stopped
	}
	return err
}

func (k kindred) ingestOn(s *server, c *Case, z httpSize) error {
	var rate, p99, lag []float64
	for i := range z.rounds {
		r, err := k.load(s, people(z.people, z.items, "--target", "ingest", "--batch", "500", "--clients", "8", "--seed", strconv.Itoa(i+1),
			"--warmup", "500ms", "--duration", seconds(z.short), "--duplicates", ".01", "--late", ".01", "--skewed", ".01", "--bots", ".02")...)
		if err != nil {
			return err
		}
		n, err := kind(r, load.Ingest)
		if err != nil {
			return err
		}
		if r.Events.Taken != nil && *r.Events.Taken != r.Events.EverAcked {
			return fmt.Errorf("%d calls were acknowledged and the server counts %d", r.Events.EverAcked, *r.Events.Taken)
		}
		rate, p99 = append(rate, r.Events.PerSecond), append(p99, n.Latency.P99)
		if r.Server != nil {
			lag = append(lag, r.Server.LagRecords)
		}
	}
	c.Rows = append(c.Rows,
		Row{What: "events acknowledged a second", Unit: "/s", Ours: sampleOf(rate), Bound: atLeast("ours", 50_000, 150_000)},
		Row{What: "p99 of a batch", Unit: "ms", Ours: sampleOf(p99)},
		Row{What: "records that wait to be folded at the end of a run", Ours: sampleOf(lag)})
	return nil
}

// fresh probes with nothing else going on, and beside a mix.
func (k kindred) fresh(c *Case, z httpSize) error {
	s, stop, err := k.serve(c, z.items, .6)
	if err != nil {
		return err
	}
	err = k.freshOn(s, c, z)
	if stopped := stop(); err == nil {
		err = stopped
	}
	return err
}

func (k kindred) freshOn(s *server, c *Case, z httpSize) error {
	alone, err := k.load(s, people(z.people, z.items, "--target", "freshness", "--clients", "1", "--warmup", "500ms", "--duration", seconds(z.short*2), "--prefill", "20", "--people-zipf", "0")...)
	if err != nil {
		return err
	}
	quiet(c, alone)
	mixed, err := k.load(s, people(z.people, z.items, "--target", "mixed", "--rate", "500", "--batch", "50", "--warmup", "500ms", "--duration", seconds(z.short*2), "--people-zipf", "0.7")...)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		r    load.Report
	}{{"alone", alone}, {"beside 500 operations a second (10 % batches of 50 events)", mixed}} {
		f := part.r.Freshness
		if f == nil || f.Missed > 0 {
			return fmt.Errorf("freshness %s: %+v", part.name, f)
		}
		one := func(v float64) *Sample { return sampleOf([]float64{v}) }
		c.Rows = append(c.Rows,
			Row{What: "acknowledged to changed list, p50, " + part.name, Unit: "ms", Ours: one(f.Changed.P50)},
			Row{What: "acknowledged to changed list, p99, " + part.name, Unit: "ms", Ours: one(f.Changed.P99)},
			Row{What: "sent to changed list, p99, " + part.name, Unit: "ms", Ours: one(f.Posted.P99)})
		c.Notes = append(c.Notes, fmt.Sprintf("%s: %d probes, %.2f requests until the list had changed", part.name, f.Changed.Count, float64(f.Polls)/float64(max(f.Changed.Count, 1))))
	}
	return nil
}
