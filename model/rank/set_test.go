package rank_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kindred/model/rank"
)

func TestSetBehavesLikeAMapOfRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 150).Draw(t, "n")
		s, twin := rank.NewSet(n), map[int32]bool{}
		row := rapid.Int32Range(-2, int32(n+2))
		inside := func(r int32) bool { return r >= 0 && int(r) < n }
		others := func() (*rank.Set, map[int32]bool) {
			rows := rapid.SliceOf(row).Draw(t, "rows")
			m := map[int32]bool{}
			for _, r := range rows {
				m[r] = true
			}
			return rank.SetOf(n+rapid.IntRange(-1, 1).Draw(t, "d")*min(n, 1), rows), m
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				if r := row.Draw(t, "row"); inside(r) {
					s.Add(r)
					twin[r] = true
				}
			},
			"remove": func(t *rapid.T) {
				r := row.Draw(t, "row")
				s.Remove(r)
				delete(twin, r)
			},
			"fill": func(*rapid.T) {
				s.Fill()
				for r := range n {
					twin[int32(r)] = true
				}
			},
			"and": func(*rapid.T) {
				o, _ := others()
				s.And(o)
				for r := range twin {
					if !o.Has(r) {
						delete(twin, r)
					}
				}
			},
			"or": func(*rapid.T) {
				o, _ := others()
				s.Or(o)
				for _, r := range o.Rows() {
					if inside(r) {
						twin[r] = true
					}
				}
			},
			"and not": func(*rapid.T) {
				o, _ := others()
				s.AndNot(o)
				for r := range twin {
					if o.Has(r) {
						delete(twin, r)
					}
				}
			},
			"clone": func(*rapid.T) {
				old := s
				s = s.Clone()
				old.Fill() // must not show through
			},
			"": func(t *rapid.T) {
				var want []int32
				for r := range twin {
					want = append(want, r)
				}
				slices.Sort(want)
				if got := s.Rows(); !slices.Equal(got, want) || s.Count() != len(want) || s.Len() != n {
					t.Fatalf("Rows, Count = %v, %d; want %v", got, s.Count(), want)
				}
				for r := int32(-2); int(r) < n+70; r++ {
					if s.Has(r) != twin[r] {
						t.Fatalf("Has(%d) = %v", r, s.Has(r))
					}
				}
			},
		})
	})
}

func TestANilSetHoldsNothing(t *testing.T) {
	var s *rank.Set
	if s.Has(0) || s.Count() != 0 || s.Len() != 0 || len(s.Rows()) != 0 || s.Clone().Count() != 0 {
		t.Error("a nil set holds something")
	}
}

func TestAddOutsideTheRangePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Add(70) to a set of [0, 65) was accepted")
		}
	}()
	rank.NewSet(65).Add(70)
}
