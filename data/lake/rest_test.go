package lake

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/data/event"
)

// TestWritingABlockRestsInBetween: no piece of the work is long, and the files are
// those that are written without a rest.
func TestWritingABlockRestsInBetween(t *testing.T) {
	const n = 4*batchRows + 10
	b := Block{Last: n - 1}
	for i := range n {
		b.Records = append(b.Records, data.Record{Offset: int64(i), Value: event.Seal(testEvent(i, "Product Viewed", "lamp"))})
	}
	plain, resting := openLake(t, t.TempDir()), openLake(t, t.TempDir())
	rests := 0
	resting.Rest = func() { rests++ }
	mustWrite(t, plain, b)
	mustWrite(t, resting, b)
	records, batches := n/restRecords, 2*(n/batchRows) // of events and of interactions
	if pages := 2; rests < records+batches+pages {
		t.Errorf("%d rests; want %d while %d records become rows, %d while those are encoded, and one for each page", rests, records, n, batches)
	}
	for _, table := range []Table{Events, Interactions} {
		read := func(l *Lake) []byte {
			text, err := os.ReadFile(l.blockFile(table, 0, 0, n-1))
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		if !cmp.Equal(read(plain), read(resting)) {
			t.Errorf("the %s written with rests differ", table)
		}
	}
}
