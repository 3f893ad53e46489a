package model_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kindred/model"
)

func TestSparseScoresAreADenseVector(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "n")
		sparse := model.NewSparseScores(n)
		for range rapid.IntRange(1, 3).Draw(t, "rounds") { // Reset leaves nothing behind
			dense, touched := make([]float32, n), map[int32]bool{}
			if rapid.Bool().Draw(t, "full") {
				sparse.Fill(n)
				for row := range n {
					touched[int32(row)] = true
				}
			}
			for range rapid.IntRange(0, 20).Draw(t, "calls") {
				rows := rapid.SliceOfN(rapid.Int32Range(0, int32(n-1)), 0, 10).Draw(t, "rows")
				x := rapid.SliceOfN(rapid.Float32Range(-3, 3), len(rows), len(rows)).Draw(t, "x")
				w := rapid.Float32Range(0, 2).Draw(t, "w")
				for i, row := range rows {
					dense[row] += w * x[i]
					touched[row] = true
				}
				if rapid.Bool().Draw(t, "at once") {
					sparse.AddScaled(rows, w, x)
					continue
				}
				for i, row := range rows {
					sparse.Add(row, w*x[i])
				}
			}
			for row, want := range dense {
				if got := sparse.At(int32(row)); got != want || sparse.Has(int32(row)) != touched[int32(row)] {
					t.Fatalf("row %d is %v, touched %v; want %v, %v", row, got, sparse.Has(int32(row)), want, touched[int32(row)])
				}
			}
			in, sums := sparse.Bits()
			for row, want := range dense {
				if is := in[row>>6]>>(row&63)&1 == 1; is != touched[int32(row)] || is && sums[row] != want {
					t.Fatalf("row %d by Bits: %v, %v; want %v, %v", row, is, sums[row], touched[int32(row)], want)
				}
			}
			rows := slices.Sorted(slices.Values(sparse.Rows()))
			if len(rows) != len(touched) || len(slices.Compact(rows)) != len(touched) || sparse.Len() != n {
				t.Fatalf("%d rows touched, %v of %d reported", len(touched), rows, sparse.Len())
			}
			sparse.Reset()
		}
		if len(sparse.Rows()) != 0 || sparse.At(0) != 0 {
			t.Fatalf("after Reset: rows %v, row 0 is %v", sparse.Rows(), sparse.At(0))
		}
	})
}
