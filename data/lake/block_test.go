package lake

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/data/event"
)

func TestABlockReadsBackAsItsRecordsAndWhatTheyMean(t *testing.T) {
	l := openLake(t, t.TempDir())
	b := blockOf(2, 0, everyKind()...)
	encrypted := append([]byte{1, 7}, "ciphertext"...)                                     // key 7 is nobody's here
	spaced := append([]byte{1, 0, ' '}, event.Append(nil, testEvent(9, "Page Viewed"))...) // an event, but not canonical
	for _, value := range [][]byte{[]byte("not an event"), encrypted, spaced} {
		b.Last++
		b.Records = append(b.Records, data.Record{Partition: 2, Offset: b.Last, Value: value})
	}
	mustWrite(t, l, b)
	s := mustSnapshot(t, l)

	var records []data.Record
	var interactions []data.Interaction
	err := s.Events(t.Context(), 2, func(r data.Record, e data.Event) error {
		records = append(records, r)
		if want, err := event.Open(r.Value); err == nil && !cmp.Equal(e, want) {
			t.Errorf("event at %d differs from its record:\n%s", r.Offset, cmp.Diff(want, e))
		} else if err != nil && !cmp.Equal(e, data.Event{}) {
			t.Errorf("record at %d is no event, but came with %v", r.Offset, e)
		}
		return nil
	})
	if err != nil || !cmp.Equal(records, b.Records) {
		t.Errorf("Events, %v, differs from the log:\n%s", err, cmp.Diff(b.Records, records))
	}

	var want []data.Interaction
	for i, e := range everyKind() {
		for _, in := range event.Interactions(e) {
			in.Partition, in.Offset = 2, int64(i)
			want = append(want, in)
		}
	}
	err = s.Interactions(t.Context(), func(i data.Interaction) error { interactions = append(interactions, i); return nil })
	if err != nil || len(want) < 4 || !cmp.Equal(interactions, want) {
		t.Errorf("Interactions, %v, differs from event.Interactions:\n%s", err, cmp.Diff(want, interactions))
	}

	ann, anon := data.NewProfileID(data.IDUser, "ann"), data.NewProfileID(data.IDAnonymous, "a-1")
	var impressions []data.Impression
	shown := everyKind()[3]
	err = s.Impressions(t.Context(), func(i data.Impression) error { impressions = append(impressions, i); return nil })
	wantShown := []data.Impression{
		{Request: "r1", Profile: ann, Slot: "home", Model: "m-1", Arm: "b", Item: "lamp", Position: 1, Score: .9, Propensity: .5, At: shown.Times.Event, Partition: 2, Offset: 3},
		{Request: "r1", Profile: ann, Slot: "home", Model: "m-1", Arm: "b", Item: "desk", Position: 2, Score: .25, At: shown.Times.Event, Partition: 2, Offset: 3},
	}
	if err != nil || !cmp.Equal(impressions, wantShown) {
		t.Errorf("Impressions, %v:\n%s", err, cmp.Diff(wantShown, impressions))
	}

	var links []data.Link
	err = s.Links(t.Context(), func(l data.Link) error { links = append(links, l); return nil })
	wantLinks := []data.Link{
		{From: anon, To: ann, At: everyKind()[4].Times.Received, Partition: 2, Offset: 4},
		{From: ann, At: everyKind()[7].Times.Received, Partition: 2, Offset: 7},
	}
	if err != nil || !cmp.Equal(links, wantLinks) {
		t.Errorf("Links, %v:\n%s", err, cmp.Diff(wantLinks, links))
	}
	if s.Rows(Events) != 12 || s.Rows(Impressions) != 2 || s.Rows(Links) != 2 || s.Rows(Interactions) != int64(len(want)) {
		t.Errorf("row counts are %v", s.manifest.Rows)
	}
}

