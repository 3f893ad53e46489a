package main

import (
	"bytes"
	"os"
	"testing"
)

// The page says what the results say: neither is changed alone.
func TestThePageIsRenderedFromTheResultsBesideIt(t *testing.T) {
	r, err := readResults("../../docs/benchmarks.json")
	if err != nil || len(r.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(r.Cases), err)
	}
	page, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, r.markdown()) {
		t.Error("docs/benchmarks.md is not what `go run ./cmd/bench render` makes of docs/benchmarks.json")
	}
}
