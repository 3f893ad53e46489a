package kernel_test

import (
	"math"
	"slices"
	"testing"

	"kindred/model/kernel"
)

// lengths is every length that the loops' tails can tell apart, and some long ones.
func lengths() []int {
	var n []int
	for i := range 301 {
		n = append(n, i)
	}
	return append(n, 511, 768, 1023)
}

// within fails where got is further from want than rounding of terms of the given
// magnitude explains.
func within(t *testing.T, what string, got float32, want, magnitude float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= 1e-6*(magnitude+1e-6)) {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}

// guarded is random numbers that begin at an odd place in memory, between numbers that are
// none: who uses them gets a result that is none, and nobody may change them.
type guarded struct {
	v        []float32
	all      []float32
	off, end int
}

func newGuarded(seed uint64, n int) guarded {
	g := guarded{all: randoms(seed, n+40), off: int(seed%17) + 1}
	g.end = g.off + n
	for i := range g.all {
		if i < g.off || i >= g.end {
			g.all[i] = float32(math.NaN())
		}
	}
	g.v = g.all[g.off:g.end:g.end]
	return g
}

// intact fails when a number beside v was written.
func (g guarded) intact(t *testing.T, what string) {
	t.Helper()
	for i, v := range g.all {
		if (i < g.off || i >= g.end) && v == v {
			t.Fatalf("%s of length %d wrote the number %d beyond its place", what, len(g.v), i-g.off)
		}
	}
}

func TestVectorsOfEveryLengthAtEveryLevel(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, n := range lengths() {
			x, y := newGuarded(uint64(n), n).v, newGuarded(uint64(3*n+1), n)
			within(t, "Dot", kernel.Dot(x, y.v), dot(x, y.v), float64(n))
			before := slices.Clone(y.v)
			kernel.Axpy(.75, x, y.v)
			for i := range x {
				within(t, "Axpy", y.v[i], .75*float64(x[i])+float64(before[i]), 2)
			}
			y.intact(t, "Axpy")
		}
	})
}

// TestWhatIsNotANumberIsNotHidden puts one into every place.
func TestWhatIsNotANumberIsNotHidden(t *testing.T) {
	isNaN := func(v float32) bool { return v != v }
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 7, 8, 9, 31, 64, 130} {
			for i := range n {
				x, zeros := randoms(1, n), make([]float32, n)
				x[i] = float32(math.NaN())
				if !isNaN(kernel.Dot(x, zeros)) {
					t.Fatalf("Dot lost number %d of %d", i, n)
				}
				kernel.Axpy(0, x, zeros)
				if !isNaN(zeros[i]) {
					t.Fatalf("Axpy lost number %d of %d", i, n)
				}
				out := make([]float32, n)
				kernel.NormalMul(out, x, []float32{0}, make([]float32, n)) // one row of weight 0
				if slices.ContainsFunc(out, func(v float32) bool { return !isNaN(v) }) {
					t.Fatalf("NormalMul lost number %d of %d", i, n)
				}
				g := make([]float32, n*n)
				kernel.Gram(g, x, []float32{0}, n)
				for j := range n {
					if !isNaN(g[max(i, j)*n+min(i, j)]) {
						t.Fatalf("Gram lost number %d of %d", i, n)
					}
				}
			}
		}
	})
}

