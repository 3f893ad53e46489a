package evaluate

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestMetricsOfAListWorkedByHand(t *testing.T) {
	// Hits at ranks 2 and 5 of five, three relevant.
	a := judge([]int32{9, 1, 8, 7, 2}, []int32{1, 2, 3}, 5)
	near(t, "precision", a.precision, 2.0/5)
	near(t, "recall", a.recall, 2.0/3)
	near(t, "recall capped", a.capped, 2.0/3)
	near(t, "mrr", a.mrr, 1.0/2)
	near(t, "hitrate", a.hit, 1)
	near(t, "map", a.mean, (1.0/2+2.0/5)/3)
	ideal := 1 + 1/math.Log2(3) + 1/math.Log2(4)
	near(t, "ndcg", a.ndcg, (1/math.Log2(3)+1/math.Log2(6))/ideal)

	// More relevant items than places: only the capped recall can be 1.
	a = judge([]int32{1, 2}, []int32{1, 2, 3, 4}, 2)
	near(t, "recall", a.recall, .5)
	near(t, "recall capped", a.capped, 1)
	near(t, "ndcg", a.ndcg, 1)
	near(t, "map", a.mean, 1)

	// What is past the cutoff does not count, and a short list counts as missed.
	a = judge([]int32{9, 1}, []int32{1}, 1)
	near(t, "ndcg past the cutoff", a.ndcg, 0)
	near(t, "mrr past the cutoff", a.mrr, 0)
	a = judge([]int32{1}, []int32{1, 2}, 4)
	near(t, "precision of a short list", a.precision, 1.0/4)
}

// textbook computes the metrics from their definitions, set by set.
func textbook(list, relevant []int32, k int) accuracy {
	hitsAt := func(r int) float64 { // among the first r
		n := 0.0
		for _, row := range list[:min(r, len(list))] {
			if slices.Contains(relevant, row) {
				n++
			}
		}
		return n
	}
	rel := func(r int) float64 { return hitsAt(r) - hitsAt(r-1) }
	R := float64(len(relevant))
	var a accuracy
	dcg, idcg := 0.0, 0.0
	for r := 1; r <= k; r++ {
		dcg += rel(r) / math.Log2(float64(r)+1)
		if float64(r) <= R {
			idcg += 1 / math.Log2(float64(r)+1)
		}
		a.mean += rel(r) * hitsAt(r) / float64(r) / math.Min(float64(k), R)
		if a.mrr == 0 && rel(r) == 1 {
			a.mrr = 1 / float64(r)
		}
	}
	a.ndcg = dcg / idcg
	a.precision = hitsAt(k) / float64(k)
	a.recall = hitsAt(k) / R
	a.capped = hitsAt(k) / math.Min(float64(k), R)
	a.hit = math.Min(1, hitsAt(k))
	return a
}

// lists draws a ranking without repeats, relevant rows and a cutoff.
func lists(t *rapid.T) (list, relevant []int32, k int) {
	n := rapid.IntRange(1, 40).Draw(t, "items")
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	list = rapid.Permutation(rows).Draw(t, "list")[:rapid.IntRange(0, n).Draw(t, "length")]
	relevant = slices.Clone(rapid.Permutation(rows).Draw(t, "relevant")[:rapid.IntRange(1, n).Draw(t, "size")])
	slices.Sort(relevant)
	return list, relevant, rapid.IntRange(1, 30).Draw(t, "k")
}

func TestMetricsEqualTheirTextbookDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, relevant, k := lists(t)
		got, want := judge(list, relevant, k), textbook(list, relevant, k)
		for _, m := range []struct {
			name      string
			got, want float64
		}{
			{NDCG, got.ndcg, want.ndcg}, {Recall, got.recall, want.recall}, {RecallCapped, got.capped, want.capped},
			{Precision, got.precision, want.precision}, {MAP, got.mean, want.mean}, {MRR, got.mrr, want.mrr}, {HitRate, got.hit, want.hit},
		} {
			if math.Abs(m.got-m.want) > 1e-12 {
				t.Fatalf("%s of %v against %v at %d = %v, want %v", m.name, list, relevant, k, m.got, m.want)
			}
		}
	})
}

func TestEveryMetricIsBetweenNoneAndPerfect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, relevant, k := lists(t)
		a := judge(list, relevant, k)
		for _, v := range []float64{a.ndcg, a.recall, a.capped, a.precision, a.mean, a.mrr, a.hit} {
			if v < 0 || v > 1+1e-12 {
				t.Fatalf("%+v: every metric lies in [0, 1]", a)
			}
		}
		p := judge(relevant, relevant, k)
		if math.Abs(p.ndcg-1) > 1e-12 || math.Abs(p.mean-1) > 1e-12 || p.capped != 1 || p.mrr != 1 || p.hit != 1 {
			t.Fatalf("perfect list at %d of %d: %+v, want ones", k, len(relevant), p)
		}
	})
}
