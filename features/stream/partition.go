package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kindred/data"
	"kindred/data/event"
)

// partition is one partition and its owner's loop.
type partition struct {
	n   int32
	opt *Options

	step   sync.Mutex // held while folding: Run and CatchUp take turns
	folder folder

	mu       sync.Mutex
	folded   int64         // offset of the next record to fold, as saved
	advanced chan struct{} // closed and replaced when folded grows
	stats    Stats
	waiting  int         // calls of wait that block
	hurry    func()      // ends a wait for a full batch; nil when there is none
	loaded   bool        // folded and stats are of the store
	marked   data.Marker // the versions of the newest markers that this worker appended, or ""

	lastTick time.Time // of this owner; only run touches it
}

// errAgain asks for another try at once: nothing was saved, memory was dropped.
var errAgain = errors.New("try again")

// once folds and saves the next batch and returns its size; 0 when the log is
// drained. Once begun, a batch is finished even when ctx ends.
func (p *partition) once(ctx context.Context) (int, error) {
	p.step.Lock()
	defer p.step.Unlock()
	if err := p.load(ctx); err != nil {
		return 0, err
	}
	recs, err := p.opt.Log.Read(ctx, p.n, p.folder.cursor, p.opt.BatchRecords)
	if err != nil || len(recs) == 0 {
		return 0, err
	}
	ctx = context.WithoutCancel(ctx)
	t, err := p.folder.fold(ctx, recs)
	var panicked *panicError
	if errors.As(err, &panicked) {
		p.opt.Logger.Error("fold panicked", "partition", p.n, "offset", panicked.offset, "panic", panicked.value, "stack", string(panicked.stack))
		return 0, errAgain
	}
	if err != nil {
		return 0, err
	}
	if err := p.publish(ctx, t.poisoned); err != nil {
		p.folder.drop()
		return 0, err
	}
	if err := p.folder.save(ctx, recs[len(recs)-1].Offset+1, false); err != nil {
		if errors.Is(err, data.ErrStale) {
			p.opt.Logger.Warn("another owner has moved on; starting over from what is stored", "partition", p.n)
			p.count(func(s *Stats) { s.Stale++ })
			return 0, errAgain
		}
		return 0, err
	}
	p.advance(t)
	return len(recs), nil
}

func (p *partition) load(ctx context.Context) error {
	if p.folder.memory != nil {
		return nil
	}
	if err := p.folder.load(ctx); err != nil {
		return err
	}
	if start := p.opt.Log.Start(p.n); p.folder.cursor < start {
		p.folder.drop()
		return fmt.Errorf("partition %d: its cursor %d is older than the log's start %d; rebuild with `kindred replay`", p.n, p.folder.cursor, start)
	}
	p.advance(tally{})
	return nil
}

// publish appends what the fold wants said: events for other profiles, and the
// skips of new poison.
func (p *partition) publish(ctx context.Context, poisoned []int64) error {
	emitted := p.folder.memory.Emitted()
	recs := make([]data.Record, 0, len(emitted)+len(poisoned))
	for _, e := range emitted {
		if e.Space == "" {
			e.Space = p.opt.Space
		}
		recs = append(recs, data.Record{Partition: data.PartitionOf(string(e.Profile), p.opt.Partitions), Value: event.Seal(e)})
	}
	for _, offset := range poisoned {
		e := p.systemEvent(data.SysSkip, fmt.Sprintf("skip/%d/%d", p.n, offset))
		e.Skip = &offset
		recs = append(recs, data.Record{Partition: p.n, Value: event.Seal(e)})
	}
	for len(recs) > 0 {
		n, bytes := 1, len(recs[0].Value)
		for n < len(recs) && bytes+len(recs[n].Value) <= publishBytes {
			bytes += len(recs[n].Value)
			n++
		}
		if err := p.opt.Log.Append(ctx, recs[:n]); err != nil {
			return fmt.Errorf("append what partition %d emitted: %w", p.n, err)
		}
		recs = recs[n:]
	}
	return nil
}

// publishBytes bounds one append of what a batch emitted. A batch may emit hundreds
// of whole profiles, more than a log takes at once; after a crash in between, those
// that were appended are appended again, and dropped by their receivers.
const publishBytes = 4 << 20

// says reports whether the newest marker of its kind in the log is known to be m, which
// names one version.
func (p *partition) says(m data.Marker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Rules != "" && p.marked.Rules != "" || m.Models != "" && p.marked.Models != "" {
		return m.Rules != "" && p.marked.Rules == m.Rules || m.Models != "" && p.marked.Models == m.Models
	}
	// What is not folded yet may hold another marker.
	live := m.Rules != "" && p.stats.Rules == m.Rules || m.Models != "" && p.stats.Models == m.Models
	return p.loaded && p.folded == p.opt.Log.End(p.n) && live
}

// mark notes the marker, which names one version, that was appended, or may have been.
func (p *partition) mark(m data.Marker, appended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	version := func(v string) string {
		if appended {
			return v
		}
		return ""
	}
	if m.Rules != "" {
		p.marked.Rules = version(m.Rules)
	} else {
		p.marked.Models = version(m.Models)
	}
}

// systemEvent is an event of this server's own, stamped with its clock.
func (p *partition) systemEvent(name, id string) data.Event {
	now := p.opt.Now().UTC().Truncate(time.Millisecond)
	return data.Event{
		V: data.EventVersion, ID: id, Source: "kindred", Space: p.opt.Space, Type: data.System, Name: name,
		Times: data.Times{Event: now, Received: now},
	}
}

// advance tells whoever waits how far the saved state has come.
func (p *partition) advance(t tally) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.folded, p.loaded = p.folder.cursor, true
	p.stats.Now, p.stats.Models, p.stats.Rules = p.folder.memory.State.Now, p.folder.memory.State.Models, p.folder.memory.State.Rules
	p.stats.Poisoned += int64(len(t.poisoned))
	for i, n := range t.outcomes {
		p.stats.Outcomes[i] += n
	}
	close(p.advanced)
	p.advanced = make(chan struct{})
}

func (p *partition) position() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.folded
}

// wait blocks until the record at offset is folded and saved.
func (p *partition) wait(ctx context.Context, offset int64) error {
	p.mu.Lock()
	if p.folded > offset {
		p.mu.Unlock()
		return nil
	}
	p.waiting++
	if p.hurry != nil {
		p.hurry()
	}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting--
	}()
	for {
		p.mu.Lock()
		folded, advanced := p.folded, p.advanced
		p.mu.Unlock()
		if folded > offset {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return fmt.Errorf("wait for partition %d to fold offset %d, now at %d: %w", p.n, offset, folded, ctx.Err())
		}
	}
}

func (p *partition) count(fn func(*Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn(&p.stats)
}
