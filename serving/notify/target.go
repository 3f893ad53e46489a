package notify

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"sync"
	"time"

	"kindred/data"
	"kindred/serving/changes"
)

const (
	// pageSize is how many changes of a partition a webhook has in memory.
	pageSize = 256
	// saveEvery is how often a place is made durable: what a crash repeats.
	saveEvery = 500 * time.Millisecond
	// storePause is the pause after a store failed.
	storePause = time.Second
	// kind is the kind of its dead letters.
	kind = "webhook"
)

// Status is what a webhook did since the start.
type Status struct {
	Name        string    `json:"name"`
	Active      bool      `json:"active"` // this process sends; of several only one does
	Place       string    `json:"place,omitempty"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastError   string    `json:"last_error,omitempty"` // of the last request; "" when it succeeded
	Failures    int       `json:"failures"`             // one after the other
	Delivered   uint64    `json:"delivered"`            // changes
	Dead        uint64    `json:"dead"`                 // changes that became dead letters
	Skipped     uint64    `json:"skipped"`              // changes that it does not want
	Requests    uint64    `json:"requests"`
	Failed      uint64    `json:"failed"` // requests
	// Seconds is the time from a change to its delivery.
	Seconds *changes.Counted `json:"-"`
}

// target is one webhook at work.
type target struct {
	cfg     Webhook
	deps    *Deps
	client  *http.Client
	secrets []string
	turns   chan struct{} // as many as requests may be under way
	seconds *changes.Histogram

	mu       sync.Mutex
	status   Status
	position changes.Position
	moved    bool
	quiet    time.Time // until when the other side asked for silence
}

// Status is what it did until now.
func (t *target) Status() Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.status
	if t.position != nil {
		s.Place = t.position.String()
	}
	s.Seconds = t.seconds.Counted()
	return s
}

func (t *target) note(change func(*Status)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.status)
}

// run sends what comes behind the webhook's place until ctx ends.
func (t *target) run(ctx context.Context) error {
	if err := t.load(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	t.note(func(s *Status) { s.Active = true })
	defer t.note(func(s *Status) { s.Active = false })
	var all sync.WaitGroup
	for p := range t.deps.Feed.Partitions() {
		all.Go(func() { t.follow(ctx, p) })
	}
	var failed error
	for ctx.Err() == nil && failed == nil {
		t.pause(ctx, saveEvery)
		if err := t.save(context.WithoutCancel(ctx)); errors.Is(err, data.ErrStale) {
			failed = err
		} else if err != nil {
			t.deps.Logger.Warn("a webhook's place is not saved and is tried again", "webhook", t.cfg.Name, "error", err)
		}
	}
	stop()
	all.Wait()
	if failed != nil {
		return failed
	}
	return t.save(context.WithoutCancel(ctx))
}

// load finds the webhook's place, or gives it one.
func (t *target) load(ctx context.Context) error {
	for {
		err := t.place(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, data.ErrStale) {
			return err
		}
		t.deps.Logger.Warn("a webhook's place cannot be had and is tried again", "webhook", t.cfg.Name, "error", err)
		t.pause(ctx, storePause)
	}
}

func (t *target) place(ctx context.Context) error {
	saved, err := t.deps.Places.LoadCursor(ctx, "notify/"+t.cfg.Name)
	if err != nil {
		return err
	}
	partitions := t.deps.Feed.Partitions()
	at := changes.Start(partitions)
	if saved != nil {
		if at, err = changes.Parse(string(saved), partitions); err != nil {
			return fmt.Errorf("the saved place %q %w", saved, err)
		}
	} else if t.cfg.From == "now" {
		if at, err = t.deps.Feed.Now(ctx); err != nil {
			return err
		}
	}
	t.mu.Lock()
	t.position, t.moved = at, saved == nil
	t.mu.Unlock()
	return t.save(ctx)
}

// save makes the place durable.
func (t *target) save(ctx context.Context) error {
	t.mu.Lock()
	text, moved := t.position.String(), t.moved
	t.moved = false
	t.mu.Unlock()
	if !moved {
		return nil
	}
	err := t.deps.Places.SaveCursor(ctx, "notify/"+t.cfg.Name, []byte(text))
	if err != nil {
		t.mu.Lock()
		t.moved = true
		t.mu.Unlock()
	}
	return err
}

// follow sends the changes of one partition, page by page.
func (t *target) follow(ctx context.Context, p int32) {
	t.mu.Lock()
	at := t.position[p]
	t.mu.Unlock()
	for ctx.Err() == nil {
		news := t.deps.Feed.News(p)
		list, next, more, err := t.deps.Feed.Read(ctx, p, at, pageSize)
		if err == nil {
			err = t.page(ctx, list)
		}
		if err != nil {
			if ctx.Err() == nil {
				t.deps.Logger.Warn("changes cannot be sent and are tried again", "webhook", t.cfg.Name, "partition", p, "error", err)
				t.pause(ctx, storePause)
			}
			continue
		}
		if next != at {
			at = next
			t.mu.Lock()
			t.position[p], t.moved = at, true
			t.mu.Unlock()
		}
		if more {
			continue
		}
		select {
		case <-news:
		case <-ctx.Done():
		}
	}
}

// page delivers what is wanted of a page: each lane the changes of some people, in order. It
// returns nil once each was delivered or is a dead letter.
func (t *target) page(ctx context.Context, list []data.Change) error {
	var lanes [][]data.Change
	byLane := make([][]data.Change, t.cfg.Parallel)
	for i := range list {
		wanted, err := t.wants(ctx, &list[i])
		if err != nil {
			return err
		}
		if !wanted {
			t.note(func(s *Status) { s.Skipped++ })
			continue
		}
		h := fnv.New32a()
		h.Write([]byte(list[i].Profile))
		lane := h.Sum32() % uint32(len(byLane))
		byLane[lane] = append(byLane[lane], list[i])
	}
	for _, lane := range byLane {
		if len(lane) > 0 {
			lanes = append(lanes, lane)
		}
	}
	errs := make([]error, len(lanes))
	var all sync.WaitGroup
	for i, lane := range lanes {
		all.Go(func() {
			for part := range slices.Chunk(lane, t.cfg.Batch) {
				if errs[i] = t.deliver(ctx, part); errs[i] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// wants reports whether a change goes to this webhook.
func (t *target) wants(ctx context.Context, c *data.Change) (bool, error) {
	if !slices.Contains(t.cfg.Events, c.Type) {
		return false, nil
	}
	name := changes.SegmentOf(c)
	if name == "" || slices.Contains(t.cfg.Segments, "*") || slices.Contains(t.cfg.Segments, name) {
		return true, nil
	}
	if t.deps.Names == nil {
		return false, nil
	}
	names, err := t.deps.Names(ctx, c.Model, name)
	return slices.Contains(names, "webhook:"+t.cfg.Name), err
}

// deliver sends one request until it is taken, or was tried often enough.
func (t *target) deliver(ctx context.Context, list []data.Change) error {
	m, err := t.compose(ctx, list)
	if err != nil {
		return err
	}
	for tried := 1; ; tried++ {
		if err := t.turn(ctx); err != nil {
			return err
		}
		err := t.post(ctx, m)
		<-t.turns
		if ctx.Err() != nil && err != nil {
			return ctx.Err() // it counts as not tried
		}
		t.heard(m, err)
		switch {
		case err == nil:
			return nil
		case tried == t.cfg.Attempts || final(err):
			return t.bury(ctx, m, tried, err)
		}
		if err := t.deps.Sleep(ctx, t.backoff(tried)); err != nil {
			return err
		}
	}
}

// turn waits until the other side may be asked again, and for its turn to.
func (t *target) turn(ctx context.Context) error {
	for {
		t.mu.Lock()
		wait := t.quiet.Sub(t.deps.Now())
		t.mu.Unlock()
		if wait <= 0 {
			break
		}
		if err := t.deps.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	select {
	case t.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// heard counts what became of a request.
func (t *target) heard(m *message, err error) {
	now := t.deps.Now()
	if err == nil {
		for _, at := range m.at {
			t.seconds.Observe(now.Sub(at))
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.status
	s.Requests++
	if err == nil {
		s.Delivered, s.LastSuccess, s.LastError, s.Failures = s.Delivered+uint64(len(m.at)), now, "", 0
		return
	}
	s.Failed, s.LastError, s.Failures = s.Failed+1, err.Error(), s.Failures+1
	var r *refusal
	if errors.As(err, &r) && r.after > 0 {
		if until := now.Add(min(r.after, t.cfg.BackoffMax)); until.After(t.quiet) {
			t.quiet = until
		}
	}
}

// backoff is the pause after a failure: twice the last one, half of it by chance.
func (t *target) backoff(tried int) time.Duration {
	pause := t.cfg.BackoffMin
	for i := 1; i < tried && pause < t.cfg.BackoffMax; i++ {
		pause *= 2
	}
	pause = min(pause, t.cfg.BackoffMax)
	return pause/2 + time.Duration(t.deps.Jitter()*float64(pause/2))
}

// bury makes a dead letter of a message.
func (t *target) bury(ctx context.Context, m *message, tried int, err error) error {
	letter := data.DeadLetter{At: t.deps.Now().UTC(), Source: t.cfg.Name, Kind: kind, Raw: m.body,
		Reason: fmt.Sprintf("webhook %s: tried %d times: %v", t.cfg.Name, tried, err)}
	if err := t.deps.Dead.AppendDead(ctx, []data.DeadLetter{letter}); err != nil {
		return fmt.Errorf("keep a dead letter: %w", err)
	}
	t.deps.Logger.Warn("changes were not delivered and are dead letters now", "webhook", t.cfg.Name, "changes", len(m.at), "tried", tried, "error", err)
	t.note(func(s *Status) { s.Dead += uint64(len(m.at)) })
	return nil
}

// pause rests for d, or less when ctx ends.
func (t *target) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
