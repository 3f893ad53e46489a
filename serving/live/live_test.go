package live

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kindred/data"
	"kindred/features"
	"kindred/model"
	"kindred/model/hybrid"
	"kindred/model/rank"
	"kindred/model/vocab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flat scores item i with base+i, or is broken.
type flat struct {
	name string
	n    int
	base float32
}

func (f flat) Name() string { return f.name }
func (f flat) Items() int   { return f.n }
func (f flat) Score(_ model.History, dst []float32) bool {
	for i := range dst {
		dst[i] = f.base + float32(i)
	}
	return true
}

// panics is a component with a mistake in it.
type panics struct{ flat }

func (panics) Score(model.History, []float32) bool { panic("index out of range") }

// house is a catalog, artifacts and a decoder in memory. An artifact's bytes are a
// word: good, nan, wide (more rows than its vocab), panics, or anything else for corrupt.
type house struct {
	mu        sync.Mutex // guards current, former and artifacts
	current   string
	former    []data.Model // versions before current, newest first
	artifacts map[string]string
	version   int64
	items     map[data.ItemID]data.Item
	changed   map[data.ItemID]int64
	down      bool
	published []string
}

func (h *house) Current(context.Context) (data.Model, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == "" {
		return data.Model{}, data.ErrNotFound
	}
	return data.Model{Version: h.current}, nil
}

func (h *house) Models(_ context.Context, after string, limit int) ([]data.Model, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := append([]data.Model{{Version: h.current, Status: data.ModelCurrent}}, h.former...)
	if at := slices.IndexFunc(all, func(m data.Model) bool { return m.Version == after }); at >= 0 {
		all = all[at+1:]
	}
	return all[:min(limit, len(all))], nil
}

func (h *house) Artifact(_ context.Context, version string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return []byte(h.artifacts[version]), nil
}

// promote makes a version current; its artifact holds the given word.
func (h *house) promote(version, word string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.current, h.artifacts[version] = version, word
}

func (h *house) ItemsVersion(context.Context) (int64, error) {
	if h.down {
		return 0, errors.New("disk is gone")
	}
	return h.version, nil
}

func (h *house) ItemsSince(_ context.Context, version int64) (put []data.Item, deleted []data.ItemID, now int64, _ error) {
	for id, at := range h.changed {
		if it, ok := h.items[id]; at > version && ok {
			put = append(put, it)
		} else if at > version {
			deleted = append(deleted, id)
		}
	}
	return put, deleted, h.version, nil
}

func (h *house) put(items ...data.Item) {
	h.version++
	for _, it := range items {
		h.items[it.ID], h.changed[it.ID] = it, h.version
	}
}

func (h *house) remove(id data.ItemID) {
	h.version++
	delete(h.items, id)
	h.changed[id] = h.version
}

func decode(b []byte) (Parts, error) {
	items, err := vocab.New([]string{"b", "d", "f"})
	if err != nil {
		return Parts{}, err
	}
	p := Parts{Items: items, Weights: features.DefaultWeights(), Scorers: []model.Scorer{flat{"popular", 3, 1}}}
	switch string(b) {
	case "good":
	case "nan":
		p.Scorers[0] = flat{"popular", 3, float32(math.NaN())}
	case "panics":
		p.Scorers[0] = panics{flat{"popular", 3, 1}}
	case "wide":
		p.Scorers[0] = flat{"popular", 4, 1}
	default:
		return Parts{}, errors.New("corrupt")
	}
	return p, nil
}

func newHouse() (*house, *Live) {
	h := &house{artifacts: map[string]string{}, items: map[data.ItemID]data.Item{}, changed: map[data.ItemID]int64{}}
	l := New(Default(), Deps{Models: h, Artifacts: h, Items: h, Decode: decode, Now: time.Now,
		Published: func(_ context.Context, v string) error { h.published = append(h.published, v); return nil }})
	return h, l
}

