package sparse

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// CSR is a sparse Rows × Cols matrix in compressed rows.
type CSR struct {
	Rows, Cols int
	Ptr        []int64   // Rows+1 entries: row i is Col[Ptr[i]:Ptr[i+1]]
	Col        []int32   // column of each entry, ascending inside a row
	Val        []float32 // value of each entry
}

// Triple is one entry by its coordinates.
type Triple struct {
	Row, Col int32
	Val      float32
}

// FromTriples builds a matrix from entries in any order. Entries with equal
// coordinates are summed in float64 in the order given, so the result is a
// function of the sequence; t is not changed. A coordinate outside the shape
// panics. Cost is O(n log n) in the number of entries.
func FromTriples(rows, cols int, t []Triple) *CSR {
	order := make([]int, len(t))
	for i := range order {
		e := t[i]
		if e.Row < 0 || int(e.Row) >= rows || e.Col < 0 || int(e.Col) >= cols {
			panic(fmt.Sprintf("sparse: entry (%d, %d) outside %d × %d", e.Row, e.Col, rows, cols))
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(t[a].Row, t[b].Row), cmp.Compare(t[a].Col, t[b].Col), cmp.Compare(a, b))
	})
	m := &CSR{Rows: rows, Cols: cols, Ptr: make([]int64, rows+1)}
	m.Col = make([]int32, 0, len(t))
	m.Val = make([]float32, 0, len(t))
	for i := 0; i < len(order); {
		first := t[order[i]]
		sum := 0.0
		for ; i < len(order) && t[order[i]].Row == first.Row && t[order[i]].Col == first.Col; i++ {
			sum += float64(t[order[i]].Val)
		}
		m.Col = append(m.Col, first.Col)
		m.Val = append(m.Val, float32(sum))
		m.Ptr[first.Row+1]++
	}
	for i := range rows {
		m.Ptr[i+1] += m.Ptr[i]
	}
	return m
}

// NNZ is the number of stored entries.
func (m *CSR) NNZ() int { return len(m.Col) }

// Row returns the columns and values of row i, without copying.
func (m *CSR) Row(i int) (cols []int32, vals []float32) {
	lo, hi := m.Ptr[i], m.Ptr[i+1]
	return m.Col[lo:hi:hi], m.Val[lo:hi:hi]
}

// RowLen is the number of entries of row i.
func (m *CSR) RowLen(i int) int { return int(m.Ptr[i+1] - m.Ptr[i]) }

// Transpose returns the Cols × Rows matrix in a new CSR. Cost is O(Rows + Cols + NNZ).
func (m *CSR) Transpose() *CSR {
	t := &CSR{
		Rows: m.Cols, Cols: m.Rows,
		Ptr: make([]int64, m.Cols+1),
		Col: make([]int32, len(m.Col)),
		Val: make([]float32, len(m.Val)),
	}
	for _, c := range m.Col {
		t.Ptr[c+1]++
	}
	for i := range t.Rows {
		t.Ptr[i+1] += t.Ptr[i]
	}
	next := slices.Clone(t.Ptr[:t.Rows])
	for r := range m.Rows {
		cols, vals := m.Row(r)
		for i, c := range cols {
			t.Col[next[c]], t.Val[next[c]] = int32(r), vals[i]
			next[c]++
		}
	}
	return t
}

// Validate checks every invariant of the package comment and that values are
// finite; the error names the first row that breaks one. Cost is O(Rows + NNZ).
func (m *CSR) Validate() error {
	if m.Rows < 0 || m.Cols < 0 || len(m.Ptr) != m.Rows+1 || len(m.Col) != len(m.Val) || m.Ptr[0] != 0 || m.Ptr[m.Rows] != int64(len(m.Col)) {
		return fmt.Errorf("sparse matrix %d × %d: %d row pointers, %d columns and %d values do not fit together",
			m.Rows, m.Cols, len(m.Ptr), len(m.Col), len(m.Val))
	}
	for r := range m.Rows {
		lo, hi := m.Ptr[r], m.Ptr[r+1]
		if lo > hi || hi > int64(len(m.Col)) {
			return fmt.Errorf("sparse matrix row %d: begins at %d and ends at %d", r, lo, hi)
		}
		last := int32(-1)
		for i := lo; i < hi; i++ {
			if c := m.Col[i]; c <= last || int(c) >= m.Cols {
				return fmt.Errorf("sparse matrix row %d: column %d after %d: columns must rise and be below %d", r, c, last, m.Cols)
			}
			last = m.Col[i]
			if v := float64(m.Val[i]); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("sparse matrix row %d column %d: value %v is not finite", r, last, v)
			}
		}
	}
	return nil
}
