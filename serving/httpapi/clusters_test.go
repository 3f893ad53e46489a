package httpapi_test

import (
	"testing"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/model/artifact"
	"kindred/model/cluster"
)

// grouped is a model of movies with two clusters of people: idle ones and busy ones.
func grouped(t *testing.T, seed uint64) []byte {
	t.Helper()
	b, err := artifact.Decode(train(t, seed))
	if err != nil {
		t.Fatal(err)
	}
	names := features.VectorNames()
	m := &cluster.Model{Names: names, Numbers: []int32{1, 2}, Sizes: []int64{1, 1}, Next: 3}
	rows := make([]float64, 2*len(names))
	for d := range names {
		rows[len(names)+d] = 1
	}
	if m.Scaler, err = cluster.FitScaler(rows, make([]bool, len(names))); err != nil {
		t.Fatal(err)
	}
	m.Centroids = make([]float64, len(rows))
	m.Scaler.Transform(m.Centroids, rows)
	b.Cluster = m
	encoded, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestAProfileShowsTheServingModelsClusterBeforeTheNextEvent(t *testing.T) {
	h := open(t, nil).stock()
	type group struct {
		Model, Version string
		Cluster        int32
		Confidence     float64
		Since          time.Time
	}
	ann := func() []group {
		t.Helper()
		var p struct{ Clusters []group }
		h.do("GET", "/v1/profiles/ann", "").want(200).into(&p)
		return p.Clusters
	}
	act := func(id string) {
		h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "space-3", id))).want(200)
	}
	act("1")
	if got := ann(); len(got) != 0 {
		t.Fatalf("a cluster without a model: %+v", got)
	}
	h.promote("m-1", grouped(t, 1))
	first := ann()
	if len(first) != 1 || first[0].Version != "m-1" || first[0].Model != features.BehaviourCluster || first[0].Cluster == cluster.None {
		t.Fatalf("clusters after a model was published: %+v, want one by m-1", first)
	}
	act("2")
	stored := ann()
	h.clock.Advance(9 * 24 * time.Hour) // what is computed moves with the time, what is stored does not
	if got := ann(); len(got) != 1 || got[0] != stored[0] || got[0].Version != "m-1" {
		t.Errorf("days later: %+v, want what was stored, %+v", got, stored)
	}
	h.promote("m-2", grouped(t, 2))
	if got := ann(); len(got) != 1 || got[0].Version != "m-2" {
		t.Errorf("after the next model: %+v, want one by m-2", got)
	}
	h.publish("m-3", 3) // without clusters
	if got := ann(); len(got) != 1 || got[0].Version != "m-1" {
		t.Errorf("by a model without clusters: %+v, want what is stored", got)
	}
}

func TestClustersAreThoseOfTheServingModelsReport(t *testing.T) {
	h := open(t, nil).stock()
	h.promote("m-1", grouped(t, 1))
	var got struct {
		Model    string
		Clusters *struct {
			Algorithm string
			Groups    []struct{ Words string }
		}
	}
	h.do("GET", "/v1/clusters", "").want(200).into(&got)
	if got.Model != "m-1" || got.Clusters != nil {
		t.Fatalf("without a report: %+v", got)
	}
	report := `{"dataset":"lake","clusters":{"algorithm":"DBSCAN","chosen":2,"points":[],"groups":[{"number":1,"words":"more views"}]}}`
	if err := h.catalog.PutEvaluation(t.Context(), data.Evaluation{ID: "m-1", Model: "m-1", Created: h.clock.Now(), Report: []byte(report)}); err != nil {
		t.Fatal(err)
	}
	h.do("GET", "/v1/clusters", "").want(200).into(&got)
	if got.Clusters == nil || got.Clusters.Algorithm != "DBSCAN" || len(got.Clusters.Groups) != 1 || got.Clusters.Groups[0].Words != "more views" {
		t.Errorf("clusters: %+v", got.Clusters)
	}
}