func TestWritingABlockAgainChangesNothing(t *testing.T) {
	dir := t.TempDir()
	l := openLake(t, dir)
	first, second := blockOf(0, 0, everyKind()...), blockOf(0, 9, everyKind()...)
	mustWrite(t, l, first, second)
	before := tree(t, dir)
	mustWrite(t, openLake(t, dir), first, second, first)
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("the second writing changed the lake:\n%s", diff)
	}
}

func TestABlockOutOfTurnIsStale(t *testing.T) {
	l := openLake(t, t.TempDir())
	mustWrite(t, l, blockOf(0, 0, testEvent(0, "A"), testEvent(1, "B")))
	for name, b := range map[string]Block{
		"gap":     blockOf(0, 3, testEvent(3, "C")),
		"overlap": blockOf(0, 1, testEvent(1, "B"), testEvent(2, "C")),
	} {
		if err := l.WriteBlock(t.Context(), b); !errors.Is(err, data.ErrStale) {
			t.Errorf("%s: WriteBlock = %v; want data.ErrStale", name, err)
		}
	}
	if got, err := l.Cursor(t.Context(), 0); got != 2 || err != nil {
		t.Errorf("Cursor = %d, %v; want 2, nil", got, err)
	}
}

func TestABlockThatContradictsItselfIsRefused(t *testing.T) {
	good := blockOf(0, 0, testEvent(0, "A"), testEvent(1, "B"))
	for name, change := range map[string]func(*Block){
		"last before first":          func(b *Block) { b.Last = -1 },
		"negative partition":         func(b *Block) { b.Partition = -1 },
		"record of other partition":  func(b *Block) { b.Records[1].Partition = 1 },
		"records out of order":       func(b *Block) { b.Records[0], b.Records[1] = b.Records[1], b.Records[0] },
		"record past the last":       func(b *Block) { b.Last = 0 },
		"the same record twice":      func(b *Block) { b.Records[1] = b.Records[0] },
		"record before the first":    func(b *Block) { b.First = 1 },
		"first is before the start":  func(b *Block) { b.First = -1 },
		"record without any offset":  func(b *Block) { b.Records[1].Offset = 0 },
		"partition of another block": func(b *Block) { b.Partition = 1 },
	} {
		b := good
		b.Records = append([]data.Record(nil), good.Records...)
		change(&b)
		if err := openLake(t, t.TempDir()).WriteBlock(t.Context(), b); err == nil {
			t.Errorf("%s: WriteBlock took it", name)
		}
	}
}

