package members

import (
	"context"
	"errors"
	"time"

	"kindred/data"
	"kindred/serving/changes"
)

// pageSize is how many changes are applied at once.
const pageSize = 4096

// storePause is the pause after the store failed.
const storePause = time.Second

// Run follows the changes until ctx ends, which is no error.
func (m *Members) Run(ctx context.Context) error {
	end, err := m.deps.Feed.Now(ctx)
	if err != nil {
		return nil // ctx has ended
	}
	m.load(end)
	saved := m.deps.Now()
	dirty := false
	for ctx.Err() == nil {
		news := m.deps.Feed.Any()
		moved, err := m.follow(ctx)
		dirty = dirty || moved
		if err == nil {
			m.mu.Lock()
			m.ready = true
			m.mu.Unlock()
		}
		var retry <-chan time.Time
		if err != nil && ctx.Err() == nil {
			m.deps.Logger.Warn("segments' changes cannot be read and are tried again", "error", err)
			retry = time.After(storePause)
			news = nil
		}
		if dirty && m.deps.Now().Sub(saved) >= m.cfg.Checkpoint {
			m.save()
			dirty, saved = false, m.deps.Now()
		}
		select {
		case <-news:
		case <-retry:
		case <-ctx.Done():
		}
	}
	if dirty {
		m.save()
	}
	return nil
}

// follow applies what there is.
func (m *Members) follow(ctx context.Context) (moved bool, err error) {
	for p := range m.deps.Feed.Partitions() {
		for more := true; more; {
			at := m.position[p] // written by this goroutine alone
			var list []data.Change
			var next changes.At
			if list, next, more, err = m.deps.Feed.Read(ctx, p, at, pageSize); err != nil {
				return moved, err
			}
			if next == at {
				break
			}
			m.take(p, list, next)
			moved = true
		}
	}
	return moved, nil
}

// take applies a page, and notes how fresh it is.
func (m *Members) take(p int32, list []data.Change, next changes.At) {
	m.mu.Lock()
	for i := range list {
		m.apply(&list[i])
	}
	m.position[p] = next
	m.mu.Unlock()
	now := m.deps.Now()
	for i := range list {
		if c := &list[i]; changes.SegmentOf(c) != "" && !c.At.Before(m.started) { // not what waited for the start
			m.fresh.Observe(now.Sub(c.At))
		}
	}
}

// load goes on from the checkpoint, unless it is missing, damaged or ahead of the store.
func (m *Members) load(end changes.Position) {
	err := m.deps.Checkpoints.Load(checkpoint, m.read)
	if err == nil {
		for p := range end {
			if m.position[p].Compare(end[p]) > 0 {
				err = errAhead
			}
		}
	}
	if err == nil {
		return
	}
	if !errors.Is(err, data.ErrNotFound) {
		m.deps.Logger.Warn("who is in which segment is read again from the first change on", "reason", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reset()
}

var errAhead = errors.New("the checkpoint knows more than the store")

func (m *Members) save() {
	if err := m.deps.Checkpoints.Save(checkpoint, m.write); err != nil {
		m.deps.Logger.Warn("who is in which segment is not saved; it will be read again", "error", err)
	}
}

// Stats is what is known of one segment.
type Stats struct {
	Segment         string
	Members         uint64
	Entered, Exited uint64 // ever
}

// Stats are the segments' sizes, in no order, and how long it took until changes were visible.
func (m *Members) Stats() ([]Stats, *changes.Counted) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]Stats, 0, len(m.crowds))
	for name, c := range m.crowds {
		out = append(out, Stats{name, c.now.GetCardinality(), c.entered, c.exited})
	}
	return out, m.fresh.Counted()
}
