package features

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/model/cluster"
)

func lamp(id string) data.EventItem {
	return data.EventItem{ID: data.ItemID(id), Facets: map[string][]string{"category": {"cat-" + id}}}
}

func TestTheSameAbsorbTwiceChangesNothing(t *testing.T) {
	w := newWorld(t, Default())
	w.fold(w.route(w.event(noon, "", "d1", "Product Viewed", lamp("lamp"))))
	link := w.route(w.event(noon, "ann", "d1", "Product Clicked", lamp("desk")))
	if o, err := w.b.Fold(t.Context(), w.m, w.offset, link); o != Applied || err != nil {
		t.Fatal(o, err)
	}
	absorb := w.m.Emitted()[0]
	if _, err := w.m.Commit(0); err != nil {
		t.Fatal(err)
	}
	if o := w.fold(absorb); o != Applied {
		t.Fatalf("first absorb: %v", o)
	}
	p := w.user("ann")
	first, err := p.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if o := w.fold(absorb); o != Duplicate {
		t.Errorf("second absorb: %v, want duplicate", o)
	}
	p = w.user("ann")
	if second, _ := p.AppendBinary(nil); string(first) != string(second) {
		t.Error("the second absorb changed the profile")
	}
	if len(p.History) != 2 || len(p.Merges) != 1 {
		t.Errorf("%d items, %d merges; want 2, 1", len(p.History), len(p.Merges))
	}
}

func TestARetryOfWhatTheDeviceSentIsADuplicateForThePersonToo(t *testing.T) {
	for _, imported := range []bool{false, true} {
		w := newWorld(t, Default())
		e := w.event(noon, "", "d1", "Product Viewed", lamp("lamp"))
		e.Imported = imported
		w.fold(w.route(e))
		w.fold(w.route(w.event(noon, "ann", "d1", "Product Viewed", lamp("desk"))))
		retry := w.route(e)
		if want := data.NewProfileID(data.IDUser, "ann"); retry.Profile != want {
			t.Fatalf("the index leads to %s, want %s", retry.Profile, want)
		}
		if o := w.fold(retry); o != Duplicate {
			t.Errorf("imported %v: retry is %v, want duplicate", imported, o)
		}
	}
}

func TestAHugeProfileIsAbsorbedAsFarAsTheLogTakesIt(t *testing.T) {
	cfg := Default()
	cfg.HistoryCap = 5000
	w := newWorld(t, cfg)
	for day := range 4 {
		items := make([]data.EventItem, 1000)
		for i := range items {
			items[i].ID = data.ItemID(fmt.Sprintf("%d-%d-%s", day, i, strings.Repeat("x", 245)))
		}
		w.fold(w.route(w.event(noon.AddDate(0, 0, day), "", "d1", "Order Completed", items...)))
	}
	w.fold(w.route(w.event(w.received.Add(time.Second), "ann", "d1", "Product Viewed", lamp("lamp")))) // fails on what the log would refuse
	if got := w.user("ann").History; len(got) < 2000 || got[0].Item != "lamp" {
		t.Errorf("%d items, the first %.10s; want the newest thousands, the lamp first", len(got), got[0].Item)
	}
}

func TestAnEventAtAMergedProfileIsForwarded(t *testing.T) {
	w := newWorld(t, Default())
	w.fold(w.route(w.event(noon, "ann", "d1", "Product Viewed", lamp("lamp"))))
	stale := w.event(noon, "", "d1", "Product Viewed", lamp("desk"))
	stale.Profile = data.NewProfileID(data.IDAnonymous, "d1")
	other := w.event(noon, "bob", "d1", "Product Viewed", lamp("rug"))
	other.Profile = stale.Profile
	for _, e := range []data.Event{stale, other} {
		if o := w.fold(e); o != Forwarded {
			t.Errorf("%s: %v, want forwarded", e.ID, o)
		}
	}
	if ann, bob := w.user("ann"), w.user("bob"); len(ann.History) != 2 || len(bob.History) != 1 {
		t.Errorf("ann has %d items, bob %d; want 2, 1: people are never merged", len(ann.History), len(bob.History))
	}
}