func TestPassesOverEveryNumberOfColumnsAtEveryLevel(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, f := range lengths() {
			for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 11} {
				seed := uint64(f*12 + n)
				rows, p := newGuarded(seed, n*f).v, newGuarded(seed+1, f).v
				w, b := newGuarded(seed+2, n).v, newGuarded(seed+3, n).v
				dst, product, residual := newGuarded(seed+4, n), newGuarded(seed+5, f), newGuarded(seed+6, f)
				wantProduct, wantResidual := widen(product.v), widen(residual.v)
				kernel.Gemv(dst.v, rows, p)
				for i := range n {
					row := rows[i*f : (i+1)*f]
					s := dot(row, p)
					within(t, "Gemv", dst.v[i], s, float64(f))
					for k, y := range row {
						wantProduct[k] += float64(w[i]) * s * float64(y)
						wantResidual[k] += (float64(b[i]) - float64(w[i])*s) * float64(y)
					}
				}
				kernel.NormalMul(product.v, rows, w, p)
				kernel.NormalResidual(residual.v, rows, w, b, p)
				for k := range f {
					within(t, "NormalMul", product.v[k], wantProduct[k], float64(n*f))
					within(t, "NormalResidual", residual.v[k], wantResidual[k], float64(n*f))
				}
				dst.intact(t, "Gemv")
				product.intact(t, "NormalMul")
				residual.intact(t, "NormalResidual")
			}
		}
	})
}

func TestGatherOfEveryNumberOfColumnsAtEveryLevel(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, f := range lengths()[1:] {
			const many, n = 5, 23
			table, rows := newGuarded(uint64(f), many*f).v, make([]int32, n)
			for i := range rows {
				rows[i] = int32(i*i) % many
			}
			half, rounded := make([]uint16, many*f), make([]float32, many*f)
			kernel.HalfEncode(half, table)
			kernel.HalfDecode(rounded, half)

			copies := func(what string, got guarded, table []float32) {
				t.Helper()
				for i, row := range rows {
					if !slices.Equal(got.v[i*f:(i+1)*f], table[int(row)*f:(int(row)+1)*f]) {
						t.Fatalf("%s, f = %d: copy %d is not row %d", what, f, i, row)
					}
				}
				got.intact(t, what)
			}
			dst, decoded := newGuarded(uint64(f+1), n*f), newGuarded(uint64(f+2), n*f)
			kernel.Gather(dst.v, table, f, rows)
			copies("Gather", dst, table)
			kernel.GatherDecode(decoded.v, half, f, rows)
			copies("GatherDecode", decoded, rounded)

			w, b, p := newGuarded(2, n).v, newGuarded(3, n).v, newGuarded(4, f).v
			for _, n := range []int{0, 1, 3, 4, 22, 23} {
				out, outHalf := newGuarded(5, f), newGuarded(5, f)
				want, wantHalf := slices.Clone(out.v), slices.Clone(out.v)
				kernel.NormalResidual(want, dst.v, w[:n], b, p)
				kernel.NormalResidual(wantHalf, decoded.v, w[:n], b, p)
				packed, packedHalf := newGuarded(6, 23*f), newGuarded(7, 23*f)
				kernel.GatherResidual(out.v, packed.v, table, rows[:n], w, b, p)
				kernel.GatherResidualHalf(outHalf.v, packedHalf.v, half, rows[:n], w, b, p)
				if !slices.Equal(packed.v[:n*f], dst.v[:n*f]) || !slices.Equal(packedHalf.v[:n*f], decoded.v[:n*f]) {
					t.Fatalf("f = %d, n = %d: other rows than Gather's", f, n)
				}
				if !slices.Equal(packed.v[n*f:], newGuarded(6, 23*f).v[n*f:]) {
					t.Fatalf("f = %d, n = %d: wrote behind the packed rows", f, n)
				}
				for k := range f {
					within(t, "GatherResidual", out.v[k], float64(want[k]), float64(n*f))
					within(t, "GatherResidualHalf", outHalf.v[k], float64(wantHalf[k]), float64(n*f))
				}
				for _, g := range []guarded{out, outHalf, packed, packedHalf} {
					g.intact(t, "GatherResidual")
				}
			}
		}
	})
}

func TestGatherRefusesRowsThatAreNotThere(t *testing.T) {
	for _, row := range []int32{-1, 3} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Gather of row %d of 3 did not panic", row)
				}
			}()
			kernel.Gather(make([]float32, 4), make([]float32, 6), 2, []int32{0, row})
		}()
	}
}

