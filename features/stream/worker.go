package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
	"kindred/model/popular"
)

// Worker folds all partitions of a log. Its methods are safe for concurrent use.
type Worker struct {
	opt     Options
	parts   []*partition
	popular *popular.Live

	publishing sync.Mutex // one publication at a time: the last one's marker is the newest
}

// New returns a worker that has not begun. The error names an option that is
// missing or makes no sense.
func New(opt Options) (*Worker, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Worker{opt: opt, popular: popular.NewLive(popular.Default())}
	builder := features.NewBuilder(opt.Features)
	for n := range opt.Partitions {
		w.parts = append(w.parts, &partition{
			n: n, opt: &w.opt, advanced: make(chan struct{}), stats: Stats{Partition: n},
			folder: folder{partition: n, builder: builder, state: opt.State, models: opt.Clusterers, rules: opt.Rules,
				cached: opt.CachedProfiles, bytes: opt.CachedBytes, popular: w.popular, recall: recall{limit: opt.RecallBytes / 3}},
		})
	}
	return w, nil
}

// Run folds until ctx ends, then finishes the batches it has begun and returns
// nil. The only error is a store that was closed under it.
func (w *Worker) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(w.parts))
	var running sync.WaitGroup
	for i, p := range w.parts {
		running.Go(func() {
			if errs[i] = p.run(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// catchUpRounds is how often an event may hop: to where it was routed, to the
// profile that it belongs to, and what that causes.
const catchUpRounds = 3

// CatchUp folds everything that is in the log now, and what that makes the fold
// append. It works beside Run as well as without it. The error is ctx's or a
// store's, wrapped.
func (w *Worker) CatchUp(ctx context.Context) error {
	for range catchUpRounds {
		for _, p := range w.parts {
			end := w.opt.Log.End(p.n)
			for tries := 0; p.position() < end; {
				if err := ctx.Err(); err != nil {
					return fmt.Errorf("catch up partition %d: %w", p.n, err)
				}
				_, err := p.once(ctx)
				if tries++; errors.Is(err, errAgain) && tries < 2*w.opt.BatchRecords+3 {
					continue
				}
				if err != nil {
					return fmt.Errorf("catch up partition %d: %w", p.n, err)
				}
				tries = 0
			}
		}
	}
	return nil
}

// WaitFolded blocks until the record at offset of the partition is folded, and its
// effects can be read from the store. The error is ctx's, wrapped. It costs a
// mutex when there is nothing to wait for.
func (w *Worker) WaitFolded(ctx context.Context, partition int32, offset int64) error {
	return w.parts[partition].wait(ctx, offset)
}

// Folded is the offset of the next record that the partition will fold: everything
// before it can be read from the store. 0 before Run has loaded the partition.
func (w *Worker) Folded(partition int32) int64 { return w.parts[partition].position() }

// Popularity is what is popular now, by "i/<item>" and "c/<category>", as of the
// newest saved batch, with the half-lives of popular.Default. It keeps moving.
func (w *Worker) Popularity() *popular.Live { return w.popular }

// PublishModel makes a model version live in every partition, from a marker record
// on. A partition whose newest marker is known to say so gets none; one that is not
// folded to its end may get another, which changes nothing.
func (w *Worker) PublishModel(ctx context.Context, version string) error {
	return w.publish(ctx, "model", version, data.Marker{Models: version})
}

// PublishRules makes a version of the segment rules live, as PublishModel does a model: one append
// of a marker to every partition.
func (w *Worker) PublishRules(ctx context.Context, version string) error {
	return w.publish(ctx, "rules", version, data.Marker{Rules: version})
}

func (w *Worker) publish(ctx context.Context, what, version string, m data.Marker) error {
	if version == "" {
		return fmt.Errorf("publish %s: the version is empty", what)
	}
	w.publishing.Lock()
	defer w.publishing.Unlock()
	var recs []data.Record
	for _, p := range w.parts {
		if p.says(m) {
			continue
		}
		e := p.systemEvent(data.SysMarker, fmt.Sprintf("marker/%d/%s", p.n, version))
		e.Marker = &m
		recs = append(recs, data.Record{Partition: p.n, Value: event.Seal(e)})
	}
	if len(recs) == 0 {
		return nil
	}
	err := w.opt.Log.Append(ctx, recs)
	if err != nil { // the markers may be in the log all the same
		err = fmt.Errorf("publish %s %s: %w", what, version, err)
	}
	for _, r := range recs {
		w.parts[r.Partition].mark(m, err == nil)
	}
	return err
}

// Flush appends a flush record to every partition, which ends the archiver's
// current block there, and returns their offsets by partition.
func (w *Worker) Flush(ctx context.Context) ([]int64, error) {
	recs := make([]data.Record, len(w.parts))
	for i, p := range w.parts {
		e := p.systemEvent(data.SysFlush, fmt.Sprintf("flush/%d", p.n))
		e.ID = fmt.Sprintf("%s/%d", e.ID, e.Times.Received.UnixMilli())
		recs[i] = data.Record{Partition: p.n, Value: event.Seal(e)}
	}
	if err := w.opt.Log.Append(ctx, recs); err != nil {
		return nil, fmt.Errorf("flush: %w", err)
	}
	offsets := make([]int64, len(recs))
	for i, r := range recs {
		offsets[i] = r.Offset
	}
	return offsets, nil
}

// Stats are a partition's counters since this worker began.
type Stats struct {
	Partition int32
	Folded    int64 // offset of the next record to fold
	Lag       int64 // records in the log and not yet folded
	Outcomes  [features.Outcomes]int64
	Poisoned  int64  // records given up as dead letters
	Ticks     int64  // ticks written
	Stale     int64  // batches dropped because another owner had moved on
	Failures  int64  // batches that failed and were tried again
	Now       int64  // log time, Unix ms
	Models    string // live model version
	Rules     string // live version of the segment rules
}

// Stats are the counters of every partition, in order.
func (w *Worker) Stats() []Stats {
	out := make([]Stats, len(w.parts))
	for i, p := range w.parts {
		p.mu.Lock()
		out[i] = p.stats
		out[i].Folded = p.folded
		p.mu.Unlock()
		out[i].Lag = max(0, w.opt.Log.End(p.n)-out[i].Folded)
	}
	return out
}