func TestTimersFireInOrderOfTimeThenProfile(t *testing.T) {
	w := newWorld(t, Default())
	for i, user := range []data.UserID{"z", "a", "m", "b"} {
		at := noon.Add(-time.Duration(i/2) * time.Minute) // the last two end first
		w.received = noon
		w.fold(w.route(w.event(at, user, "", "Product Viewed", lamp("lamp"))))
	}
	w.changes = nil
	w.tick(noon.Add(time.Hour))
	if len(w.changes) != 4 {
		t.Fatalf("%d changes, want 4", len(w.changes))
	}
	for i, c := range w.changes {
		if int(c.K) != i || c.Type != "session_ended" {
			t.Errorf("change %d: K %d %s", i, c.K, c.Type)
		}
		if i > 0 {
			before := w.changes[i-1]
			if c.At.Before(before.At) || c.At.Equal(before.At) && c.Profile < before.Profile {
				t.Errorf("%v %s fires after %v %s", c.At, c.Profile, before.At, before.Profile)
			}
		}
	}
	if got, want := w.changes[0].At, noon.Add(29*time.Minute); !got.Equal(want) {
		t.Errorf("the first session ends at %v, want %v: to the second", got, want)
	}
}

func TestMessageIDsAreForgottenByLogTime(t *testing.T) {
	b, m := NewBuilder(Default()), NewMemory(0, State{}, nil, nil)
	w := newWorld(t, Default())
	fold := func(e data.Event) {
		e.Profile = data.NewProfileID(data.IDUser, "ann")
		if _, err := b.Fold(t.Context(), m, 0, e); err != nil {
			t.Fatal(err)
		}
	}
	old, imported := w.event(noon, "ann", "", "x"), w.event(noon, "ann", "", "x")
	imported.Imported = true
	fold(old)
	fold(imported)
	later := w.event(noon.AddDate(0, 0, 20), "ann", "", "x")
	fold(later) // in the same batch: the old key must not be written any more
	c, err := m.Commit(1)
	if err != nil {
		t.Fatal(err)
	}
	if day := dayOf(noon.UnixMilli()); c.DropDedupBefore <= day || c.DropDedupBefore > day+20-7 {
		t.Errorf("forgets days before %d; the first event is of %d", c.DropDedupBefore, day)
	}
	var live, kept int
	for k := range c.Dedup {
		if k.Imported {
			kept++
		} else {
			live++
		}
	}
	if live != 1 || kept != 1 {
		t.Errorf("writes %d live and %d imported keys, want 1 and 1", live, kept)
	}
}

func TestAProfileStaysWithinItsBudget(t *testing.T) {
	cfg := Default()
	cfg.HistoryCap = 10
	w := newWorld(t, cfg)
	for i := range 3000 {
		e := w.event(noon.Add(time.Duration(i)*time.Minute), "ann", "", "Product Viewed", data.EventItem{
			ID:     data.ItemID(fmt.Sprintf("a-rather-long-item-id-%d", i)),
			Facets: map[string][]string{"tag": {fmt.Sprintf("tag-%d", i%200)}, "category": {fmt.Sprintf("category-%d", i%90)}, "brand": {"b"}}})
		if i%10 == 0 {
			e.Type, e.Traits = data.Identify, []byte(fmt.Sprintf(`{"t%d":%q}`, i, strings.Repeat("x", i)))
		}
		if o := w.fold(w.route(e)); o != Applied {
			t.Fatal(o)
		}
	}
	p := w.user("ann")
	if len(p.History) != 10 || p.History[0].Item != "a-rather-long-item-id-2999" {
		t.Errorf("history has %d items, the newest %s", len(p.History), p.History[0].Item)
	}
	p.History = nil
	b, err := p.AppendBinary(nil)
	if err != nil || len(b) > cfg.MaxProfileBytes {
		t.Errorf("%d bytes, %v; the budget is %d", len(b), err, cfg.MaxProfileBytes)
	}
	if len(p.Recent) < 10 || len(p.Affinities) < 16 {
		t.Errorf("%d recents and %d affinities left: the budget took too much", len(p.Recent), len(p.Affinities))
	}
}