// TestPassesLongerThanOneCall covers the cut into calls of bounded time.
func TestPassesLongerThanOneCall(t *testing.T) {
	const n, f = 70001, 4
	rows, p, w, b := randoms(1, n*f), randoms(2, f), randoms(3, n), randoms(4, n)
	numbers, index := make([]float32, n*f), make([]int32, n)
	for i := range index {
		index[i] = int32(n - 1 - i)
	}
	scores, product, residual := make([]float32, n), make([]float32, f), make([]float32, f)
	kernel.Gemv(scores, rows, p)
	kernel.NormalMul(product, rows, w, p)
	kernel.NormalResidual(residual, rows, w, b, p)
	kernel.Gather(numbers, rows, f, index)
	wantProduct, wantResidual := make([]float64, f), make([]float64, f)
	for i := range n {
		row := rows[i*f : (i+1)*f]
		s := dot(row, p)
		within(t, "Gemv", scores[i], s, f)
		for k, y := range row {
			wantProduct[k] += float64(w[i]) * s * float64(y)
			wantResidual[k] += (float64(b[i]) - float64(w[i])*s) * float64(y)
		}
		if !slices.Equal(row, numbers[(n-1-i)*f:(n-i)*f]) {
			t.Fatalf("Gather lost row %d", i)
		}
	}
	for k := range f {
		within(t, "NormalMul", product[k], wantProduct[k], n/4)
		within(t, "NormalResidual", residual[k], wantResidual[k], n/4)
	}
}

func TestGramOfEveryNumberOfColumnsAtEveryLevel(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, f := range lengths()[:150] {
			for _, n := range []int{0, 1, 7, 300} {
				if n == 300 && f%13 != 12 {
					continue
				}
				rows, weights := newGuarded(uint64(f), n*f).v, newGuarded(3, n).v
				for _, w := range [][]float32{nil, weights} {
					g := newGuarded(uint64(n+f), f*f)
					want := widen(g.v)
					kernel.Syrk(want, rows, w, f, make([]float64, 4*f))
					kernel.Gram(g.v, rows, w, f)
					for i := range f {
						for j := range i + 1 {
							within(t, "Gram", g.v[i*f+j], want[i*f+j], float64(n)/2+1)
						}
					}
					g.intact(t, "Gram")
				}
			}
		}
	})
}

func TestSyrkOfEveryNumberOfColumnsAtEveryLevel(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, f := range lengths()[:100] {
			for _, n := range []int{0, 1, 7, 70} {
				rows, weights := newGuarded(uint64(f), n*f).v, newGuarded(3, n).v
				for _, w := range [][]float32{nil, weights} {
					for _, room := range []int{4, 7, 40} {
						g, want := widen(randoms(uint64(n), f*f)), widen(randoms(uint64(n), f*f))
						for i := range n {
							wi := 1.0
							if w != nil {
								wi = float64(w[i])
							}
							for j := range f {
								for k := range j + 1 {
									want[j*f+k] += wi * float64(rows[i*f+j]) * float64(rows[i*f+k])
								}
							}
						}
						kernel.Syrk(g, rows, w, f, make([]float64, room*f))
						for i, v := range g {
							if !(math.Abs(v-want[i]) <= 1e-14*float64(n+1)) {
								t.Fatalf("Syrk of %d rows of %d columns: element %d is %v, want %v", n, f, i, v, want[i])
							}
						}
					}
				}
			}
		}
	})
}

func TestRotateOfEveryNumberOfColumnsAtEveryLevel(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, f := range lengths()[:150] {
			for _, n := range []int{0, 1, 7, 8, 13} {
				rows, v := newGuarded(uint64(f+n), n*f), newGuarded(uint64(n), f*f).v
				before := slices.Clone(rows.v)
				kernel.Rotate(rows.v, v, f, make([]float32, kernel.RotateRows*f))
				for i := range n {
					for k := range f {
						want := 0.0
						for j := range f {
							want += float64(before[i*f+j]) * float64(v[j*f+k])
						}
						within(t, "Rotate", rows.v[i*f+k], want, float64(f))
					}
				}
				rows.intact(t, "Rotate")
			}
		}
	})
}

