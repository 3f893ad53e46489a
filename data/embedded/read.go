package embedded

import (
	"context"
	"encoding/binary"
	"fmt"

	"kindred/data"
)

// maxReadBytes ends a Read early, so that large records do not pile up in memory.
const maxReadBytes = 16 << 20

// Read returns up to max records of a partition from offset from on, in order:
// none when from is the end, and fewer than max also before it, when they are
// large. Only synced records are seen. It is an error to ask for what is before
// Start or to ask for less than one record.
func (s *Store) Read(ctx context.Context, partition int32, from int64, max int) ([]data.Record, error) {
	part, err := s.begin(ctx, partition)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer s.users.leave()
	if max < 1 {
		return nil, fmt.Errorf("read log: max is %d; ask for at least 1 record", max)
	}
	if from < part.start {
		return nil, fmt.Errorf("read log: partition %d from offset %d: the log starts at %d; rebuild with `kindred replay`", partition, from, part.start)
	}
	end := part.durableEnd()
	if from >= end {
		return nil, nil
	}
	lower, upper := s.keys.log(partition, from), s.keys.log(partition, end)
	recs := make([]data.Record, 0, min(int64(max), end-from))
	bytes := 0
	err = s.scan(ctx, s.db, lower, upper, func(key, value []byte) (bool, error) {
		recs = append(recs, data.Record{
			Partition: partition,
			Offset:    int64(binary.BigEndian.Uint64(key[len(key)-8:])),
			Value:     append([]byte(nil), value...),
		})
		bytes += len(value)
		return len(recs) < max && bytes < s.readBytes, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read log: partition %d: %w", partition, err)
	}
	return recs, nil
}

// Start is the offset of the oldest record kept, or End when there is none; 0 for a
// partition that does not exist.
func (s *Store) Start(partition int32) int64 {
	part, err := s.partition(partition)
	if err != nil {
		return 0
	}
	return part.start
}

// End is the offset that the next record will get; everything below it is synced.
// 0 for a partition that does not exist.
func (s *Store) End(partition int32) int64 {
	part, err := s.partition(partition)
	if err != nil {
		return 0
	}
	return part.durableEnd()
}

// Wait blocks until End is greater than after. It returns early with the cause of
// ctx's end, or data.ErrClosed.
func (s *Store) Wait(ctx context.Context, partition int32, after int64) error {
	part, err := s.partition(partition)
	if err != nil {
		return fmt.Errorf("wait for log: %w", err)
	}
	for {
		part.mu.Lock()
		end, advanced := part.end, part.advanced
		part.mu.Unlock()
		if end > after {
			return nil
		}
		if err := s.users.enter(); err != nil {
			return fmt.Errorf("wait for log: %w", err)
		}
		s.users.leave()
		select {
		case <-advanced:
		case <-ctx.Done():
			return fmt.Errorf("wait for log: %w", ctx.Err())
		}
	}
}

func (p *partition) durableEnd() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end
}

// advance shows records up to end and wakes who waits for them.
func (p *partition) advance(end int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = end
	close(p.advanced)
	p.advanced = make(chan struct{})
}

// wake makes waiters look again.
func (p *partition) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.advanced)
	p.advanced = make(chan struct{})
}
