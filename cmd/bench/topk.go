package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"kindred/model/rank"
	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
)

// runVectors writes item factors and queries.
func runVectors(_ context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bench vectors", flag.ContinueOnError)
	n := fs.Int("items", 100_000, "items")
	f := fs.Int("f", 64, "factors")
	spread := fs.Float64("spread", .6, "deviation of the logarithm of the norms")
	queries := fs.Int("queries", 200, "queries")
	dir := fs.String("out", "", "directory for items.npy and queries.npy")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("vectors: -out is missing; name a directory")
	}
	if err := writeVectors(*dir, *n, *f, *queries, *spread); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d × %d, spread %v, and %d queries in %s\n", *n, *f, *spread, *queries, *dir)
	return nil
}

// vectorSeed draws factors and queries.
const vectorSeed = 1

// writeVectors writes n items and some queries, unless they are there.
func writeVectors(dir string, n, f, queries int, spread float64) error {
	done := filepath.Join(dir, "queries.npy") // written last
	if _, shape, err := readNPY[float32](done); err == nil && shape[0] == queries {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeNPY(filepath.Join(dir, "items.npy"), retrievetest.Vectors(n, f, spread, vectorSeed), n, f); err != nil {
		return err
	}
	return writeNPY(done, retrievetest.Queries(queries, f, vectorSeed), queries, f)
}

// topkSide answers queries, all of them whenever it is asked for a "round". A
// round's argument says which: "plain", "half" or "tenth" (a category of that part of
// the items, and 200 exclusions), or "stream", which reads as many bytes as
// the index has codes, once for each query.
func topkSide(_ context.Context, args []string) (side, error) {
	fs := flag.NewFlagSet("bench side topk", flag.ContinueOnError)
	dir := fs.String("vectors", "", "directory of items.npy and queries.npy")
	k := fs.Int("k", 100, "items asked for")
	if err := fs.Parse(args); err != nil {
		return side{}, err
	}
	t := &topk{k: *k}
	var err error
	var shape []int
	if t.items, shape, err = readNPY[float32](filepath.Join(*dir, "items.npy")); err != nil {
		return side{}, err
	}
	t.n, t.f = shape[0], shape[1]
	if t.queries, _, err = readNPY[float32](filepath.Join(*dir, "queries.npy")); err != nil {
		return side{}, err
	}
	built := measure(func() { t.index = retrieve.New(t.items, t.f, retrieve.Config{Workers: 1}) })
	t.half, t.tenth = t.category(.5), t.category(.1)
	t.exclude()
	return side{
		setup: map[string]any{"items": t.n, "queries": t.count(), "cpu": built.CPU, "wall": built.Wall, "peak": peakBytes()},
		works: map[string]func(json.RawMessage) (any, error){"round": t.round, "exact": t.exact},
	}, nil
}

// topk is an index with its queries.
type topk struct {
	k, n, f int
	items   []float32
	queries []float32
	index   *retrieve.Index
	half    *retrieve.Mask
	tenth   *retrieve.Mask
	seen    [][]int32 // by query: half of its best, and as many random ones
	codes   []byte
	sink    int
}

func (t *topk) count() int { return len(t.queries) / t.f }

func (t *topk) query(i int) []float32 { return t.queries[i*t.f : (i+1)*t.f] }

// category draws a part of the items.
func (t *topk) category(share float64) *retrieve.Mask {
	random := rand.New(rand.NewPCG(vectorSeed, 3))
	set := rank.NewSet(t.n)
	for row := range t.n {
		if random.Float64() < share {
			set.Add(int32(row))
		}
	}
	return t.index.Mask(set).Pack()
}

// exclude draws what a person of each query has seen.
func (t *topk) exclude() {
	random := rand.New(rand.NewPCG(vectorSeed, 6))
	for i := range t.count() {
		best, _ := t.index.Top(retrieve.Query{Vector: t.query(i), K: 200})
		var seen []int32
		for j := 0; j < len(best); j += 2 {
			seen = append(seen, best[j].Row)
		}
		for len(seen) < 200 {
			seen = append(seen, int32(random.IntN(t.n)))
		}
		t.seen = append(t.seen, seen)
	}
}

// round answers every query once, on one thread. The cost is of one query.
func (t *topk) round(arg json.RawMessage) (any, error) {
	var kind string
	if err := json.Unmarshal(arg, &kind); err != nil {
		return nil, err
	}
	rescored, scanned := 0, 0.0
	var each func(i int)
	switch kind {
	case "plain":
		each = func(i int) {
			_, stats := t.index.Top(retrieve.Query{Vector: t.query(i), K: t.k})
			rescored, scanned = rescored+stats.Rescored, scanned+stats.Fraction()
		}
	case "half", "tenth":
		only := t.half
		if kind == "tenth" {
			only = t.tenth
		}
		each = func(i int) {
			_, stats := t.index.Top(retrieve.Query{Vector: t.query(i), K: t.k, Only: only, Seen: t.seen[i]})
			rescored, scanned = rescored+stats.Rescored, scanned+stats.Fraction()
		}
	case "stream":
		if t.codes == nil {
			t.codes = make([]byte, t.n*((t.f+3)&^3))
			for i := range t.codes {
				t.codes[i] = byte(1 + i%255)
			}
		}
		each = func(int) { t.sink += stream(t.codes) }
	default:
		return nil, fmt.Errorf("there is no round %q", kind)
	}
	n := t.count()
	c := measure(func() {
		for i := range n {
			each(i)
		}
	})
	return map[string]float64{
		"cpu": c.CPU / float64(n), "wall": c.Wall / float64(n), "rescored": float64(rescored) / float64(n), "scanned": scanned / float64(n),
	}, nil
}

// stream reads every byte once, with the widest loads that the standard library has: no
// byte is zero.
func stream(codes []byte) int { return bytes.Count(codes, []byte{0}) }

// exact compares every answer with a full sort of all scores, writes the right rows
// for the other side, and gives the recall and how many answers differ at all.
func (t *topk) exact(arg json.RawMessage) (any, error) {
	var path string
	if err := json.Unmarshal(arg, &path); err != nil {
		return nil, err
	}
	scores := make([]float32, t.n)
	truth := make([]int32, 0, t.count()*t.k)
	hits, differ := 0, 0
	for i := range t.count() {
		t.index.Scores(t.query(i), scores)
		right := rank.TopK(scores, t.k, nil)
		got, _ := t.index.Top(retrieve.Query{Vector: t.query(i), K: t.k})
		in := map[int32]bool{}
		for _, r := range right {
			truth = append(truth, r.Row)
			in[r.Row] = true
		}
		same := len(got) == len(right)
		for j, r := range got {
			if in[r.Row] {
				hits++
			}
			same = same && j < len(right) && r == right[j]
		}
		if !same {
			differ++
		}
	}
	if err := writeNPY(path, truth, t.count(), t.k); err != nil {
		return nil, err
	}
	return map[string]float64{"recall": float64(hits) / float64(len(truth)), "differ": float64(differ)}, nil
}
