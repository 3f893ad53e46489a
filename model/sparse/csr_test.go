package sparse_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/model/sparse"
)

// triples draws entries of a rows × cols matrix, many of them at the same place.
func triples(t *rapid.T) (rows, cols int, entries []sparse.Triple) {
	rows, cols = rapid.IntRange(1, 8).Draw(t, "rows"), rapid.IntRange(1, 8).Draw(t, "cols")
	entries = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sparse.Triple {
		return sparse.Triple{
			Row: int32(rapid.IntRange(0, rows-1).Draw(t, "row")),
			Col: int32(rapid.IntRange(0, cols-1).Draw(t, "col")),
			Val: float32(rapid.IntRange(1, 100).Draw(t, "val")),
		}
	}), 0, 60).Draw(t, "entries")
	return rows, cols, entries
}

func TestFromTriplesSumsDuplicatesAndSortsColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols, entries := triples(t)
		given := slices.Clone(entries)
		want := map[[2]int]float32{} // small whole numbers: exact in any order
		for _, e := range entries {
			want[[2]int{int(e.Row), int(e.Col)}] += e.Val
		}
		m := sparse.FromTriples(rows, cols, entries)
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		got := map[[2]int]float32{}
		for r := range m.Rows {
			c, v := m.Row(r)
			if len(c) != m.RowLen(r) {
				t.Fatalf("row %d has %d columns, RowLen says %d", r, len(c), m.RowLen(r))
			}
			for i := range c {
				got[[2]int{r, int(c[i])}] = v[i]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || m.NNZ() != len(want) {
			t.Fatalf("%d entries, want %d (-want +got):\n%s", m.NNZ(), len(want), diff)
		}
		if !slices.Equal(given, entries) {
			t.Fatal("FromTriples changed its input")
		}
	})
}

func TestTransposeMovesEveryEntryAndIsItsOwnInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols, entries := triples(t)
		m := sparse.FromTriples(rows, cols, entries)
		flipped := slices.Clone(entries)
		for i, e := range flipped {
			flipped[i].Row, flipped[i].Col = e.Col, e.Row
		}
		if diff := cmp.Diff(sparse.FromTriples(cols, rows, flipped), m.Transpose()); diff != "" {
			t.Fatalf("transpose (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(m, m.Transpose().Transpose()); diff != "" {
			t.Fatalf("transposed twice (-want +got):\n%s", diff)
		}
	})
}

func TestFromTriplesPanicsOutsideTheShape(t *testing.T) {
	for _, e := range []sparse.Triple{{Row: -1}, {Row: 2}, {Col: -1}, {Col: 3}} {
		t.Run(fmt.Sprint(e.Row, e.Col), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("entry %v of a 2 × 3 matrix was accepted", e)
				}
			}()
			sparse.FromTriples(2, 3, []sparse.Triple{e})
		})
	}
}

func TestValidateNamesWhatIsBroken(t *testing.T) {
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		m    sparse.CSR
		want string
	}{
		"short pointers":     {sparse.CSR{Rows: 2, Cols: 2, Ptr: []int64{0, 0}}, "do not fit together"},
		"negative rows":      {sparse.CSR{Rows: -1, Ptr: []int64{}}, "do not fit together"},
		"missing value":      {sparse.CSR{Rows: 1, Cols: 1, Ptr: []int64{0, 1}, Col: []int32{0}}, "do not fit together"},
		"falling pointers":   {sparse.CSR{Rows: 2, Cols: 2, Ptr: []int64{0, 2, 1}, Col: []int32{0}, Val: []float32{1}}, "row 0"},
		"pointer before row": {sparse.CSR{Rows: 2, Cols: 2, Ptr: []int64{0, -1, 1}, Col: []int32{0}, Val: []float32{1}}, "row 0"},
		"column too large":   {sparse.CSR{Rows: 1, Cols: 1, Ptr: []int64{0, 1}, Col: []int32{1}, Val: []float32{1}}, "column 1"},
		"columns not rising": {sparse.CSR{Rows: 1, Cols: 2, Ptr: []int64{0, 2}, Col: []int32{1, 1}, Val: []float32{1, 1}}, "must rise"},
		"not a number":       {sparse.CSR{Rows: 1, Cols: 1, Ptr: []int64{0, 1}, Col: []int32{0}, Val: []float32{nan}}, "not finite"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.m.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Validate = %v, want an error with %q", err, c.want)
			}
		})
	}
}

func ExampleFromTriples() {
	m := sparse.FromTriples(2, 3, []sparse.Triple{{Row: 1, Col: 2, Val: 1}, {Row: 0, Col: 1, Val: 2}, {Row: 1, Col: 2, Val: 3}})
	cols, vals := m.Row(1)
	fmt.Println(m.NNZ(), cols, vals)
	// Output: 2 [2] [4]
}
