package kernel_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kindred/model/kernel"
)

func TestConjugateGradientUpdatesAgreeWithTheirDefinitions(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.IntRange(0, 300).Draw(t, "n")
			x, d, p, ap := matrix(t, "x", n), matrix(t, "d", n), matrix(t, "p", n), matrix(t, "ap", n)
			ridge, alpha := rapid.Float32Range(0, 4).Draw(t, "ridge"), rapid.Float32Range(-2, 2).Draw(t, "alpha")
			beta := rapid.SampledFrom([]float32{0, .5, 2}).Draw(t, "beta")
			r, dl, inv := make([]float32, n), make([]float32, n), make([]float32, n)

			affine := make([]float32, n)
			kernel.Affine(affine, x, alpha, -ridge)
			kernel.CGStart(r, dl, inv, x, d, ridge)
			norm := 0.0
			for k := range n {
				near(t, "Affine", float64(affine[k]), float64(alpha)*float64(x[k])-float64(ridge), 8)
				sum := float64(d[k] + ridge)
				near(t, "dl", float64(dl[k]), sum, 8)
				near(t, "r", float64(r[k]), -sum*float64(x[k]), 32)
				if sum >= 0x1p-126 {
					near(t, "inv·dl", float64(inv[k]*dl[k]), 1, 1)
				} else if inv[k] != 0 {
					t.Fatalf("inv of %v = %v, want 0", sum, inv[k])
				}
				inv[k] = min(inv[k], 4) // keeps the sums' size known
				norm += float64(r[k]) * float64(r[k]) * float64(inv[k])
			}
			near(t, "CGNorm", float64(kernel.CGNorm(r, inv)), norm, 4096*float64(n))

			next, product := slices.Clone(p), slices.Clone(ap)
			kernel.CGDirection(next, product, r, inv, dl, beta)
			for k := range n {
				want := float64(inv[k])*float64(r[k]) + float64(beta)*float64(p[k])
				near(t, "p", float64(next[k]), want, 256)
				near(t, "ap", float64(product[k]), want*float64(dl[k]), 4096)
			}

			moved, left := slices.Clone(x), slices.Clone(r)
			got := kernel.CGStep(moved, left, p, ap, inv, alpha)
			norm = 0
			for k := range n {
				near(t, "x", float64(moved[k]), float64(x[k])+float64(alpha)*float64(p[k]), 16)
				near(t, "r", float64(left[k]), float64(r[k])-float64(alpha)*float64(ap[k]), 64)
				norm += float64(left[k]) * float64(left[k]) * float64(inv[k])
			}
			near(t, "CGStep", float64(got), norm, 4096*float64(n))
		})
	})
}

func TestGatherResidualIsGatherThenResidual(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n, many, f := rapid.IntRange(0, 23).Draw(t, "n"), rapid.IntRange(1, 9).Draw(t, "many"), rapid.IntRange(1, 70).Draw(t, "f")
			if rapid.IntRange(0, 9).Draw(t, "of fixed width") == 0 {
				f, many = 64, 2
			}
			table, p, start := matrix(t, "table", many*f), matrix(t, "p", f), matrix(t, "start", f)
			w, b := matrix(t, "w", n), matrix(t, "b", n)
			rows := rapid.SliceOfN(rapid.Int32Range(0, int32(many-1)), n, n).Draw(t, "rows")
			ahead := append(slices.Clone(rows), rapid.SliceOfN(rapid.Int32(), 0, 5).Draw(t, "beyond")...)
			packed, out := make([]float32, n*f+3), slices.Clone(start)
			kernel.GatherResidual(out, packed, table, ahead, w, b, p)
			want := make([]float64, f)
			for k := range f {
				want[k] = float64(start[k])
			}
			for i, row := range rows {
				y := table[int(row)*f : (int(row)+1)*f]
				if !slices.Equal(packed[i*f:(i+1)*f], y) {
					t.Fatalf("packed row %d is not row %d of the table", i, row)
				}
				s := dot(y, p)
				for k := range f {
					want[k] += (float64(b[i]) - float64(w[i])*s) * float64(y[k])
				}
			}
			for k := range f {
				near(t, "out", float64(out[k]), want[k], 64*16*float64(n*f))
			}
			if packed[n*f] != 0 {
				t.Fatal("wrote behind the packed rows")
			}
		})
	})
}

func TestGatherResidualHalfDecodesTheTable(t *testing.T) {
	// A few halves by the standard's tables.
	halves := map[uint16]float32{
		0x0000: 0, 0x8000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 0x1p-14, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x3555: 0.333251953125,
	}
	var table []uint16
	var wide []float32
	for h, v := range halves {
		table, wide = append(table, h), append(wide, v)
	}
	rapid.Check(t, func(t *rapid.T) {
		n, f := rapid.IntRange(0, 23).Draw(t, "n"), rapid.SampledFrom([]int{1, 3, 9}).Draw(t, "f")
		many := len(table) / f
		p, w, b, start := matrix(t, "p", f), matrix(t, "w", n), matrix(t, "b", n), matrix(t, "start", f)
		for k := range p {
			p[k] *= 1e-4 // the table has large numbers
		}
		rows := rapid.SliceOfN(rapid.Int32Range(0, int32(many-1)), n, n).Draw(t, "rows")
		got, want := slices.Clone(start), slices.Clone(start)
		packed, wantPacked, decoded := make([]float32, n*f), make([]float32, n*f), make([]float32, n*f)
		kernel.GatherResidualHalf(got, packed, table, append(slices.Clone(rows), 1<<30, -1), w, b, p)
		kernel.GatherResidual(want, wantPacked, wide, rows, w, b, p)
		kernel.GatherDecode(decoded, table, f, rows)
		if !slices.Equal(packed, wantPacked) || !slices.Equal(decoded, wantPacked) {
			t.Fatalf("packed %v, decoded %v, want %v", packed, decoded, wantPacked)
		}
		for k := range want {
			near(t, "out", float64(got[k]), float64(want[k]), 65504*64*float64(n*f))
		}
	})
}

func TestNormalResidual64AgreesWithItsDefinition(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n, f := rapid.IntRange(0, 23).Draw(t, "n"), rapid.IntRange(1, 140).Draw(t, "f")
			rows, p, start := matrix(t, "rows", n*f), widen(matrix(t, "p", f)), widen(matrix(t, "start", f))
			w, b := matrix(t, "w", n), matrix(t, "b", n)
			got := slices.Clone(start)
			kernel.NormalResidual64(got, rows, w, b, p)
			for k := range f {
				want := start[k]
				for i := range n {
					s := 0.0
					for j := range f {
						s += float64(rows[i*f+j]) * p[j]
					}
					want += (float64(b[i]) - float64(w[i])*s) * float64(rows[i*f+k])
				}
				if d := got[k] - want; d > 1e-8 || d < -1e-8 {
					t.Fatalf("NormalResidual64[%d] = %v, want %v", k, got[k], want)
				}
			}
		})
	})
}
