package lake

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"kindred/data"
)

// Table names one of the lake's tables; it is also the name of its directory.
type Table string

// The tables. Events holds every log record; the others are derived from it.
const (
	Events       Table = "events"
	Interactions Table = "interactions"
	Impressions  Table = "impressions"
	Links        Table = "links"
)

// Tables lists every table in the order a block is written: derived ones first.
func Tables() []Table { return []Table{Interactions, Impressions, Links, Events} }

// Lake is one space's lake in a directory. It is safe for concurrent use, and
// several processes may have the same directory open.
type Lake struct {
	root  string // <dir>/<space>
	space data.Space
	disk  disk

	// writing lets one block at a time be encoded: a block in memory is large, and
	// commits are ordered by the manifest anyway.
	writing sync.Mutex
}

// temporaryAge is how old a temporary file has to be before Open takes it for
// what a crash left behind, rather than another process's work.
const temporaryAge = 24 * time.Hour

// Open opens the space's lake below dir, creating what is missing. It refuses a
// newest manifest that is damaged, of another space, or of a format that this
// build does not know.
func Open(dir string, space data.Space) (*Lake, error) {
	if err := space.Validate(); err != nil {
		return nil, fmt.Errorf("open lake: %w", err)
	}
	l := &Lake{root: filepath.Join(dir, string(space)), space: space}
	for _, sub := range l.directories() {
		if err := l.disk.makeDir(sub); err != nil {
			return nil, fmt.Errorf("open lake: %w", err)
		}
		if err := l.disk.removeTemporary(sub, time.Now().Add(-temporaryAge)); err != nil {
			return nil, fmt.Errorf("open lake: %w", err)
		}
	}
	if _, err := l.newest(); err != nil {
		return nil, fmt.Errorf("open lake: %w", err)
	}
	return l, nil
}

func (l *Lake) directories() []string {
	dirs := []string{l.manifestDir(), l.segmentDir(), l.artifactDir()}
	for _, t := range Tables() {
		dirs = append(dirs, filepath.Join(l.root, string(t)))
	}
	return dirs
}

// Cursor is the offset of the first record of the partition that is not archived;
// 0 for a partition the lake has not met.
func (l *Lake) Cursor(ctx context.Context, partition int32) (int64, error) {
	at, err := l.Position(ctx, partition)
	return at.Next, err
}

// Position is how far a partition is archived.
type Position struct {
	Next int64     // offset of the first record that is not archived
	Now  time.Time // log time there: the latest received stamp archived so far; zero before the first
}

// Position returns how far the partition is archived, in one read with the log
// time that the next block's boundaries continue from.
func (l *Lake) Position(ctx context.Context, partition int32) (Position, error) {
	if err := ctx.Err(); err != nil {
		return Position{}, err
	}
	m, err := l.newest()
	if err != nil {
		return Position{}, fmt.Errorf("lake cursor of partition %d: %w", partition, err)
	}
	p := m.partition(partition)
	return Position{Next: p.Cursor, Now: p.Now.Time()}, nil
}

// blockFile is the path of a table's part of a block.
func (l *Lake) blockFile(t Table, partition int32, first, last int64) string {
	return filepath.Join(l.root, string(t), fmt.Sprintf("%05d-%020d-%020d.parquet", partition, first, last))
}
