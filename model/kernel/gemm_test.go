package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// normal is n random numbers.
func normal(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// checkTile subtracts one tile k deep and compares all of c, what is beside the tile included,
// with float64. The slices begin at odd addresses.
func checkTile(t *testing.T, k int, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, uint64(k)))
	a, b := normal(r, gemmRows*k+1)[1:], normal(r, gemmCols*k+3)[3:]
	before := normal(r, gemmRows*gemmBlock+5)
	got := slices.Clone(before)
	gemmTile(got[5:], a, b, k)
	for at, v := range got {
		i, j := (at-5)/gemmBlock, (at-5)%gemmBlock
		if at < 5 || j >= gemmCols {
			if v != before[at] {
				t.Fatalf("k %d: number %d beside the tile changed", k, at-5)
			}
			continue
		}
		want, size := float64(before[at]), math.Abs(float64(before[at]))
		for n := range k {
			p := float64(a[n*gemmRows+i]) * float64(b[n*gemmCols+j])
			want, size = want-p, size+math.Abs(p)
		}
		if !(math.Abs(float64(v)-want) <= 1e-6*(1+size)) {
			t.Fatalf("k %d: (%d, %d) is %v, want %v", k, i, j, v, want)
		}
	}
}

func TestATileIsTheSumOfProductsAtEveryDepth(t *testing.T) {
	AtEveryLevel(t, func(t *testing.T) {
		for k := 1; k <= 300; k++ {
			checkTile(t, k, 1)
		}
	})
}

func FuzzGemmTile(f *testing.F) {
	f.Add(uint16(384), uint64(1))
	f.Fuzz(func(t *testing.T, k uint16, seed uint64) {
		for l := Generic; l <= bestLevel(); l++ {
			SetLevel(t, l)
			checkTile(t, 1+int(k%1000), seed)
		}
	})
}

func TestTheTilesOfAVX2AndAVX512AreTheSameBytes(t *testing.T) {
	if bestLevel() < AVX512 {
		t.Skip("the processor has no AVX-512")
	}
	r := rand.New(rand.NewPCG(1, 2))
	const k = 77
	a, b, c := normal(r, gemmRows*k), normal(r, gemmCols*k), normal(r, gemmRows*gemmBlock)
	var got [2][]float32
	for i, l := range []Level{AVX2, AVX512} {
		SetLevel(t, l)
		got[i] = slices.Clone(c)
		gemmTile(got[i], a, b, k)
	}
	if !slices.Equal(got[0], got[1]) {
		t.Error("they differ")
	}
}

func TestPackingIsInTheOrderOfUse(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const rows, k, width = 96, 53, 12
	m := normal(r, rows*gemmBlock)
	byRows, byCols := make([]float32, rows*k), make([]float32, rows*k)
	packRows(byRows, m, gemmBlock, rows, k, width)
	turned := make([]float32, gemmBlock*gemmBlock)
	transposeBlock(turned, m, rows, k)
	packCols(byCols, turned, gemmBlock, k, rows, width)
	for i := range rows {
		for n := range k {
			at := i/width*width*k + n*width + i%width
			if want := m[i*gemmBlock+n]; byRows[at] != want || byCols[at] != want {
				t.Fatalf("(%d, %d) packed by rows is %v and by columns of the transpose %v, want %v", i, n, byRows[at], byCols[at], want)
			}
		}
	}
}

func BenchmarkGemmBlock(b *testing.B) {
	const size = gemmBlock * gemmBlock
	x, y, c := make([]float32, size), make([]float32, size), make([]float32, size)
	b.SetBytes(2 * gemmBlock * size) // MB/s is millions of operations a second
	for b.Loop() {
		gemmSub(c, x, y, gemmBlock, gemmBlock, gemmBlock, whole)
	}
}
