package lake

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"kindred/data"
)

// Format is what an export is written as.
type Format string

// The formats of an export.
const (
	JSONL   Format = "jsonl"   // one JSON object a line
	Parquet Format = "parquet" // one file, zstd
)

// ParseFormat checks a format's name.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case JSONL, Parquet:
		return f, nil
	}
	return "", fmt.Errorf("unknown export format %q; use jsonl or parquet", s)
}

// Export writes rows to w and returns how many. T is a struct whose fields have
// json and parquet tags, such as ItemRow, ProfileRow or InteractionRow; memory
// stays at one row group. The same rows give the same bytes.
func Export[T any](ctx context.Context, f Format, w io.Writer, rows Rows[T]) (int64, error) {
	switch f {
	case Parquet:
		return writeParquet(ctx, w, rows)
	case JSONL:
		return writeLines(ctx, w, func(yield func([]byte) error) error {
			return rows(func(row T) error {
				line, err := json.Marshal(row)
				if err != nil {
					return err
				}
				return yield(line)
			})
		})
	default:
		_, err := ParseFormat(string(f))
		return 0, err
	}
}

// ExportInteractions writes every interaction of the snapshot as InteractionRow.
func ExportInteractions(ctx context.Context, s *Snapshot, f Format, w io.Writer) (int64, error) {
	n, err := Export(ctx, f, w, rowsOf[InteractionRow](ctx, s, Interactions))
	if err != nil {
		return n, fmt.Errorf("export interactions: %w", err)
	}
	return n, nil
}

// ExportEvents writes every record of the snapshot. As Parquet the rows are
// EventRow, records that are no events included. As JSONL a line is a canonical
// event, fit to be imported again with format jsonl; records that are no events
// have no line.
func ExportEvents(ctx context.Context, s *Snapshot, f Format, w io.Writer) (n int64, err error) {
	rows := rowsOf[EventRow](ctx, s, Events)
	if f == JSONL {
		n, err = writeLines(ctx, w, func(yield func([]byte) error) error {
			return rows(func(row EventRow) error {
				if row.JSON == "" {
					return nil
				}
				return yield([]byte(row.JSON))
			})
		})
	} else {
		n, err = Export(ctx, f, w, rows)
	}
	if err != nil {
		return n, fmt.Errorf("export events: %w", err)
	}
	return n, nil
}

// ExportItems writes items as ItemRow.
func ExportItems(ctx context.Context, f Format, w io.Writer, items Rows[data.Item]) (int64, error) {
	n, err := Export(ctx, f, w, mapped(items, NewItemRow))
	if err != nil {
		return n, fmt.Errorf("export items: %w", err)
	}
	return n, nil
}

// ExportProfiles writes profiles as ProfileRow.
func ExportProfiles(ctx context.Context, f Format, w io.Writer, profiles Rows[data.Profile]) (int64, error) {
	n, err := Export(ctx, f, w, mapped(profiles, NewProfileRow))
	if err != nil {
		return n, fmt.Errorf("export profiles: %w", err)
	}
	return n, nil
}

// WriteFile makes path a file of what write produces: complete and synced, or not
// there. What was at path before stays until then.
func WriteFile(path string, write func(io.Writer) error) error {
	_, err := disk{}.replace(path, write)
	return err
}

func rowsOf[R any](ctx context.Context, s *Snapshot, t Table) Rows[R] {
	return func(yield func(R) error) error {
		return scan(ctx, s, t, allPartitions, func(r *R) error { return yield(*r) })
	}
}

func mapped[V, R any](values Rows[V], row func(V) R) Rows[R] {
	return func(yield func(R) error) error {
		return values(func(v V) error { return yield(row(v)) })
	}
}

// writeLines writes one line for each that lines yields.
func writeLines(ctx context.Context, w io.Writer, lines Rows[[]byte]) (n int64, err error) {
	out := bufio.NewWriterSize(w, 64<<10)
	err = lines(func(line []byte) error {
		if n%batchRows == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		n++
		out.Write(line) // the error is kept for Flush
		return out.WriteByte('\n')
	})
	if err != nil {
		return n, err
	}
	return n, out.Flush()
}
