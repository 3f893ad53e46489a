package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/data/event"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// staged stages a data set and gives back its events.
func staged(t *testing.T, ds *Dataset, in StageOptions) []data.Event {
	t.Helper()
	s, err := Stage(t.Context(), ds, t.TempDir(), in)
	if err != nil {
		t.Fatal(err)
	}
	var out []data.Event
	if err := s.Events(func(e data.Event) error { out = append(out, e); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(out) != s.Count() {
		t.Errorf("%d events, Count = %d", len(out), s.Count())
	}
	return out
}

// ratings is a data set of a few rows.
func ratings(rows ...data.Interaction) *Dataset {
	return &Dataset{Name: "x", Format: "csv", Interactions: rows, Items: []data.Item{{ID: "a", Categories: []string{"c"}}, {ID: "b"}}}
}

func ids(events []data.Event) (out []string) {
	for _, e := range events {
		out = append(out, e.ID)
	}
	return out
}

func TestARatingBecomesATrackEvent(t *testing.T) {
	ds := ratings(act("u", "a", data.Rating, 4, unix(100)))
	ds.Users = []data.User{{ID: "u", Traits: map[string]any{"age": 24.0}}, {ID: "nothing known"}}
	got := staged(t, ds, StageOptions{Space: "default", Env: "prod", Now: noon})
	times := data.Times{Event: unix(100), Original: unix(100), Received: noon}
	want := []data.Event{
		{V: 1, Source: "import-csv", Space: "default", Env: "prod", Type: data.Identify, IDs: data.IDs{User: "u"}, Times: times, Traits: []byte(`{"age":24}`), Imported: true},
		{V: 1, Source: "import-csv", Space: "default", Env: "prod", Type: data.Track, Name: "Item Rated", IDs: data.IDs{User: "u"}, Times: times,
			Props: []byte(`{"product_id":"a","rating":4}`), Items: []data.EventItem{{ID: "a", Facets: map[string][]string{"category": {"c"}}}}, Value: 4, Imported: true},
	}
	for i := range got {
		if len(got[i].ID) != 32 {
			t.Errorf("id %q is no hash", got[i].ID)
		}
		got[i].ID = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryKindComesBackFromItsEvent(t *testing.T) {
	for k := data.View; k <= data.Hide; k++ {
		for _, value := range []float64{0, .9, 4, 45} {
			row := act("u", "a", k, value, unix(100))
			e := staged(t, ratings(row), StageOptions{Now: noon})[0]
			acts := event.Interactions(e)
			if len(acts) != 1 || acts[0].Kind != k || acts[0].Item != "a" || acts[0].User != "u" || !acts[0].At.Equal(row.At) {
				t.Errorf("%v %v comes back as %+v", k, value, acts)
				continue
			}
			if valued := k == data.Rating || k == data.Purchase; valued && acts[0].Value != value {
				t.Errorf("%v of %v comes back with %v", k, value, acts[0].Value)
			}
		}
	}
}

func TestEventsAreInTheOrderOfTimeThenOfTheFile(t *testing.T) {
	got := staged(t, ratings(
		act("u", "a", data.View, 0, unix(300)), act("u", "b", data.View, 0, unix(100)),
		act("v", "a", data.View, 0, unix(300)), act("v", "b", data.Click, 0, unix(100)),
	), StageOptions{Now: noon})
	var order []string
	for _, e := range got {
		order = append(order, string(e.IDs.User)+string(e.Items[0].ID))
	}
	if want := []string{"ub", "vb", "ua", "va"}; !slices.Equal(order, want) {
		t.Errorf("order = %v, want %v", order, want)
	}
}

func TestASecondImportAddsNothing(t *testing.T) {
	row := act("u", "a", data.View, 0, unix(100))
	for name, ds := range map[string]*Dataset{
		"with times":    ratings(row, row, act("u", "b", data.Rating, 3, unix(100))),
		"without times": ratings(act("u", "a", data.View, 0, time.Time{}), act("u", "a", data.View, 0, time.Time{})),
	} {
		t.Run(name, func(t *testing.T) {
			first := staged(t, ds, StageOptions{Now: noon})
			later := staged(t, ds, StageOptions{Now: noon.Add(1000 * time.Hour), ShiftToNow: true, Space: "other"})
			if !slices.Equal(ids(first), ids(later)) {
				t.Errorf("ids differ:\n%v\n%v", ids(first), ids(later))
			}
			for i := range first {
				if !first[i].Times.Original.Equal(later[i].Times.Original) { // by whose day the ids are kept
					t.Errorf("event %d: original times %v and %v", i, first[i].Times.Original, later[i].Times.Original)
				}
			}
			unique := slices.Compact(slices.Sorted(slices.Values(ids(first))))
			if len(unique) != len(first) {
				t.Errorf("two rows have one id: %v", ids(first))
			}
		})
	}
}

func TestIDsAreHashesOfTheRowAndTheSource(t *testing.T) {
	base := act("u", "a", data.Rating, 3, unix(100))
	id := func(source string, change func(*data.Interaction)) string {
		row := base
		change(&row)
		return staged(t, ratings(row), StageOptions{Now: noon, Source: source})[0].ID
	}
	same := func(*data.Interaction) {}
	seen := map[string]string{id("s", same): "the row"}
	for name, got := range map[string]string{
		"source": id("t", same),
		"user":   id("s", func(r *data.Interaction) { r.User = "v" }),
		"item":   id("s", func(r *data.Interaction) { r.Item = "b" }),
		"kind":   id("s", func(r *data.Interaction) { r.Kind = data.View }),
		"value":  id("s", func(r *data.Interaction) { r.Value = 3.5 }),
		"time":   id("s", func(r *data.Interaction) { r.At = unix(101) }),
		"none":   id("s", func(r *data.Interaction) { r.At = time.Time{} }),
	} {
		if other, twice := seen[got]; twice {
			t.Errorf("another %s gives the id of %s", name, other)
		}
		seen[got] = name
	}
	p := planner{copies: make(map[[16]byte]uint32)}
	if p.name("ab", "c") == p.name("a", "bc") {
		t.Error("ids do not tell where one part ends")
	}
	// Changing this would bring every import in a second time.
	if got, want := id("s", same), "b83fa29c394915353058183a410ef6dd"; got != want {
		t.Errorf("id = %s, want %s", got, want)
	}
}

func TestShiftToNowMovesEverythingAlike(t *testing.T) {
	got := staged(t, ratings(act("u", "a", data.View, 0, unix(100)), act("u", "b", data.View, 0, unix(160))), StageOptions{Now: noon, ShiftToNow: true})
	for i, want := range []time.Time{noon.Add(-61 * time.Second), noon.Add(-time.Second)} {
		if e := got[i]; !e.Times.Event.Equal(want) || e.Times.Clamped || !e.Times.Original.Equal(unix(100+60*int64(i))) {
			t.Errorf("event %d: %+v, want event time %v", i, e.Times, want)
		}
	}
}

func TestHistoryFromTheFutureIsClamped(t *testing.T) {
	e := staged(t, ratings(act("u", "a", data.View, 0, noon.Add(time.Hour))), StageOptions{Now: noon})[0]
	if !e.Times.Event.Equal(noon) || !e.Times.Clamped || !e.Times.Original.Equal(noon.Add(time.Hour)) {
		t.Errorf("times = %+v", e.Times)
	}
}

func TestRowsWithoutTimeComeBeforeTheOldestKnown(t *testing.T) {
	var none time.Time
	got := staged(t, ratings(act("u", "a", data.View, 0, none), act("u", "b", data.View, 0, unix(5000)), act("v", "b", data.View, 0, none)), StageOptions{Now: noon})
	for i, want := range []int64{4998, 4999, 5000} {
		if e := got[i]; !e.Times.Event.Equal(unix(want)) {
			t.Errorf("event %d is at %v, want %v", i, e.Times.Event, unix(want))
		}
	}
	if got[0].IDs.User != "u" || got[1].IDs.User != "v" {
		t.Error("the order of the file is lost")
	}
}

func TestRowsOfADataSetWithoutTimesEndNow(t *testing.T) {
	var none time.Time
	got := staged(t, ratings(act("u", "a", data.View, 0, none), act("u", "b", data.View, 0, none)), StageOptions{Now: noon})
	for i, e := range got {
		if want := noon.Add(time.Duration(i-2) * time.Second); !e.Times.Event.Equal(want) {
			t.Errorf("event %d is at %v, want %v", i, e.Times.Event, want)
		}
		if want := time.Date(2000, 1, 1, 0, 0, i, 0, time.UTC); !e.Times.Original.Equal(want) {
			t.Errorf("event %d was at %v, want %v", i, e.Times.Original, want)
		}
	}
}

func TestHeldOutRowsComeOnlyWhenAskedFor(t *testing.T) {
	ds := ratings(act("u", "a", data.View, 0, unix(100)))
	ds.Test = []data.Interaction{act("u", "b", data.View, 0, unix(200))}
	if got := staged(t, ds, StageOptions{Now: noon}); len(got) != 1 {
		t.Errorf("%d events, want 1", len(got))
	}
	if got := staged(t, ds, StageOptions{Now: noon, HeldOut: true}); len(got) != 2 {
		t.Errorf("with held-out rows %d events, want 2", len(got))
	}
}

func TestMessagesStayWhatTheyAre(t *testing.T) {
	e := data.Event{
		V: 1, ID: "m1", Source: "shop", Type: data.Page, Name: "Page Viewed", Props: []byte(`{"a":1}`), Profile: "elsewhere",
		Times: data.Times{Event: unix(100), Received: unix(101), Late: true}, Extra: map[string]json.RawMessage{"z": []byte(`1`)},
	}
	nameless := e
	nameless.ID, nameless.Source = "m2", ""
	got := staged(t, &Dataset{Format: "jsonl", Events: []data.Event{nameless, e}}, StageOptions{Now: noon, Space: "s"})
	want := e
	want.Space, want.Imported, want.Profile = "s", true, ""
	want.Times = data.Times{Event: unix(100), Original: unix(100), Received: noon}
	if diff := cmp.Diff(want, got[1]); diff != "" {
		t.Error(diff)
	}
	if got[0].Source != "import-jsonl" {
		t.Errorf("source = %q", got[0].Source)
	}
}

func TestAFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	empty := func(when string) {
		t.Helper()
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: %v left behind (%v)", when, left, err)
		}
	}
	bad := ratings(act("u", "a", data.View, 0, unix(100)), act("u", "\x00", data.View, 0, unix(100)))
	if _, err := Stage(t.Context(), bad, dir, StageOptions{Now: noon}); err == nil || !strings.Contains(err.Error(), "items[0].id") {
		t.Errorf("error = %v, want one about the item's id", err)
	}
	empty("bad event")
	if _, err := Stage(t.Context(), ratings(act("u", "a", data.Purchase, math.NaN(), unix(100))), dir, StageOptions{Now: noon}); err == nil {
		t.Error("a purchase of NaN is staged")
	}
	empty("NaN")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Stage(ctx, ratings(act("u", "a", data.View, 0, unix(100))), dir, StageOptions{Now: noon}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
	empty("cancelled")
	if _, err := Stage(t.Context(), ratings(), dir, StageOptions{}); err == nil {
		t.Error("no time of import is accepted")
	}
	empty("no time")
}

func TestAStagedFileThatWasChangedIsRefused(t *testing.T) {
	s, err := Stage(t.Context(), ratings(act("u", "a", data.View, 0, unix(1)), act("u", "b", data.View, 0, unix(2))), t.TempDir(), StageOptions{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("enough")
	if err := s.Events(func(data.Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the caller's error comes back as %v", err)
	}
	b, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{"cut in a line": b[:len(b)-5], "a line gone": b[:strings.IndexByte(string(b), '\n')+1]} {
		if err := os.WriteFile(s.Path(), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Events(func(data.Event) error { return nil }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for range 2 {
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(s.Path()), "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func ExampleRead() {
	ds, err := Read(context.Background(), "csv", Options{Path: "testdata/shop.csv"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %d people, %d items, %d without a time\n", ds.Name, len(ds.Users), len(ds.Items), ds.MissingTimes)
	for _, act := range ds.Interactions {
		fmt.Println(act.User, act.Kind, act.Item)
	}
	// Output:
	// shop: 2 people, 2 items, 1 without a time
	// ann view lamp
	// ann purchase lamp
	// bob view desk, oak
}
