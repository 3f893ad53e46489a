package lake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"kindred/data"
)

// Snapshot is the lake at one version. It never changes, whatever is archived
// meanwhile, and is safe for concurrent use.
type Snapshot struct {
	lake     *Lake
	manifest *manifest
}

// Snapshot returns the newest version.
func (l *Lake) Snapshot(ctx context.Context) (*Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := l.newest()
	if err != nil {
		return nil, fmt.Errorf("lake snapshot: %w", err)
	}
	return &Snapshot{lake: l, manifest: m}, nil
}

// Version is the number of the snapshot: one more for every archived block.
func (s *Snapshot) Version() int64 { return s.manifest.Version }

// Watermark is the latest received stamp in the snapshot, over all partitions;
// zero for an empty lake. Each partition is complete up to its own cursor.
func (s *Snapshot) Watermark() time.Time {
	var latest Millis
	for _, p := range s.manifest.Partitions {
		latest = max(latest, p.Now)
	}
	return latest.Time()
}

// Cursors is the offset after the last archived one, by partition.
func (s *Snapshot) Cursors() map[int32]int64 {
	cursors := make(map[int32]int64, len(s.manifest.Partitions))
	for _, p := range s.manifest.Partitions {
		cursors[p.ID] = p.Cursor
	}
	return cursors
}

// Partitions lists the partitions that have blocks, ascending.
func (s *Snapshot) Partitions() []int32 {
	ids := make([]int32, len(s.manifest.Partitions))
	for i, p := range s.manifest.Partitions {
		ids[i] = p.ID
	}
	return ids
}

// Rows is how many rows the table has.
func (s *Snapshot) Rows(t Table) int64 { return s.manifest.Rows[t] }

// Interactions calls fn for every interaction, by partition, then offset. It stops
// at fn's first error and returns it, wrapped.
func (s *Snapshot) Interactions(ctx context.Context, fn func(data.Interaction) error) error {
	return scan(ctx, s, Interactions, allPartitions, decoded((*InteractionRow).interaction, fn))
}

// Impressions calls fn for every position of every list shown, by partition, then offset.
func (s *Snapshot) Impressions(ctx context.Context, fn func(data.Impression) error) error {
	return scan(ctx, s, Impressions, allPartitions, decoded((*ImpressionRow).impression, fn))
}

// Links calls fn for every merge and deletion of profiles, by partition, then
// offset. The order of two links in different partitions says nothing; their At does.
func (s *Snapshot) Links(ctx context.Context, fn func(data.Link) error) error {
	return scan(ctx, s, Links, allPartitions, decoded((*LinkRow).link, fn))
}

// Events calls fn for every record of one partition, by offset, byte for byte as
// it was in the log, with its event. A record that is not an event (it could not be
// decoded) comes with the zero Event: the fold skipped it, and so does a replay.
func (s *Snapshot) Events(ctx context.Context, partition int32, fn func(data.Record, data.Event) error) error {
	return scan(ctx, s, Events, partition, func(r *EventRow) error {
		rec, e, err := r.record()
		if err != nil {
			return err
		}
		return fn(rec, e)
	})
}

// decoded turns a function of values into one of rows.
func decoded[R, V any](value func(*R) (V, error), fn func(V) error) func(*R) error {
	return func(r *R) error {
		v, err := value(r)
		if err != nil {
			return err
		}
		return fn(v)
	}
}

const allPartitions int32 = -1

// part is one table's file of one block: all that a scan keeps in memory of it.
type part struct {
	partition   int32
	first, last int64
	file
}

// scan streams a table's rows of one partition, or of all.
func scan[R any](ctx context.Context, s *Snapshot, t Table, partition int32, fn func(*R) error) error {
	var parts []part
	err := s.lake.entries(s.manifest, func(e entry) error {
		if f, ok := e.Files[t]; ok && (partition == allPartitions || partition == e.Partition) {
			parts = append(parts, part{e.Partition, e.First, e.Last, f})
		}
		return ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", t, err)
	}
	// Blocks of one partition are committed in order; partitions take turns as they come.
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.first, b.first))
	})
	for _, p := range parts {
		if err := readParquet(ctx, s.lake.blockFile(t, p.partition, p.first, p.last), p.file, fn); err != nil {
			return fmt.Errorf("read %s: %w", t, err)
		}
	}
	return nil
}
