package features

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/model/cluster"
)

// twoGroups clusters people around 0 and around 1 in every dimension.
func twoGroups(t *testing.T) *cluster.Model {
	t.Helper()
	names := VectorNames()
	m := &cluster.Model{Names: names, Numbers: []int32{1, 2}, Sizes: []int64{1, 1}, Next: 3}
	rows := make([]float64, 2*len(names))
	for d := range names {
		rows[len(names)+d] = 1
	}
	var err error
	if m.Scaler, err = cluster.FitScaler(rows, make([]bool, len(names))); err != nil {
		t.Fatal(err)
	}
	m.Centroids = make([]float64, 2*len(names))
	m.Scaler.Transform(m.Centroids, rows)
	return m
}

func TestAssignIsWhatTheFoldStores(t *testing.T) {
	m := twoGroups(t)
	w := newWorld(t, Default())
	w.m = NewMemory(0, State{}, nil, func(context.Context, string) (*cluster.Model, error) { return m, nil })
	w.fold(data.Event{V: 1, ID: "m", Source: "kindred", Type: data.System, Name: data.SysMarker,
		Marker: &data.Marker{Models: "m-1"}, Times: data.Times{Received: noon}})
	for i := range 3 {
		w.fold(w.route(w.event(noon.Add(time.Duration(i)*time.Hour), "ann", "", "Order Completed", lamp("lamp"))))
		p := w.user("ann")
		now, margin := w.m.State.Now, Default().ClusterMargin
		got, ok := Assign(p, m, "m-1", now, margin)
		if diff := cmp.Diff(p.Clusters[0], got); diff != "" || !ok {
			t.Errorf("after event %d: %v, stored against computed (-want +got):\n%s", i, ok, diff)
		}

		// Somebody whom no model has assigned yet, and somebody of an older one.
		stored := p.Clusters[0]
		p.Clusters = nil
		want := stored
		want.Since = now
		if got, ok := Assign(p, m, "m-1", now, margin); !ok || got != want {
			t.Errorf("without a stored one: %+v, want %+v", got, want)
		}
		old := stored
		old.Version, old.Distance = "m-0", 99
		p.Clusters = []data.Assignment{old}
		if got, ok := Assign(p, m, "m-1", now, margin); !ok || got != stored || p.Clusters[0] != old {
			t.Errorf("over one of m-0: %+v, want %+v and the profile unchanged", got, stored)
		}
	}
}

func TestAssignKnowsNoClusterByOtherDimensions(t *testing.T) {
	other := twoGroups(t)
	other.Names = append([]string{"shoe_size"}, other.Names[1:]...)
	for name, m := range map[string]*cluster.Model{"no clusters": nil, "other dimensions": other} {
		if a, ok := Assign(data.Profile{}, m, "m-1", noon.UnixMilli(), .1); ok {
			t.Errorf("%s: %+v, want none", name, a)
		}
	}
}
