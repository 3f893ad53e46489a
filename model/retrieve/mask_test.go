package retrieve_test

import (
	"testing"

	"pgregory.net/rapid"

	"kindred/model/rank"
	"kindred/model/retrieve"
	"kindred/model/retrieve/retrievetest"
)

func TestAMaskOutlivesAppends(t *testing.T) {
	const f = 4
	v := retrievetest.Vectors(500, f, 0.4, 9)
	x := retrieve.New(v[:300*f], f, retrieve.Config{})
	old := x.Mask(rank.SetOf(300, []int32{1, 2, 299}))
	y := x.Append(v[300*f:])
	q := retrieve.Query{Vector: v[:f], K: 500}
	q.Only = old
	if got, _ := y.Top(q); len(got) != 3 {
		t.Errorf("only an older mask gives %d rows, want its 3", len(got))
	}
	q.Only, q.Hide = nil, []*retrieve.Mask{old}
	if got, _ := y.Top(q); len(got) != 497 {
		t.Errorf("hiding an older mask leaves %d rows, want 497", len(got))
	}
}

func TestAPackedMaskIsUnpackedByAChange(t *testing.T) {
	const n, f = 1000, 4
	x := retrieve.New(retrievetest.Vectors(n, f, 0.4, 9), f, retrieve.Config{})
	q := retrieve.Query{Vector: retrievetest.Queries(1, f, 9), K: n}
	some, others := rank.SetOf(n, []int32{1, 2, 3, 4, 5}), rank.SetOf(n, []int32{4, 5, 6})
	for name, c := range map[string]struct {
		change func(m, o *retrieve.Mask)
		want   int
	}{
		"and": {(*retrieve.Mask).And, 2}, "or": {(*retrieve.Mask).Or, 6}, "and not": {(*retrieve.Mask).AndNot, 3},
	} {
		m := x.Mask(some)
		packed := m.Pack()
		q.Only = packed
		if got, stats := x.Top(q); len(got) != 5 || stats.Scanned > 64 {
			t.Errorf("%s: a packed mask of 5 gives %d rows, %+v", name, len(got), stats)
		}
		c.change(packed, x.Mask(others))
		if got, _ := x.Top(q); len(got) != c.want {
			t.Errorf("%s: %d rows, want %d", name, len(got), c.want)
		}
		q.Only = m
		if got, _ := x.Top(q); len(got) != 5 {
			t.Errorf("%s: the mask that was packed changed: %d rows", name, len(got))
		}
	}
}

func TestMasksCombine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const f = 2
		n, more := rapid.IntRange(1, 200).Draw(t, "n"), rapid.IntRange(0, 200).Draw(t, "more")
		x := retrieve.New(make([]float32, n*f), f, retrieve.Config{})
		y := x.Append(make([]float32, more*f))
		draw := func(name string) (*retrieve.Mask, *rank.Set) {
			set := rank.SetOf(n+more, rapid.SliceOf(rapid.Int32Range(0, int32(n+more))).Draw(t, name))
			if rapid.Bool().Draw(t, name+" older") {
				for row := n; row < n+more; row++ {
					set.Remove(int32(row))
				}
				return x.Mask(set), set
			}
			return y.Mask(set), set
		}
		a, as := draw("a")
		b, bs := draw("b")
		and, or, not := a.Clone(), a.Clone(), a.Clone()
		and.And(b)
		or.Or(b)
		not.AndNot(b)
		for row := int32(-1); int(row) < n+more+70; row++ {
			if a.Has(row) != as.Has(row) || and.Has(row) != (as.Has(row) && bs.Has(row)) ||
				or.Has(row) != (as.Has(row) || bs.Has(row)) || not.Has(row) != (as.Has(row) && !bs.Has(row)) {
				t.Fatalf("row %d: a %v, and %v, or %v, and not %v", row, a.Has(row), and.Has(row), or.Has(row), not.Has(row))
			}
		}
		if a.Count() != as.Count() {
			t.Fatalf("Count = %d, want %d", a.Count(), as.Count())
		}
	})
}
