package changes

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"kindred/data"
)

// Store is where changes are kept.
type Store interface {
	// Changes returns at most max changes of a partition after (afterOffset, afterK), in
	// that order; (-1, 0) is before the first.
	Changes(ctx context.Context, partition int32, afterOffset int64, afterK int32, max int) ([]data.Change, error)
}

// Folds tells how far the fold is; *stream.Worker does.
type Folds interface {
	Folded(partition int32) int64
	WaitFolded(ctx context.Context, partition int32, offset int64) error
}

// Log tells when there is something to fold.
type Log interface {
	End(partition int32) int64
	Wait(ctx context.Context, partition int32, after int64) error
}

// lazily is how often news are looked for while nobody is in a hurry.
const lazily = 250 * time.Millisecond

// backlog is how many records of a long log are folded before readers are told.
const backlog = 4096

// Feed tells readers when there is something to read.
type Feed struct {
	store      Store
	folds      Folds
	log        Log
	partitions int32
	every      time.Duration
	hurried    atomic.Int32

	mu   sync.Mutex
	news []chan struct{} // by partition; closed once there is more
	any  chan struct{}
}

// New makes the feed. While somebody hurries, what was accepted is folded and told about every
// so often.
func New(store Store, folds Folds, log Log, partitions int32, every time.Duration) *Feed {
	f := &Feed{store: store, folds: folds, log: log, partitions: partitions, every: every, any: make(chan struct{})}
	for range partitions {
		f.news = append(f.news, make(chan struct{}))
	}
	return f
}

// Partitions is how many partitions positions have.
func (f *Feed) Partitions() int32 { return f.partitions }

// Hurry says that somebody waits for changes, until the returned function is called once.
func (f *Feed) Hurry() (done func()) {
	f.hurried.Add(1)
	return func() { f.hurried.Add(-1) }
}

// News is closed once more of the partition is folded than when News was called.
func (f *Feed) News(partition int32) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.news[partition]
}

// Any is closed once more of any partition is folded than when Any was called.
func (f *Feed) Any() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.any
}

// Run tells about news until ctx ends, which is no error.
func (f *Feed) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for p := range f.partitions {
		all.Go(func() { f.follow(ctx, p) })
	}
	all.Wait()
	return nil
}

// follow asks for what is accepted to be folded, which the fold does at once while somebody asks,
// and otherwise when it has gathered enough.
func (f *Feed) follow(ctx context.Context, p int32) {
	told := int64(-1)
	for ctx.Err() == nil {
		if f.log.Wait(ctx, p, max(told, 0)) != nil {
			f.rest(ctx, lazily)
			continue
		}
		until := min(f.log.End(p), f.folds.Folded(p)+backlog)
		if f.folds.WaitFolded(ctx, p, until-1) != nil {
			f.rest(ctx, lazily)
			continue
		}
		told = f.folds.Folded(p)
		f.tell(p)
		pause := lazily
		if f.hurried.Load() > 0 {
			pause = f.every
		}
		f.rest(ctx, pause)
	}
}

func (f *Feed) tell(p int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.news[p])
	close(f.any)
	f.news[p], f.any = make(chan struct{}), make(chan struct{})
}

func (f *Feed) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Now is behind everything that is folded. It waits until the fold knows how far it is.
func (f *Feed) Now(ctx context.Context) (Position, error) {
	p := Start(f.partitions)
	for i := range p {
		if f.log.End(int32(i)) > 0 {
			if err := f.folds.WaitFolded(ctx, int32(i), 0); err != nil {
				return nil, err
			}
		}
		p[i] = behind(f.folds.Folded(int32(i)))
	}
	return p, nil
}

// Read returns at most limit changes of the partition behind at, the point behind all that was
// looked at, and whether there is more to read at once.
func (f *Feed) Read(ctx context.Context, partition int32, at At, limit int) (list []data.Change, next At, more bool, err error) {
	folded := behind(f.folds.Folded(partition)) // before the read, so that it has all of that
	if at.Compare(folded) >= 0 {
		return nil, at, false, nil
	}
	list, err = f.store.Changes(ctx, partition, at.Offset, at.K, limit)
	if err != nil {
		return nil, at, false, err
	}
	next = at
	if n := len(list); n > 0 {
		next = Of(list[n-1])
	}
	if more = len(list) == limit; !more && next.Compare(folded) < 0 {
		next = folded
	}
	return list, next, more, nil
}
