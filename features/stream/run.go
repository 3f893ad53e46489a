package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kindred/data"
	"kindred/data/event"
)

const (
	tickEvery  = time.Second // at most
	firstPause = 20 * time.Millisecond
	longPause  = 5 * time.Second

	gatherFrom = 256                    // records in a batch, from where on more of them are awaited
	gatherFor  = 100 * time.Millisecond // at most
)

// run folds the partition until ctx ends, which is no error. A failure is retried
// after a growing pause; only a closed store ends the loop.
func (p *partition) run(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		n, err := p.once(ctx)
		if err == nil && n == 0 {
			err = p.idle(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			pause = firstPause
			p.gather(ctx, n)
		case errors.Is(err, data.ErrClosed):
			return fmt.Errorf("stream partition %d: %w", p.n, err)
		case errors.Is(err, errAgain) && pause == firstPause:
			pause *= 2 // at once, this time
		default:
			p.opt.Logger.Error("folding failed; will try again", "partition", p.n, "error", err, "pause", pause)
			p.count(func(s *Stats) { s.Failures++ })
			rest(ctx, pause)
			pause = min(2*pause, longPause)
		}
	}
	return nil
}

// gather waits, after a batch of n records, for the next to be full: where many come,
// people come again in a large batch, and each is encoded and saved once for it. It
// waits for gatherFor at most, not at all after a small batch, and for no longer than
// until somebody asks for what is not folded yet.
func (p *partition) gather(ctx context.Context, n int) {
	if n < gatherFrom {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, gatherFor)
	defer cancel()
	p.mu.Lock()
	full := p.folded + int64(p.opt.BatchRecords)
	if p.waiting > 0 {
		cancel()
	}
	p.hurry = cancel
	p.mu.Unlock()
	_ = p.opt.Log.Wait(ctx, p.n, full-1) // an error that is not ctx's comes again with the next read
	p.mu.Lock()
	p.hurry = nil
	p.mu.Unlock()
}

// rest waits, or less when ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// idle waits for the next record. If a timer falls due first, it appends a tick to
// carry time past it.
func (p *partition) idle(ctx context.Context) error {
	at, ok, err := p.opt.State.NextTimer(ctx, p.n)
	if err != nil {
		return fmt.Errorf("next timer of partition %d: %w", p.n, err)
	}
	after := p.position()
	if !ok {
		return p.opt.Log.Wait(ctx, p.n, after)
	}
	now := p.opt.Now()
	due := time.UnixMilli(at)
	if next := p.lastTick.Add(tickEvery); next.After(due) {
		due = next
	}
	soon, cancel := context.WithTimeout(ctx, due.Sub(now))
	defer cancel()
	if err := p.opt.Log.Wait(soon, p.n, after); err == nil || !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return err
	}
	e := p.systemEvent(data.SysTick, fmt.Sprintf("tick/%d/%d", p.n, at))
	if e.Times.Received.UnixMilli() < at {
		return nil // the clock is not there yet; look again
	}
	p.lastTick = p.opt.Now()
	p.count(func(s *Stats) { s.Ticks++ })
	if err := p.opt.Log.Append(ctx, []data.Record{{Partition: p.n, Value: event.Seal(e)}}); err != nil {
		return fmt.Errorf("append tick: %w", err)
	}
	return nil
}
