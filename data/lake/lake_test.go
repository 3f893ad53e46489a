package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/data/event"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testEvent is a plain track event of a profile, received i seconds after noon.
func testEvent(i int, name string, items ...string) data.Event {
	at := noon.Add(time.Duration(i) * time.Second)
	e := data.Event{
		V: data.EventVersion, ID: fmt.Sprintf("e%d", i), Source: "shop", Space: "default", Env: "prod",
		Type: data.Track, Name: name,
		IDs:     data.IDs{User: "ann", Anonymous: "a-1"},
		Profile: data.NewProfileID(data.IDUser, "ann"),
		Times:   data.Times{Event: at.Add(-time.Second), Received: at},
		Session: data.SessionRef{ID: "s1"},
	}
	for _, id := range items {
		e.Items = append(e.Items, data.EventItem{ID: data.ItemID(id), Quantity: 2, Price: 1.5})
	}
	return e
}

func systemEvent(i int, name string) data.Event {
	e := testEvent(i, name)
	e.Type, e.Source, e.IDs, e.Session = data.System, "kindred", data.IDs{}, data.SessionRef{}
	return e
}

// everyKind has one event of every sort that the lake treats differently.
func everyKind() []data.Event {
	bought := testEvent(2, "Order Completed", "lamp", "desk")
	bought.Rec = &data.RecRef{Request: "r1", Position: 2}
	bought.Props = json.RawMessage(`{"order_id":"o1"}`)
	shown := systemEvent(3, data.SysImpression)
	shown.Shown = &data.Shown{Request: "r1", Slot: "home", Model: "m-1", Arm: "b", Items: []data.ShownItem{
		{Item: "lamp", Position: 1, Score: .9, Propensity: .5}, {Item: "desk", Position: 2, Score: .25},
	}}
	absorb := systemEvent(4, data.SysAbsorb)
	absorb.Absorb = &data.Absorb{From: data.NewProfileID(data.IDAnonymous, "a-1"), State: []byte{1, 2, 3}}
	marker := systemEvent(6, data.SysMarker)
	marker.Marker = &data.Marker{Models: "m-1"}
	imported := testEvent(8, "Item Rated", "sofa")
	imported.Imported = true
	imported.Props = json.RawMessage(`{"rating":4.5}`)
	return []data.Event{
		testEvent(0, "Page Viewed"), testEvent(1, "Product Viewed", "lamp"), bought, shown, absorb,
		systemEvent(5, data.SysTick), marker, systemEvent(7, data.SysDelete), imported,
	}
}

// blockOf seals events into a block of the partition beginning at offset first.
func blockOf(partition int32, first int64, events ...data.Event) Block {
	b := Block{Partition: partition, First: first, Last: first + int64(len(events)) - 1}
	for i, e := range events {
		b.Records = append(b.Records, data.Record{Partition: partition, Offset: first + int64(i), Value: event.Seal(e)})
	}
	return b
}

func openLake(t testing.TB, dir string) *Lake {
	t.Helper()
	l, err := Open(dir, data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustWrite(t testing.TB, l *Lake, blocks ...Block) {
	t.Helper()
	for _, b := range blocks {
		if err := l.WriteBlock(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func mustSnapshot(t testing.TB, l *Lake) *Snapshot {
	t.Helper()
	s, err := l.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tree reads every complete file below dir, by path.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), temporaryPrefix) {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestOpenRefusesASpaceNameThatIsNoName(t *testing.T) {
	if _, err := Open(t.TempDir(), "../evil"); err == nil {
		t.Fatal("Open took the space ../evil")
	}
}

func TestOpenRemovesOnlyTemporaryFilesOfADayAgo(t *testing.T) {
	dir := t.TempDir()
	l := openLake(t, dir)
	old, young := filepath.Join(l.manifestDir(), temporaryPrefix+"old"), filepath.Join(l.manifestDir(), temporaryPrefix+"young")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	openLake(t, dir)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old temporary file is still there: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young temporary file, perhaps of another process, is gone: %v", err)
	}
}

func TestSpacesShareNothing(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, openLake(t, dir), blockOf(0, 0, everyKind()...))
	other, err := Open(dir, "other")
	if err != nil {
		t.Fatal(err)
	}
	if s := mustSnapshot(t, other); s.Rows(Events) != 0 || s.Version() != 0 || len(s.Cursors()) != 0 {
		t.Errorf("space other sees %d events at version %d, cursors %v; want nothing", s.Rows(Events), s.Version(), s.Cursors())
	}
}

func TestPositionGoesOnFromTheLastBlock(t *testing.T) {
	l := openLake(t, t.TempDir())
	late := blockOf(3, 2, testEvent(60, "A"), testEvent(10, "B")) // received stamps need not ascend
	mustWrite(t, l, blockOf(3, 0, testEvent(1, "A"), testEvent(2, "B")), late, blockOf(3, 4, testEvent(0, "D")), blockOf(1, 0, testEvent(5, "C")))
	for partition, want := range map[int32]Position{
		0: {}, 1: {Next: 1, Now: noon.Add(5 * time.Second)}, 3: {Next: 5, Now: noon.Add(time.Minute)},
	} {
		got, err := l.Position(t.Context(), partition)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("Position(%d) = %v, %v; want %v, nil", partition, got, err, want)
		}
	}
	if got := mustSnapshot(t, l).Watermark(); !got.Equal(noon.Add(time.Minute)) {
		t.Errorf("Watermark = %v; want a minute past noon", got)
	}
}
