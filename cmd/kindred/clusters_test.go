package main

import (
	"testing"

	"kindred/data"
	"kindred/data/lake"
	"kindred/model/artifact"
	"kindred/model/vocab"
)

func TestClustersAreReadOnceAndAModelThatIsGoneHasNone(t *testing.T) {
	l, err := lake.Open(t.TempDir(), data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	items, err := vocab.New([]string{"desk", "lamp"})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := (&artifact.Bundle{Items: items}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.PutArtifact(t.Context(), "m-1", encoded); err != nil {
		t.Fatal(err)
	}
	if _, err := l.PutArtifact(t.Context(), "m-bad", []byte("not a model")); err != nil {
		t.Fatal(err)
	}
	s := newClusterShelf(l)
	for range 2 { // the second time from the shelf, though the artifact is gone
		if found, err := s.find(t.Context(), "m-1"); found != nil || err != nil {
			t.Errorf("a model without clusters: %v, %v; want none", found, err)
		}
		if err := l.DeleteArtifact(t.Context(), "m-1"); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.kept) != 1 || s.kept[0].version != "m-1" {
		t.Errorf("kept %v, want m-1", s.kept)
	}
	if found, err := s.find(t.Context(), "m-2"); found != nil || err != nil {
		t.Errorf("a model that is gone: %v, %v; want none", found, err)
	}
	if _, err := s.find(t.Context(), "m-bad"); err == nil {
		t.Error("a damaged artifact is no error")
	}
	for _, version := range []string{"m-2", "m-3", "m-4", "m-5", "m-6"} {
		if _, err := s.find(t.Context(), version); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.kept) > shelfSize {
		t.Errorf("keeps %d versions, want at most %d", len(s.kept), shelfSize)
	}
}
