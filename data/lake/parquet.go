package lake

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// Rows is a stream of rows: it calls yield for each, and stops at the first error,
// its own or yield's, and returns it.
type Rows[T any] func(yield func(T) error) error

const (
	// rowGroupRows bounds what a writer keeps in memory, and what a reader has to skip.
	rowGroupRows = 100_000
	// batchRows is how many rows are encoded or decoded at a time.
	batchRows = 512
)

// writeParquet writes rows as one Parquet file. The same rows give the same bytes
// for one build of this program.
func writeParquet[T any](ctx context.Context, w io.Writer, rows Rows[T]) (n int64, err error) {
	out := parquet.NewGenericWriter[T](w,
		parquet.Compression(&parquet.Zstd),
		parquet.CreatedBy("kindred", "1", "lake"),
		parquet.DataPageVersion(1), // the version that every reader has
		parquet.MaxRowsPerRowGroup(rowGroupRows),
		parquet.SkipPageBounds("json"), // whole events make no useful bounds
	)
	batch := make([]T, 0, batchRows)
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := out.Write(batch)
		clear(batch)
		batch = batch[:0]
		return err
	}
	err = rows(func(row T) error {
		n++
		if batch = append(batch, row); len(batch) < cap(batch) {
			return nil
		}
		return flush()
	})
	if err != nil {
		return 0, err
	}
	if err := flush(); err != nil {
		return 0, err
	}
	return n, out.Close()
}

// readParquet streams the rows of a file, batchRows at a time. want is what the
// manifest says about it; a file that disagrees is a *CorruptError, found before
// the first row by reading it once for its checksum. The row that fn gets is
// overwritten after it returns; strings and slices in it are not.
func readParquet[T any](ctx context.Context, path string, want file, fn func(*T) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := verify(f, want); err != nil {
		return err
	}
	in, err := parquet.OpenFile(f, want.Bytes, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return &CorruptError{path, err.Error()}
	}
	if in.NumRows() != want.Rows {
		return &CorruptError{path, fmt.Sprintf("it has %d rows, the manifest says %d", in.NumRows(), want.Rows)}
	}
	rows := parquet.NewGenericReader[T](in)
	defer rows.Close()
	batch := make([]T, batchRows)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		clear(batch)
		n, err := rows.Read(batch)
		for i := range batch[:n] {
			if err := fn(&batch[i]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &CorruptError{path, err.Error()}
		}
	}
}

// verify reads the file to its end and compares it with what the manifest says.
func verify(f *os.File, want file) error {
	sum := crc32.New(castagnoli())
	size, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if size != want.Bytes {
		return &CorruptError{f.Name(), fmt.Sprintf("it is %d bytes long, the manifest says %d", size, want.Bytes)}
	}
	if got := sum.Sum32(); got != want.CRC32C {
		return &CorruptError{f.Name(), fmt.Sprintf("its CRC-32C is %08x, the manifest says %08x", got, want.CRC32C)}
	}
	return nil
}
