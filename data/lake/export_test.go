package lake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"kindred/data"
	"kindred/data/event"
)

// fromParquet reads back an export.
func fromParquet[T any](t *testing.T, b []byte) []T {
	t.Helper()
	rows, err := parquet.Read[T](bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// fromLines reads back an export.
func fromLines[T any](t *testing.T, b []byte) (rows []T) {
	t.Helper()
	for line := range strings.Lines(string(b)) {
		var row T
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestBothFormatsOfAnExportSayTheSame(t *testing.T) {
	l := openLake(t, t.TempDir())
	mustWrite(t, l, blockOf(1, 0, everyKind()...), blockOf(0, 0, everyKind()...))
	s := mustSnapshot(t, l)
	var lines, file bytes.Buffer
	for f, w := range map[Format]*bytes.Buffer{JSONL: &lines, Parquet: &file} {
		if n, err := ExportInteractions(t.Context(), s, f, w); err != nil || n != s.Rows(Interactions) {
			t.Fatalf("ExportInteractions as %s = %d, %v; want %d rows", f, n, err, s.Rows(Interactions))
		}
	}
	a, b := fromLines[InteractionRow](t, lines.Bytes()), fromParquet[InteractionRow](t, file.Bytes())
	if !cmp.Equal(a, b) || len(a) != int(s.Rows(Interactions)) {
		t.Errorf("JSONL and Parquet differ:\n%s", cmp.Diff(a, b))
	}
}

func TestExportedEventsAreCanonicalLines(t *testing.T) {
	l := openLake(t, t.TempDir())
	b := blockOf(0, 0, everyKind()...)
	b.Last++
	b.Records = append(b.Records, data.Record{Offset: b.Last, Value: []byte("poison")})
	mustWrite(t, l, b)
	var out bytes.Buffer
	n, err := ExportEvents(t.Context(), mustSnapshot(t, l), JSONL, &out)
	if err != nil || n != 9 {
		t.Fatalf("ExportEvents = %d, %v; want 9: poison has no line", n, err)
	}
	i := 0
	for line := range strings.Lines(out.String()) {
		if want := string(event.Append(nil, everyKind()[i])) + "\n"; line != want {
			t.Errorf("line %d is %q; want %q", i, line, want)
		}
		i++
	}
	out.Reset()
	if n, err = ExportEvents(t.Context(), mustSnapshot(t, l), Parquet, &out); err != nil || n != 10 {
		t.Fatalf("ExportEvents as parquet = %d, %v; want 10", n, err)
	}
	if rows := fromParquet[EventRow](t, out.Bytes()); len(rows) != 10 || string(rows[9].Raw) != "poison" || rows[1].Item != "lamp" {
		t.Errorf("rows are %v", rows)
	}
}

func TestAnExportedItemIsReadAsTheItemItWas(t *testing.T) {
	items := []data.Item{
		{ID: "bare"},
		{
			ID: "lamp", Title: "Lamp", Text: "a lamp", Categories: []string{"light"}, Tags: []string{"led", "desk"}, Brand: "Ikea", Price: 9.5,
			Currency: "EUR", URL: "https://shop.example/lamp", ImageURL: "https://shop.example/lamp.png", Hidden: true,
			Published: noon, Attributes: json.RawMessage(`{"watt":5}`), Updated: noon,
		},
	}
	var lines, file bytes.Buffer
	for f, w := range map[Format]*bytes.Buffer{JSONL: &lines, Parquet: &file} {
		if n, err := ExportItems(t.Context(), f, w, each(items)); err != nil || n != 2 {
			t.Fatalf("ExportItems as %s = %d, %v", f, n, err)
		}
	}
	if got := fromLines[data.Item](t, lines.Bytes()); !cmp.Equal(got, items) {
		t.Errorf("items differ:\n%s", cmp.Diff(items, got))
	}
	rows := fromParquet[ItemRow](t, file.Bytes())
	if len(rows) != 2 || string(rows[1].Attributes) != `{"watt":5}` || !cmp.Equal(rows[1].Tags, items[1].Tags) || rows[1].Published.Time() != noon {
		t.Errorf("Parquet rows are %+v", rows)
	}
}

func TestAnExportedProfileKeepsWhatPeopleAnalyse(t *testing.T) {
	p := data.Profile{
		ID: "p1", Version: 7, FirstSeen: 1000, LastSeen: 2000, Sessions: 2,
		Identity:   []data.Identifier{{Kind: data.IDAnonymous, ID: "a-1"}, {Kind: data.IDUser, ID: "ann"}},
		Traits:     []data.Trait{{Name: "age", Value: json.RawMessage(`31`)}},
		Affinities: []data.Affinity{{Facet: "category", Value: "light", Decayed: data.Decayed{S: 2.5, T: 2000}}},
		History:    []data.HistoryItem{{Item: "lamp", Count: 3, Weight: 5, Last: 2000}},
		Clusters:   []data.Assignment{{Model: "behaviour", Cluster: 4, Confidence: .75}},
	}
	at := func(ms Millis) *Millis { return &ms }
	want := []ProfileRow{{
		ID: "p1", Users: []string{"ann"}, Anonymous: []string{"a-1"}, Events: 7, FirstSeen: at(1000), LastSeen: at(2000), Sessions: 2,
		Cluster: 4, Confidence: .75,
		Traits:     []TraitRow{{Name: "age", Value: Object("31")}},
		Affinities: []AffinityRow{{Facet: "category", Value: "light", S: 2.5, At: at(2000)}},
		History:    []HistoryRow{{Item: "lamp", Count: 3, Weight: 5, Last: at(2000)}},
	}}
	var lines, file bytes.Buffer
	for f, w := range map[Format]*bytes.Buffer{JSONL: &lines, Parquet: &file} {
		if n, err := ExportProfiles(t.Context(), f, w, each([]data.Profile{p})); err != nil || n != 1 {
			t.Fatalf("ExportProfiles as %s = %d, %v", f, n, err)
		}
	}
	if got := fromLines[ProfileRow](t, lines.Bytes()); !cmp.Equal(got, want) {
		t.Errorf("JSONL differs:\n%s", cmp.Diff(want, got))
	}
	if got := fromParquet[ProfileRow](t, file.Bytes()); !cmp.Equal(got, want) {
		t.Errorf("Parquet differs:\n%s", cmp.Diff(want, got))
	}
}

func TestAnExportStopsAtTheFirstError(t *testing.T) {
	errSource := errors.New("the store went away")
	rows := func(yield func(data.Item) error) error {
		if err := yield(data.Item{ID: "lamp"}); err != nil {
			return err
		}
		return errSource
	}
	for _, f := range []Format{JSONL, Parquet} {
		if _, err := ExportItems(t.Context(), f, io.Discard, rows); !errors.Is(err, errSource) {
			t.Errorf("%s: ExportItems = %v; want the source's error", f, err)
		}
		if _, err := ExportItems(t.Context(), f, brokenPipe{}, each(make([]data.Item, 2000))); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: ExportItems = %v; want the writer's error", f, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := ExportItems(ctx, f, io.Discard, each(make([]data.Item, 2000))); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: ExportItems with an ended context = %v", f, err)
		}
	}
	if _, err := ExportItems(t.Context(), "csv", io.Discard, rows); err == nil || !strings.Contains(err.Error(), "use jsonl or parquet") {
		t.Errorf("ExportItems as csv = %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteFileReplacesWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	if err := WriteFile(path, content([]byte("old"))); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(path, func(w io.Writer) error {
		fmt.Fprint(w, "half of the new")
		return io.ErrUnexpectedEOF
	})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("WriteFile = %v; want the callback's error", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "old" {
		t.Errorf("the file has %q, %v; want the old content", b, err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func ExampleExport() {
	rows := []InteractionRow{{ID: "e1", Profile: "p1", Item: "lamp", Kind: "view", At: NewMillis(noon)}}
	if _, err := Export(context.Background(), JSONL, os.Stdout, each(rows)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"partition":0,"offset":0,"id":"e1","profile":"p1","item":"lamp","kind":"view","value":0,"event_time":"2026-03-01T12:00:00.000Z"}
}
