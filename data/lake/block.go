package lake

import (
	"context"
	"fmt"
	"io"

	"kindred/data"
	"kindred/data/event"
)

// Block is a run of one partition's log: every record with First ≤ offset ≤ Last,
// ascending. Where the log has no record at an offset there is none here either.
type Block struct {
	Partition   int32
	First, Last int64
	Records     []data.Record
}

// WriteBlock adds a block to the lake: its derived tables, then its events, then
// the manifest that names them. When it returns nil the block is durable and the
// partition's cursor is past it.
//
// It may be repeated after a crash or an error at any point: a block that is in
// the lake already is left alone. b.First must be the partition's cursor; if it is
// not, another archiver owns the partition now and the error is data.ErrStale,
// wrapped. One block at a time is encoded; the cost is a few times the memory of
// its records and five to six fsyncs.
func (l *Lake) WriteBlock(ctx context.Context, b Block) error {
	if err := b.validate(); err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.writeBlock(ctx, b); err != nil {
		return fmt.Errorf("archive block %d-%d of partition %d: %w", b.First, b.Last, b.Partition, err)
	}
	return nil
}

func (l *Lake) writeBlock(ctx context.Context, b Block) error {
	m, err := l.newest()
	if err != nil {
		return err
	}
	if done, err := checkTurn(m, b.Partition, b.First, b.Last); done || err != nil {
		return err
	}
	t := derive(b)
	e := entry{Partition: b.Partition, First: b.First, Last: b.Last, Files: map[Table]file{}}
	for _, table := range Tables() {
		f, err := l.writeTable(ctx, table, b, t)
		if err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
		if f.Rows > 0 {
			e.Files[table] = f
		}
	}
	return l.commit(ctx, e, t.now)
}

// checkTurn compares a block with the partition's cursor: done if the block is in
// the lake, an error if it does not come next.
func checkTurn(m *manifest, partition int32, first, last int64) (done bool, err error) {
	cursor := m.partition(partition).Cursor
	switch {
	case last < cursor:
		return true, nil
	case first != cursor:
		return false, fmt.Errorf("the next offset to archive is %d, the block begins at %d: %w", cursor, first, data.ErrStale)
	default:
		return false, nil
	}
}

func (b Block) validate() error {
	if b.Partition < 0 || b.First < 0 || b.Last < b.First {
		return fmt.Errorf("archive block %d-%d of partition %d: first must be at least 0 and last at least first", b.First, b.Last, b.Partition)
	}
	previous := b.First - 1
	for i, r := range b.Records {
		if r.Partition != b.Partition || r.Offset <= previous || r.Offset > b.Last {
			return fmt.Errorf("archive block %d-%d of partition %d: records[%d] is at %d/%d, after offset %d: records must ascend inside the block",
				b.First, b.Last, b.Partition, i, r.Partition, r.Offset, previous)
		}
		previous = r.Offset
	}
	return nil
}

// tables is a block as rows.
type tables struct {
	events       []EventRow
	interactions []InteractionRow
	impressions  []ImpressionRow
	links        []LinkRow
	now          Millis // latest received stamp
}

// derive is the whole of what a block says: a pure function of its records.
func derive(b Block) tables {
	t := tables{events: make([]EventRow, 0, len(b.Records))}
	var rows rowMaker
	for _, rec := range b.Records {
		row, e := rows.row(rec) // the rows keep strings of the event, which alias the record
		t.events = append(t.events, row)
		if row.Received != nil {
			t.now = max(t.now, *row.Received)
		}
		for _, i := range event.Interactions(e) {
			i.Partition, i.Offset = rec.Partition, rec.Offset
			t.interactions = append(t.interactions, newInteractionRow(i))
		}
		t.impressions = append(t.impressions, newImpressionRows(rec, e)...)
		if link, ok := newLinkRow(rec, e); ok {
			t.links = append(t.links, link)
		}
	}
	return t
}

func (l *Lake) writeTable(ctx context.Context, table Table, b Block, t tables) (file, error) {
	path := l.blockFile(table, b.Partition, b.First, b.Last)
	switch table {
	case Interactions:
		return writeRows(ctx, l.disk, path, t.interactions)
	case Impressions:
		return writeRows(ctx, l.disk, path, t.impressions)
	case Links:
		return writeRows(ctx, l.disk, path, t.links)
	default:
		return writeRows(ctx, l.disk, path, t.events)
	}
}

func writeRows[T any](ctx context.Context, d disk, path string, rows []T) (file, error) {
	if len(rows) == 0 {
		return file{}, nil
	}
	out, err := d.replace(path, func(w io.Writer) error {
		_, err := writeParquet(ctx, w, each(rows))
		return err
	})
	return file{Rows: int64(len(rows)), Bytes: out.size, CRC32C: out.crc}, err
}

// each streams a slice.
func each[T any](rows []T) Rows[T] {
	return func(yield func(T) error) error {
		for _, row := range rows {
			if err := yield(row); err != nil {
				return err
			}
		}
		return nil
	}
}
