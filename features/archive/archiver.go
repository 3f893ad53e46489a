package archive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"kindred/data"
	"kindred/data/lake"
)

// Log is all that the archiver asks of a log.
type Log interface {
	// Read returns up to max records of the partition from offset from on, of
	// those that are on stable storage; none at the end of the log.
	Read(ctx context.Context, partition int32, from int64, max int) ([]data.Record, error)
	// Wait returns once End is above after.
	Wait(ctx context.Context, partition int32, after int64) error
	// End is the offset that the partition's next record will have.
	End(partition int32) int64
}

// Archiver archives one partition. It is safe for concurrent use; several
// archivers of one partition, in one process or many, do no harm but double work.
type Archiver struct {
	log       Log
	lake      *lake.Lake
	partition int32
	opt       Options

	mu  sync.Mutex // held while records are read and written, not while waiting for some
	cut *cutter    // nil until the position is read from the lake

	archived atomic.Int64 // the lake's cursor, as far as this archiver knows
	progress chan struct{}
	watch    sync.Mutex // guards progress
}

// New returns an archiver that goes on from the lake's cursor. opt has to be valid.
func New(log Log, l *lake.Lake, partition int32, opt Options) *Archiver {
	return &Archiver{log: log, lake: l, partition: partition, opt: opt, progress: make(chan struct{})}
}

// Run archives until ctx ends, and then returns nil. An error of the log or the
// lake ends it; running it again goes on where the lake is.
func (a *Archiver) Run(ctx context.Context) error {
	for {
		end, err := a.catchUp(ctx)
		if err == nil {
			err = a.log.Wait(ctx, a.partition, end)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("archive partition %d: %w", a.partition, err)
		}
	}
}

// CatchUp archives every block that is complete at the log's end as it is now. An
// incomplete one stays in the log.
func (a *Archiver) CatchUp(ctx context.Context) error {
	if _, err := a.catchUp(ctx); err != nil {
		return fmt.Errorf("archive partition %d: %w", a.partition, err)
	}
	return nil
}

// Archived returns once the record at offset is in the lake, or ctx ends. It needs
// Run or CatchUp to be at work elsewhere.
func (a *Archiver) Archived(ctx context.Context, offset int64) error {
	for {
		a.watch.Lock()
		progress := a.progress
		a.watch.Unlock()
		if a.archived.Load() > offset {
			return nil
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return fmt.Errorf("wait for offset %d of partition %d to be archived: %w", offset, a.partition, ctx.Err())
		}
	}
}

// Lag is how many records of the log are not in the lake, those of the block that
// is not complete yet among them. Before the first Run or CatchUp nothing is known
// to be there.
func (a *Archiver) Lag() int64 { return a.log.End(a.partition) - a.archived.Load() }

// catchUp does the work of CatchUp and returns the log's end as far as it was seen.
func (a *Archiver) catchUp(ctx context.Context) (end int64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() {
		if err != nil {
			a.cut = nil // what is gathered may not fit the lake: begin again from there
		}
	}()
	if err := a.resume(ctx); err != nil {
		return 0, err
	}
	end = a.log.End(a.partition)
	for a.cut.next() < end {
		records, err := a.log.Read(ctx, a.partition, a.cut.next(), a.opt.ReadRecords)
		if err != nil {
			return 0, err
		}
		if len(records) == 0 {
			break // the offsets up to the end are empty
		}
		if err := a.take(ctx, records); err != nil {
			return 0, err
		}
	}
	return max(end, a.cut.next()), nil
}

// take gathers records and writes the blocks that they complete.
func (a *Archiver) take(ctx context.Context, records []data.Record) error {
	for _, rec := range records {
		b := a.cut.add(rec)
		if b == nil {
			continue
		}
		err := a.lake.WriteBlock(ctx, *b)
		if errors.Is(err, data.ErrStale) {
			a.cut = nil // another archiver is further: go on from where it is
			return a.resume(ctx)
		}
		if err != nil {
			return err
		}
		a.advance(b.Last + 1)
	}
	return nil
}

// resume reads the position from the lake, unless it is known.
func (a *Archiver) resume(ctx context.Context) error {
	if a.cut != nil {
		return nil
	}
	at, err := a.lake.Position(ctx, a.partition)
	if err != nil {
		return err
	}
	a.cut = newCutter(a.opt, a.partition, at)
	a.advance(at.Next)
	return nil
}

// advance tells those who wait that the lake has everything before cursor.
func (a *Archiver) advance(cursor int64) {
	a.watch.Lock()
	defer a.watch.Unlock()
	a.archived.Store(cursor)
	close(a.progress)
	a.progress = make(chan struct{})
}