func TestFloat64OfEveryLengthAtEveryLevel(t *testing.T) {
	near := func(t *testing.T, what string, n int, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-14*float64(n+1)) {
			t.Fatalf("%s of length %d = %v, want %v", what, n, got, want)
		}
	}
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for _, n := range lengths() {
			row, w, u := widen(randoms(1, n)), widen(randoms(2, n)), widen(randoms(3, n))
			next, p := widen(randoms(4, n)), widen(randoms(5, n))
			const a, b, c = .5, -.25, 2

			sum := 0.0
			for i := range n {
				sum += row[i] * w[i]
			}
			near(t, "Dot64", n, kernel.Dot64(row, w), sum)

			added, x, y := slices.Clone(w), slices.Clone(row), slices.Clone(u)
			kernel.Axpy64(a, row, added)
			kernel.Givens64(x, y, a, b)
			line, product := slices.Clone(row), slices.Clone(p)
			got, want := kernel.Rank2Symv64(line, w, u, next, product, a, b, c), 0.0
			for i := range n {
				near(t, "Axpy64", n, added[i], w[i]+a*row[i])
				near(t, "Givens64 x", n, x[i], a*row[i]-b*u[i])
				near(t, "Givens64 y", n, y[i], b*row[i]+a*u[i])
				v := row[i] - a*w[i] - b*u[i]
				near(t, "Rank2Symv64 row", n, line[i], v)
				near(t, "Rank2Symv64 p", n, product[i], p[i]+c*v)
				want += v * next[i]
			}
			near(t, "Rank2Symv64", n, got, want)
		}
	})
}

// FuzzLevelsAgree compares all levels with plain Go, for numbers of any finite size.
func FuzzLevelsAgree(f *testing.F) {
	f.Add(uint8(4), uint16(64), uint64(1), float32(1))
	f.Add(uint8(7), uint16(50), uint64(2), float32(1e-30))
	f.Add(uint8(33), uint16(257), uint64(3), float32(1e9))
	f.Fuzz(func(t *testing.T, n8 uint8, f16 uint16, seed uint64, scale float32) {
		n, f := int(n8), int(f16)%300+1
		if size := math.Abs(float64(scale)); !(size < 1e9) {
			return
		}
		rows, p, w, b := newGuarded(seed, n*f), newGuarded(seed+1, f), newGuarded(seed+2, n), newGuarded(seed+3, n)
		for i := range rows.v {
			rows.v[i] *= scale
		}
		size := math.Abs(float64(scale))
		size = float64(n+1) * float64(f) * (1 + size) * (1 + size)
		var want [][]float32
		for l := kernel.Generic; l <= kernel.BestLevel(); l++ {
			kernel.SetLevel(t, l)
			scores, product, residual, g := newGuarded(4, n), newGuarded(5, f), newGuarded(6, f), newGuarded(7, f*f)
			kernel.Gemv(scores.v, rows.v, p.v)
			kernel.NormalMul(product.v, rows.v, w.v, p.v)
			kernel.NormalResidual(residual.v, rows.v, w.v, b.v, p.v)
			kernel.Gram(g.v, rows.v, w.v, f)
			for i := range f {
				clear(g.v[i*f+i+1 : (i+1)*f])
			}
			got := [][]float32{scores.v, product.v, residual.v, g.v}
			if l == kernel.Generic {
				want = got
				continue
			}
			for i := range want {
				for j, v := range want[i] {
					within(t, l.String(), got[i][j], float64(v), size)
				}
			}
			for _, g := range []guarded{scores, product, residual, g} {
				g.intact(t, l.String())
			}
		}
	})
}