func TestABadModelChangesNothing(t *testing.T) {
	for _, bad := range []string{"nan", "wide", "corrupt", "panics"} {
		t.Run(bad, func(t *testing.T) {
			h, l := newHouse()
			h.artifacts["m-1"], h.artifacts["m-2"] = "good", bad
			h.current = "m-1"
			if err := l.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := l.Load()
			h.current = "m-2"
			if err := l.Poll(t.Context()); err == nil {
				t.Fatal("Poll took a bad model")
			}
			if l.Load() != before {
				t.Errorf("the snapshot moved to %s", l.Load().Version)
			}
			if s := l.Status(); s.Version != "m-1" || s.Wanted != "m-2" || s.Failure == "" {
				t.Errorf("status = %+v, want m-1 serving and why m-2 does not", s)
			}
			h.current = "m-1" // taken back
			if err := l.Poll(t.Context()); err != nil || l.Status().Failure != "" || l.Status().Wanted != "" {
				t.Errorf("after the rollback: %v, %+v", err, l.Status())
			}
			if !slices.Equal(h.published, []string{"m-1"}) {
				t.Errorf("marked %v, want m-1 once", h.published)
			}
		})
	}
}

func TestItemsCanChangeWhileTheLogTakesNoMark(t *testing.T) {
	h, l := newHouse()
	h.promote("m-1", "good")
	marked := false
	l.deps.Published = func(ctx context.Context, _ string) error {
		marked = true
		if !l.building.TryLock() { // what Refresh needs, after each write of an item
			t.Fatal("writes of items wait for the log")
		}
		l.building.Unlock()
		h.put(data.Item{ID: "new"})
		return l.Refresh(ctx)
	}
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := l.Load().Row("new"); !ok || !marked {
		t.Errorf("the item was taken in: %v, the model marked: %v", ok, marked)
	}
}

func TestAModelThatFailedIsTriedAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, l := newHouse()
		h.promote("m-1", "corrupt")
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		synctest.Wait()
		h.promote("m-1", "good") // repaired
		time.Sleep(l.cfg.Retry - time.Second)
		synctest.Wait()
		if l.Load().Version != NoModel {
			t.Error("a failed model was tried again at once")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if l.Load().Version != "m-1" {
			t.Error("a repaired model is not taken")
		}
		h.promote("m-2", "good")
		time.Sleep(l.cfg.Poll)
		synctest.Wait()
		if l.Load().Version != "m-2" {
			t.Error("a promotion is not noticed within one poll")
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil when told to stop", err)
		}
	})
}

func TestTheCatalogIsLaidOverTheModel(t *testing.T) {
	h, l := newHouse()
	h.current, h.artifacts["m-1"] = "m-1", "good"
	h.put(data.Item{ID: "d", Title: "D", Categories: []string{"x"}, Price: 3}, data.Item{ID: "a", Categories: []string{"x", "x"}, Price: 1}, data.Item{ID: "e", Price: 2})
	step := func() *Snapshot {
		t.Helper()
		if err := l.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		return l.Load()
	}
	ids := func(top []rank.Ranked) string {
		var out []string
		for _, r := range top {
			out = append(out, string(l.Load().Facts(r.Row).ID))
		}
		return strings.Join(out, " ")
	}
	s := step()
	if s.Known() != 3 || s.Rows() != 5 {
		t.Fatalf("known %d, rows %d; want 3 and 5", s.Known(), s.Rows())
	}
	equal := make([]float32, 5)
	if got := ids(s.Top(equal, 9, Filter{})); got != "a b d e f" {
		t.Errorf("ties are ordered %s, want by id", got)
	}
	if got := ids(s.Top(equal, 2, Filter{})); got != "a b" {
		t.Errorf("two of equals are %s, want the first by id", got)
	}
	if got := ids(s.Top(equal, 9, Filter{Categories: []string{"x"}})); got != "a d" {
		t.Errorf("category x has %s", got)
	}
	d, _ := s.Row("d")
	two := 2.
	for want, f := range map[string]Filter{
		"a b e f": {Hide: []int32{d}}, "d e": {MinPrice: &two}, "a e": {MaxPrice: &two, Hide: []int32{d}}, "e": {MinPrice: &two, MaxPrice: &two},
		"d": {MinPrice: &two, Categories: []string{"x"}},
	} {
		if got := ids(s.Top(equal, 9, f)); got != want {
			t.Errorf("filtered: %s, want %s", got, want)
		}
		var first []rank.Ranked
		for _, row := range s.First(9, f) {
			first = append(first, rank.Ranked{Row: row})
		}
		if got := ids(first); got != want {
			t.Errorf("the first of the filtered: %s, want %s", got, want)
		}
	}

	before := s
	h.put(data.Item{ID: "d", Categories: []string{"y"}}, data.Item{ID: "b", Hidden: true})
	h.remove("e")
	h.remove("f")
	s = step()
	if got := ids(s.Top(make([]float32, s.Rows()), 9, Filter{})); got != "a d" {
		t.Errorf("after hiding b and deleting e and f: %s", got)
	}
	if got := ids(s.Top(make([]float32, s.Rows()), 9, Filter{Categories: []string{"x"}})); got != "a" {
		t.Errorf("category x after d left it: %s", got)
	}
	if got := len(before.Top(equal, 9, Filter{Categories: []string{"x"}})); got != 2 {
		t.Errorf("the former snapshot changed: category x has %d items", got)
	}
	if b, _ := before.Row("b"); before.Closed(b) || !s.Closed(b) {
		t.Errorf("b is closed: before %v, after %v; want only after it was hidden", before.Closed(b), s.Closed(b))
	}
	if before.Gone("e") || before.Gone("f") || !s.Gone("e") || !s.Gone("f") || s.Gone("b") || s.Gone("ghost") {
		t.Error("e and f are gone, and only after they were deleted")
	}
	h.put(data.Item{ID: "e"})
	if s := step(); s.Gone("e") || !s.Gone("f") {
		t.Error("e came back and is still gone, or f is not")
	}
	if got := s.Facets("d"); got["category"][0] != "y" || s.Facets("ghost") != nil {
		t.Errorf("facets of d = %v", got)
	}
}

