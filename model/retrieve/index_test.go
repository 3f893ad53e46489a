package retrieve_test

import (
	"slices"
	"testing"

	"kindred/model/rank"
	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
)

func TestTheIndexIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	v := retrievetest.Vectors(5000, 10, 0.5, 1)
	q := retrieve.Query{Vector: retrievetest.Queries(1, 10, 1), K: 20}
	for _, order := range []retrieve.Order{retrieve.ByNorm, retrieve.Clustered} {
		want, wantStats := retrieve.New(v, 10, retrieve.Config{Workers: 1, Order: order}).Top(q)
		for _, workers := range []int{2, 3, 16} {
			got, stats := retrieve.New(v, 10, retrieve.Config{Workers: workers, Order: order}).Top(q)
			if !slices.Equal(got, want) || stats != wantStats {
				t.Errorf("%d workers: %+v, want %+v", workers, stats, wantStats)
			}
		}
	}
}

func TestTopAllocatesItsAnswerOnly(t *testing.T) {
	const n, f = 5000, 32
	for _, order := range []retrieve.Order{retrieve.ByNorm, retrieve.Clustered} {
		x := retrieve.New(retrievetest.Vectors(n, f, 0.5, 1), f, retrieve.Config{Order: order})
		q := retrieve.Query{
			Vector: retrievetest.Queries(1, f, 1), K: 50, Seen: []int32{1, 2, 3},
			Hide: []*retrieve.Mask{x.Mask(rank.SetOf(n, []int32{9}))}, Rows: []int32{5}, Add: []float32{1},
		}
		if got := testing.AllocsPerRun(50, func() { x.Top(q) }); got > 1.5 && !raced { // the collector may empty the pool
			t.Errorf("order %d: %v allocations, want 1", order, got)
		}
	}
}

func TestWrongShapesPanic(t *testing.T) {
	x := retrieve.New(make([]float32, 10), 2, retrieve.Config{})
	other := retrieve.New(make([]float32, 10), 2, retrieve.Config{}).Mask(rank.NewSet(5))
	q := []float32{1, 2}
	for name, do := range map[string]func(){
		"no dimensions":         func() { retrieve.New(nil, 0, retrieve.Config{}) },
		"part of a row":         func() { retrieve.New(make([]float32, 3), 2, retrieve.Config{}) },
		"append part of a row":  func() { x.Append(make([]float32, 3)) },
		"a short query":         func() { x.Top(retrieve.Query{Vector: q[:1], K: 1}) },
		"rows without addends":  func() { x.Top(retrieve.Query{Vector: q, K: 1, Rows: []int32{1}}) },
		"only another's mask":   func() { x.Top(retrieve.Query{Vector: q, K: 1, Only: other}) },
		"hide another's mask":   func() { x.Top(retrieve.Query{Vector: q, K: 1, Hide: []*retrieve.Mask{other}}) },
		"masks that do not fit": func() { x.Mask(rank.NewSet(5)).And(other) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			do()
		})
	}
}
