package httpapi_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"kindred/data"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestARecommendationLooksLikeThis(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "space-3", "1"), call("Order Completed", "ann", "", "space-4", "2"))).want(200)
	r := h.do("GET", "/v1/recommendations/ann?n=2", "", "X-Request-Id", "req-1").want(200)
	var v any
	r.into(&v)
	got, err := json.MarshalIndent(rounded(v), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "recommendation.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("answer changed; -update rewrites %s\ngot %s\nwant %s", golden, got, want)
	}
	again := h.do("GET", "/v1/recommendations/ann?n=2", "", "X-Request-Id", "req-1").want(200)
	if again.Body.String() != r.Body.String() {
		t.Errorf("the same request got another answer: %s", again.Body)
	}
}

// rounded keeps three digits of every number: the rest differs by processor.
func rounded(v any) any {
	switch v := v.(type) {
	case float64:
		return math.Round(v*1000) / 1000
	case []any:
		for i := range v {
			v[i] = rounded(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = rounded(v[k])
		}
	}
	return v
}

// TestSwapsUnderLoadNeverMixTwoModels: while models are promoted to and fro, each
// answer's list is exactly the list of the version that it names.
func TestSwapsUnderLoadNeverMixTwoModels(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1).publish("m-2", 99)
	const target = "/v1/recommendations"
	const body = `{"recent":["space-1","love-3"],"n":15,"components":["als"]}`
	want := map[string][]float32{}
	list := func() (string, []float32) {
		a := h.do("POST", target, body).list()
		var scores []float32
		for _, it := range a.Items {
			scores = append(scores, it.Score)
		}
		return a.Model, scores
	}
	for _, version := range []string{"m-1", "m-2"} {
		h.do("POST", "/v1/models/"+version+"/promote", "").want(200)
		got, scores := list()
		if got != version {
			t.Fatalf("model = %s, want %s", got, version)
		}
		want[version] = scores
	}
	if slices.Equal(want["m-1"], want["m-2"]) {
		t.Fatal("the two models answer alike; the test shows nothing")
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if version, scores := list(); !slices.Equal(scores, want[version]) {
					t.Errorf("answer of %s has scores %v, want %v", version, scores, want[version])
					return
				}
			}
		})
	}
	running.Go(func() { // the catalog moves too
		for i := range 30 {
			h.do("PUT", "/v1/items/love-9", fmt.Sprintf(`{"title":"Edition %d","categories":["Romance"]}`, i)).want(200)
		}
	})
	for i := range 20 {
		h.do("POST", "/v1/models/"+[]string{"m-1", "m-2"}[i%2]+"/promote", "").want(200)
	}
	close(stop)
	running.Wait()
}

func TestAModelThatCannotBeLoadedLeavesTheOldOneServing(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	h.artifacts.put("m-2", []byte("nonsense"))
	m := data.Model{Version: "m-2", Status: data.ModelPublished, Created: h.clock.Now(), Artifact: "m-2"}
	if err := h.catalog.PutModel(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	h.do("POST", "/v1/models/m-2/promote", "").want(200)
	if got := h.do("GET", "/v1/recommendations/ann", "").list(); got.Model != "m-1" {
		t.Errorf("model = %s, want m-1 to go on", got.Model)
	}
	var models struct {
		Serving struct{ Version, Wanted, Failure string }
	}
	h.do("GET", "/v1/models", "").want(200).into(&models)
	if s := models.Serving; s.Version != "m-1" || s.Wanted != "m-2" || s.Failure == "" {
		t.Errorf("serving = %+v, want m-1, wanting m-2, and why not", s)
	}
	var ready struct {
		Serving struct{ Wanted, Failure string }
	}
	h.do("GET", "/readyz", "").want(200).into(&ready)
	if s := ready.Serving; s.Wanted != "m-2" || s.Failure != "" {
		t.Errorf("readyz says %+v, want which model is missing and, as everybody may ask, not why", s)
	}
}