// The files of a block, and the order that rows are read in, do not depend on what
// else was written before, or on which process wrote it.
func TestFilesAndReadingOrderAreAFunctionOfTheBlocks(t *testing.T) {
	blocks := []Block{blockOf(0, 0, everyKind()...), blockOf(0, 9, testEvent(20, "Product Viewed", "x")), blockOf(1, 0, everyKind()...)}
	read := func(order ...int) (map[string]string, []data.Interaction) {
		dir := t.TempDir()
		for _, i := range order {
			mustWrite(t, openLake(t, dir), blocks[i])
		}
		files := tree(t, dir)
		for path := range files {
			if filepath.Base(filepath.Dir(path)) == "manifest" {
				delete(files, path)
			}
		}
		var rows []data.Interaction
		err := mustSnapshot(t, openLake(t, dir)).Interactions(t.Context(), func(i data.Interaction) error {
			rows = append(rows, i)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return files, rows
	}
	files, rows := read(0, 1, 2)
	for _, order := range [][]int{{2, 0, 1}, {0, 2, 1}} {
		otherFiles, otherRows := read(order...)
		if diff := cmp.Diff(files, otherFiles); diff != "" {
			t.Errorf("order %v gives other files:\n%s", order, diff)
		}
		if diff := cmp.Diff(rows, otherRows); diff != "" {
			t.Errorf("order %v gives other rows:\n%s", order, diff)
		}
	}
}

var errCrash = errors.New("the power went")

// A crash at each step that touches the directory, in turn: after it the lake is
// as before the block or as after it, and writing again gives the very lake that
// an undisturbed writer makes.
func TestACrashAtAnyStepLosesAndDuplicatesNothing(t *testing.T) {
	before, during, after := blockOf(0, 0, testEvent(0, "A")), blockOf(0, 1, everyKind()...), blockOf(0, 10, testEvent(90, "Z"))
	undisturbed := t.TempDir()
	mustWrite(t, openLake(t, undisturbed), before, during, after)
	want := tree(t, undisturbed)

	var steps []string
	for crashAt := 0; ; crashAt++ {
		dir := t.TempDir()
		l := openLake(t, dir)
		mustWrite(t, l, before)
		n, crashed := 0, ""
		l.disk.fault = func(step string) error {
			if n++; n > crashAt {
				if crashed == "" {
					crashed = step
				}
				return errCrash
			}
			return nil
		}
		err := l.WriteBlock(t.Context(), during)
		if crashed == "" { // it got through
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		steps = append(steps, crashed)
		if !errors.Is(err, errCrash) {
			t.Fatalf("crash at %q: WriteBlock = %v; want the crash", crashed, err)
		}

		l = openLake(t, dir) // the next process
		s := mustSnapshot(t, l)
		if c := s.Cursors()[0]; !(c == 1 && s.Rows(Events) == 1 || c == 10 && s.Rows(Events) == 10) {
			t.Fatalf("crash at %q: cursor %d with %d events; want 1 with 1 or 10 with 10", crashed, c, s.Rows(Events))
		}
		mustWrite(t, l, during, after)
		if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
			t.Errorf("crash at %q: the lake differs from an undisturbed one:\n%s", crashed, diff)
		}
	}
	// write, move and sync of four tables and a manifest
	if len(steps) != 15 {
		t.Errorf("crashed at %d steps, %q; want 15", len(steps), steps)
	}
}

// anyValue is a record's value: an event, or bytes that may be anything.
func anyValue() *rapid.Generator[[]byte] {
	return rapid.OneOf(
		rapid.Map(rapid.StringOfN(rapid.Rune(), 0, 20, -1), func(name string) []byte { return event.Seal(testEvent(1, name)) }),
		rapid.SliceOfN(rapid.Byte(), 1, 50),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 50), func(b []byte) []byte { return append([]byte{1, 0}, b...) }),
	)
}

func TestAnyRecordComesBackByteForByteFromItsRow(t *testing.T) {
	var rows rowMaker // the same memory for one after the other
	rapid.Check(t, func(t *rapid.T) {
		want := data.Record{Partition: 1, Offset: 7, Value: anyValue().Draw(t, "value")}
		row, _ := rows.row(want)
		if again, _ := newEventRow(want); !cmp.Equal(row, again) {
			t.Fatalf("row = %v, on its own %v", row, again)
		}
		got, _, err := row.record()
		if err != nil || !cmp.Equal(got, want) {
			t.Fatalf("record = %v, %v; want %v", got, err, want)
		}
	})
}

func TestAnyRecordComesBackByteForByteFromAFile(t *testing.T) {
	var want, got []data.Record
	var rows []EventRow
	for i := range 3*batchRows/2 + 1 {
		rec := data.Record{Offset: int64(i), Value: anyValue().Example(i)}
		row, _ := newEventRow(rec)
		want, rows = append(want, rec), append(rows, row)
	}
	path := filepath.Join(t.TempDir(), "events.parquet")
	out, err := writeRows(t.Context(), disk{}, path, rows)
	if err != nil {
		t.Fatal(err)
	}
	err = readParquet(t.Context(), path, out, func(r *EventRow) error {
		rec, _, err := r.record()
		got = append(got, rec)
		return err
	})
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("reading, %v, differs from the log:\n%s", err, cmp.Diff(want, got))
	}
}