// TestPatchingEqualsBuilding: however the catalog came to be, snapshots agree.
func TestPatchingEqualsBuilding(t *testing.T) {
	h, l := newHouse()
	h.current, h.artifacts["m-1"] = "m-1", "good"
	for i := range 200 {
		id := data.ItemID("abcdefgh"[i*7%8 : i*7%8+1])
		if i%5 == 4 {
			h.remove(id)
		} else {
			h.put(data.Item{ID: id, Categories: []string{fmt.Sprint(i % 3)}, Hidden: i%4 == 0})
		}
		if err := l.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	patched := l.Load()
	c, err := l.since(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	built, err := build("m-1", patched.Parts, c, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Filter{{}, {Categories: []string{"0"}}, {Categories: []string{"1", "2"}}} {
		got, want := patched.Top(make([]float32, patched.Rows()), 9, f), built.Top(make([]float32, built.Rows()), 9, f)
		if !slices.Equal(got, want) {
			t.Errorf("filter %v: patched %v, built %v", f, got, want)
		}
	}
	for id := range h.changed {
		if patched.Gone(id) != built.Gone(id) {
			t.Errorf("item %s is gone: patched %v, built %v", id, patched.Gone(id), built.Gone(id))
		}
	}
}

func TestACatalogThatCannotBeReadIsSaid(t *testing.T) {
	h, l := newHouse()
	h.down = true
	if err := l.Poll(t.Context()); err == nil || !strings.Contains(l.Status().Failure, "disk is gone") || !l.Status().Read.IsZero() {
		t.Errorf("Poll = %v, status %+v", err, l.Status())
	}
}

func TestUnknownRowsAreNeitherForNorAgainst(t *testing.T) {
	p := hybrid.Pad(flat{"x", 3, 1}, 5)
	dst := []float32{9, 9, 9, 9, 9}
	if !p.Score(model.History{}, dst) || !slices.Equal(dst, []float32{1, 2, 3, 2, 2}) {
		t.Errorf("scores = %v, want the mean for rows it does not have", dst)
	}
}

func TestAHistoryHoldsFiniteWeights(t *testing.T) {
	h, l := newHouse()
	h.promote("m-1", "good")
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := l.Load().History([]features.Preference{{Item: "b", Weight: 1e300}, {Item: "ghost", Weight: 1}, {Item: "d", Weight: 3}})
	if !slices.Equal(got.Weights, []float32{maxWeight, 3}) || !slices.Equal(got.Rows, []int32{0, 1}) {
		t.Errorf("history = %+v, want what one item weighs bounded", got)
	}
}
