package load

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// requestTimeout is how long a client waits for an answer, as trackers do.
const requestTimeout = 10 * time.Second

// drain is how long after the end of the open loop what was due before it may still be sent.
const drain = 5 * time.Second

// run is one load in progress.
type run struct {
	cfg     Config
	stream  *Stream
	pacer   *pacer
	workers []*worker
	start   time.Time
	end     time.Duration // of warm-up and measured time
	filling bool          // the prefill is under way: nothing counts, and it has no end
	next    atomic.Int64  // operation of the closed loop
	probes  atomic.Int64

	mu  sync.Mutex
	due *arrivals // of the open loop
}

// Progress is where a run is, once a second.
type Progress struct {
	Phase     string // prefill, warm-up or measuring
	Elapsed   time.Duration
	Of        time.Duration // 0 when unknown
	Share     float64       // of the phase, where Of is unknown
	Done      int64         // operations that count and succeeded
	PerSecond float64       // since the last progress
	Calls     int64         // tracking calls acknowledged
	CallsRate float64
	Failed    int64
	Throttled int64
	P50, P99  time.Duration // of all kinds together
}

// Run sends the load and reports what came of it. It returns when the time is over or
// ctx ends, with what was measured until then; progress may be nil. The error says
// why nothing could be sent.
func Run(ctx context.Context, cfg Config, progress func(Progress)) (*Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dial, host, err := resolve(ctx, cfg.Addr, cfg.AllowRemote)
	if err != nil {
		return nil, err
	}
	if cfg.Run == "" {
		cfg.Run = strconv.FormatInt(time.Now().UnixMilli(), 36)
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	r := &run{cfg: cfg, stream: NewStream(cfg), end: cfg.Warmup + cfg.Duration, due: newArrivals(cfg)}
	for range cfg.Clients {
		r.workers = append(r.workers, &worker{
			run: r, client: client{addr: dial, timeout: requestTimeout}, render: newRenderer(r.stream, host), wake: make(chan struct{}, 1),
		})
	}
	if err := r.preflight(host, dial); err != nil {
		return nil, err
	}
	scrape := scraper{client: client{addr: dial, timeout: requestTimeout}, render: newRenderer(r.stream, host)}
	defer scrape.client.close()
	report := &Report{Config: cfg, metricsBefore: scrape.read()}
	if err := r.prefill(ctx, report, &scrape, progress); err != nil {
		return nil, err
	}
	r.measure(ctx, report, &scrape, progress)
	return report, nil
}

// preflight asks once, so that a wrong address or key is one error instead of many counts.
func (r *run) preflight(host, dial string) error {
	c := client{addr: dial, timeout: requestTimeout}
	defer c.close()
	w := newRenderer(r.stream, host)
	w.batch(Op{Kind: Ingest}, time.Now())
	if size := len(w.body); size > maxBatchBytes {
		return fmt.Errorf("batch is %d calls, which are %d bytes; the server takes %d bytes; use about %d calls", r.cfg.Batch, size, maxBatchBytes, r.cfg.Batch*maxBatchBytes/size)
	}
	path := "/healthz"
	if r.cfg.mix()[Noop] > 0 {
		path = r.cfg.NoopPath
	}
	answer, err := c.do(w.get(path), false)
	if err != nil {
		return fmt.Errorf("no server answers at %s: %w", dial, err)
	}
	if answer.Status != 200 {
		return fmt.Errorf("GET %s at %s answers %d; want 200", path, dial, answer.Status)
	}
	if r.cfg.mix()[Recommend]+r.cfg.mix()[Freshness] > 0 {
		if answer, err = c.do(w.recommend(0), false); err == nil && (answer.Status == 401 || answer.Status == 403) {
			return fmt.Errorf("recommendations answer %d; give a key with the scope read", answer.Status)
		}
	}
	return nil
}

// open reports whether operations have times at which they are due.
func (r *run) open() bool { return r.cfg.Rate > 0 }

// now is the time since the start.
func (r *run) now() time.Duration { return time.Since(r.start) }

// measured reports whether what was due then counts.
func (r *run) measured(due time.Duration) bool { return !r.filling && due >= r.cfg.Warmup }

// left is how long something may still be tried.
func (r *run) left() time.Duration {
	switch {
	case r.filling:
		return time.Hour
	case r.open():
		return r.end + drain - r.now()
	}
	return r.end - r.now()
}

// take is the next operation and, in the open loop, when it is due; false when
// the run is over.
func (r *run) take() (op Op, due time.Duration, ok bool) {
	if !r.open() {
		return r.stream.Op(r.next.Add(1) - 1), 0, r.now() < r.end
	}
	if r.left() <= 0 {
		return op, 0, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i, due := r.due.peek()
	if due >= r.end {
		return op, 0, false
	}
	r.due.pop()
	return r.stream.Op(i), due, true
}

// measure runs the workers to the end.
func (r *run) measure(ctx context.Context, report *Report, scrape *scraper, progress func(Progress)) {
	if r.cfg.Warmup == 0 {
		report.begin(scrape)
	}
	r.start = time.Now()
	r.pacer = &pacer{start: r.start}
	pacing, stopPacing := context.WithCancel(context.WithoutCancel(ctx))
	var pace, work sync.WaitGroup
	if r.open() {
		pace.Go(func() { r.pacer.run(pacing) })
	}
	for _, w := range r.workers {
		work.Go(func() { w.work(ctx) })
	}
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	r.watch(ctx, done, report, scrape, progress)
	stopPacing()
	pace.Wait()
	stopped := r.now()
	report.own = ProcessCPU() - report.own
	report.metricsAfter = scrape.read()
	report.measured = min(max(stopped-r.cfg.Warmup, 0), r.cfg.Duration)
	report.Interrupted = ctx.Err() != nil
	for _, w := range r.workers {
		report.total.merge(&w.tally)
	}
	r.unsent(report, stopped)
	report.pacing = r.pacer.lag
	report.fill()
}

// unsent counts what was due and never sent, with the time it has waited: less
// than its latency would have been.
func (r *run) unsent(report *Report, stopped time.Duration) {
	if !r.open() {
		return
	}
	for {
		i, due := r.due.peek()
		if due >= min(r.end, stopped) {
			return
		}
		r.due.pop()
		if r.measured(due) {
			k := &report.total.kinds[r.stream.Op(i).Kind]
			k.unsent++
			k.latency.Add(stopped - due)
		}
	}
}

// watch takes the second reading when the warm-up is over and tells how far the
// run is, until done.
func (r *run) watch(ctx context.Context, done <-chan struct{}, report *Report, scrape *scraper, progress func(Progress)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var warm <-chan time.Time
	if r.cfg.Warmup > 0 {
		warm = time.After(r.cfg.Warmup)
	}
	var last Progress
	for {
		select {
		case <-done:
			return
		case <-warm:
			report.begin(scrape)
		case <-tick.C:
			p := r.progress(last)
			last = p
			progress(p)
		}
	}
}

// progress adds up where the workers are.
func (r *run) progress(last Progress) Progress {
	var all tally
	for _, w := range r.workers {
		w.mu.Lock()
		all.merge(&w.tally)
		w.mu.Unlock()
	}
	now := r.now()
	p := Progress{Phase: "measuring", Elapsed: now, Of: r.end, Throttled: all.throttled, Calls: all.acknowledged}
	if now < r.cfg.Warmup {
		p.Phase = "warm-up"
	}
	var latency Histogram
	for k := range all.kinds {
		p.Done += all.kinds[k].done
		p.Failed += all.kinds[k].failed
		latency.Merge(&all.kinds[k].latency)
	}
	p.P50, p.P99 = latency.Quantile(.5), latency.Quantile(.99)
	if span := (now - last.Elapsed).Seconds(); span > 0 {
		p.PerSecond, p.CallsRate = float64(p.Done-last.Done)/span, float64(p.Calls-last.Calls)/span
	}
	return p
}
