package madeup

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/lake"
	"kindred/model"
	"kindred/model/artifact"
)

func small() Config {
	c := Default()
	c.Items, c.Factors, c.Neighbours, c.Now = 300, 8, 20, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return c
}

func TestTheModelIsPublishedAsTrainingPublishes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	version, err := Write(t.Context(), dir, small())
	if err != nil {
		t.Fatal(err)
	}
	cat, err := embedded.OpenCatalog(dir, data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	defer cat.Close()
	current, err := cat.Current(t.Context())
	if err != nil || current.Version != version || current.Status != data.ModelCurrent {
		t.Fatalf("%+v, %v; want %s current", current, err, version)
	}
	items, err := cat.Items(t.Context(), "", 1000)
	if err != nil || len(items) != 300 || items[0].Title == "" || len(items[0].Categories) != 1 {
		t.Errorf("%d items, %v", len(items), err)
	}
	l, err := lake.Open(filepath.Join(dir, "lake"), data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := l.Artifact(t.Context(), current.Artifact)
	if err != nil || artifact.Checksum(encoded) != current.Checksum {
		t.Fatalf("the artifact: %v", err)
	}
	b, err := artifact.Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	history := model.History{Rows: []int32{3, 200}, Weights: []float32{1, 2}}
	for _, s := range b.Scorers() {
		if !s.Score(history, make([]float32, 300)) {
			t.Errorf("%s has nothing to say to somebody with a history", s.Name())
		}
	}
	if len(b.Scorers()) != 4 || b.Hybrid == nil {
		t.Errorf("%d components", len(b.Scorers()))
	}
}

func TestTheModelIsAFunctionOfTheSeed(t *testing.T) {
	encoded := func(c Config) []byte {
		b, err := c.bundle()
		if err != nil {
			t.Fatal(err)
		}
		e, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	c := small()
	first := encoded(c)
	if !bytes.Equal(first, encoded(c)) {
		t.Error("two models of one seed differ")
	}
	c.Seed++
	if bytes.Equal(first, encoded(c)) {
		t.Error("another seed makes the same model")
	}
}

func TestSizesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Items = 0 }, func(c *Config) { c.Factors = 0 }, func(c *Config) { c.Spread = -1 }, func(c *Config) { c.Neighbours = -1 },
	} {
		c := small()
		change(&c)
		if _, err := Write(t.Context(), t.TempDir(), c); err == nil {
			t.Errorf("%+v was made", c)
		}
	}
}
