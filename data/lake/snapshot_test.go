package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

func TestASnapshotDoesNotSeeWhatIsArchivedLater(t *testing.T) {
	l := openLake(t, t.TempDir())
	mustWrite(t, l, blockOf(0, 0, testEvent(0, "Product Viewed", "lamp")))
	s := mustSnapshot(t, l)
	for i := range int64(keptManifests + 1) { // even when its own manifest is pruned
		mustWrite(t, l, blockOf(0, 1+i, testEvent(int(1+i), "Product Viewed", "desk")))
	}
	var items []data.ItemID
	err := s.Interactions(t.Context(), func(i data.Interaction) error { items = append(items, i.Item); return nil })
	if err != nil || !cmp.Equal(items, []data.ItemID{"lamp"}) {
		t.Errorf("Interactions = %v, %v; want lamp alone", items, err)
	}
	if s.Version() != 1 || s.Rows(Interactions) != 1 || !s.Watermark().Equal(noon) {
		t.Errorf("version %d, %d rows, watermark %v; want 1, 1 and noon", s.Version(), s.Rows(Interactions), s.Watermark())
	}
}

func TestReadingCrossesBatchesAndBlocksInOrder(t *testing.T) {
	l := openLake(t, t.TempDir())
	var events []data.Event
	for i := range 2*batchRows + 7 {
		events = append(events, testEvent(i, "Product Viewed", "lamp"))
	}
	mustWrite(t, l, blockOf(1, 0, events...), blockOf(0, 0, events[:5]...), blockOf(0, 5, events[:3]...))
	s := mustSnapshot(t, l)
	type at struct {
		Partition int32
		Offset    int64
	}
	var got, want []at
	for o := range int64(8) {
		want = append(want, at{0, o})
	}
	for o := range int64(len(events)) {
		want = append(want, at{1, o})
	}
	err := s.Interactions(t.Context(), func(i data.Interaction) error { got = append(got, at{i.Partition, i.Offset}); return nil })
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("Interactions, %v, in order:\n%s", err, cmp.Diff(want, got))
	}
	got = nil
	err = s.Events(t.Context(), 1, func(r data.Record, _ data.Event) error { got = append(got, at{r.Partition, r.Offset}); return nil })
	if err != nil || !cmp.Equal(got, want[8:]) {
		t.Errorf("Events of partition 1, %v:\n%s", err, cmp.Diff(want[8:], got))
	}
	if got := s.Partitions(); !cmp.Equal(got, []int32{0, 1}) {
		t.Errorf("Partitions = %v", got)
	}
}

func TestReadingStopsWhenTheCallerDoes(t *testing.T) {
	l := openLake(t, t.TempDir())
	mustWrite(t, l, blockOf(0, 0, testEvent(0, "Product Viewed", "lamp", "desk", "sofa")))
	s := mustSnapshot(t, l)
	errEnough := errors.New("enough")
	n := 0
	if err := s.Interactions(t.Context(), func(data.Interaction) error { n++; return errEnough }); !errors.Is(err, errEnough) || n != 1 {
		t.Errorf("Interactions = %v after %d rows; want the callback's error after 1", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Interactions(ctx, func(data.Interaction) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Interactions with an ended context = %v", err)
	}
	if err := l.WriteBlock(ctx, blockOf(0, 1, testEvent(1, "A"))); !errors.Is(err, context.Canceled) {
		t.Errorf("WriteBlock with an ended context = %v", err)
	}
}

// Parquet's own checksums would not do: those of dictionary pages are not checked.
func TestAFileWithAnyByteChangedIsNotRead(t *testing.T) {
	l := openLake(t, t.TempDir())
	mustWrite(t, l, blockOf(0, 0, everyKind()...))
	s := mustSnapshot(t, l)
	path := l.blockFile(Interactions, 0, 0, 8)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, bad []byte) {
		t.Helper()
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		rows := 0
		err := s.Interactions(t.Context(), func(data.Interaction) error { rows++; return nil })
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || corrupt.File != path || rows != 0 {
			t.Errorf("%s: %d rows, then %v; want none and a *CorruptError that names the file", what, rows, err)
		}
	}
	for i := 0; i < len(good); i += 41 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x41
		check(fmt.Sprintf("byte %d of %d changed", i, len(good)), bad)
	}
	check("one byte short", good[:len(good)-1])
	check("one byte more", append(bytes.Clone(good), 0))
	check("empty", nil)
}