func TestSpaceSavingKeepsTheHeavyValues(t *testing.T) {
	var p data.Profile
	at := noon.UnixMilli()
	for i := range 2000 {
		addAffinity(&p, "tag", fmt.Sprintf("rare-%d", i), at, 1, 64)
		if i%10 == 0 {
			addAffinity(&p, "tag", "heavy", at, 10, 64)
		}
	}
	if len(p.Affinities) != 64 {
		t.Fatalf("%d values, want 64", len(p.Affinities))
	}
	i, _ := facetRange(p.Affinities, "tag")
	for ; p.Affinities[i].Value != "heavy"; i++ {
	}
	// Its true weight is 2,000; space-saving overestimates by at most N/64.
	if s := p.Affinities[i].S; s < 2000 || s > 2000+4000.0/64 {
		t.Errorf("the heavy value weighs %v, want 2000 to %v", s, 2000+4000.0/64)
	}
}

func TestSpaceSavingNeverUnderestimatesWhatItKeeps(t *testing.T) {
	var p data.Profile
	at, truth := noon.UnixMilli(), map[string]float64{}
	for i := range 3000 { // twice as many values as places, in turn
		value := fmt.Sprintf("v%d", i%128)
		truth[value]++
		addAffinity(&p, "tag", value, at, 1, 64)
	}
	for _, a := range p.Affinities {
		if a.S < truth[a.Value] {
			t.Errorf("%s weighs %v, truly %v", a.Value, a.S, truth[a.Value])
		}
	}
}

func TestClustersFollowTheLiveModelWithHysteresis(t *testing.T) {
	names := VectorNames()
	model := func(context.Context, string) (*cluster.Model, error) {
		rows := make([]float64, 2*len(names))
		for d := range names {
			rows[len(names)+d] = 1
		}
		scaler, err := cluster.FitScaler(rows, make([]bool, len(names)))
		if err != nil {
			return nil, err
		}
		low, high := make([]float64, len(names)), make([]float64, len(names))
		for d := range low {
			low[d], high[d] = -1, 1
		}
		return &cluster.Model{Names: names, Scaler: scaler, Centroids: append(low, high...), Numbers: []int32{1, 2}, Sizes: []int64{1, 1}, Next: 3}, nil
	}
	w := newWorld(t, Default())
	w.m = NewMemory(0, State{}, nil, model)
	w.fold(w.route(w.event(noon, "ann", "", "Product Viewed", lamp("lamp"))))
	if p := w.user("ann"); len(p.Clusters) != 0 {
		t.Fatal("a cluster before any model is live")
	}
	w.fold(data.Event{V: 1, ID: "m", Source: "kindred", Type: data.System, Name: data.SysMarker,
		Marker: &data.Marker{Models: "m-1"}, Times: data.Times{Received: noon}})
	w.changes = nil
	for i := range 40 {
		w.fold(w.route(w.event(noon.Add(time.Duration(i)*time.Minute), "ann", "", "Order Completed", lamp("lamp"))))
	}
	p := w.user("ann")
	if len(p.Clusters) != 1 || p.Clusters[0].Version != "m-1" || p.Clusters[0].Cluster != 2 {
		t.Fatalf("clusters %+v, want cluster 2 by m-1", p.Clusters)
	}
	var moves []string
	for _, c := range w.changes {
		if c.Type == "cluster_changed" {
			moves = append(moves, c.From+">"+c.To)
		}
	}
	if got := strings.Join(moves, " "); got != ">1 1>2" && got != ">2" {
		t.Errorf("moves %q: back and forth", got)
	}
	v := Vector(p, w.m.State.Now)
	want := model // the margin: no move unless the other is nearer by a tenth
	m, _ := want(context.Background(), "")
	if a := m.Assign(v, p.Clusters[0].Cluster, 0.1); a.Cluster != p.Clusters[0].Cluster {
		t.Errorf("assigned %d, the profile says %d", a.Cluster, p.Clusters[0].Cluster)
	}
}

func TestEventsThatMakeNoSenseAreKeptWithTheReason(t *testing.T) {
	w := newWorld(t, Default())
	nobody := w.event(noon, "ann", "", "x")
	absorb := data.Event{V: 1, ID: "0/1/0", Source: "kindred", Type: data.System, Name: data.SysAbsorb, Profile: "p",
		Absorb: &data.Absorb{From: "q", State: []byte("junk")}, Times: data.Times{Received: noon}}
	for _, e := range []data.Event{nobody, absorb} {
		if o := w.fold(e); o != Rejected {
			t.Errorf("%s: %v, want dead", e.Name, o)
		}
	}
	if len(w.dead) != 2 || w.dead[0].Reason == "" || len(w.dead[0].Raw) == 0 {
		t.Errorf("dead letters %+v", w.dead)
	}
}
