package kernel_test

import (
	"testing"

	"pgregory.net/rapid"

	"kindred/model/kernel"
)

func TestFloat64UpdatesAgreeWithTheirDefinitions(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.IntRange(0, 300).Draw(t, "n")
			draw := func(name string) []float64 { return widen(matrix(t, name, n)) }
			a, b, c := rapid.Float64Range(-2, 2).Draw(t, "a"), rapid.Float64Range(-2, 2).Draw(t, "b"), rapid.Float64Range(-2, 2).Draw(t, "c")
			row, w, u, next, p := draw("row"), draw("w"), draw("u"), draw("next"), draw("p")

			y := append([]float64{}, w...)
			kernel.Axpy64(a, row, y)
			for k := range n {
				near(t, "Axpy64", y[k], w[k]+a*row[k], 1e-9)
			}
			g, h := append([]float64{}, row...), append([]float64{}, w...)
			kernel.Givens64(g, h, a, b)
			for k := range n {
				near(t, "x", g[k], a*row[k]-b*w[k], 1e-9)
				near(t, "y", h[k], b*row[k]+a*w[k], 1e-9)
			}
			got, after := append([]float64{}, row...), append([]float64{}, p...)
			s := kernel.Rank2Symv64(got, w, u, next, after, a, b, c)
			want := 0.0
			for k := range n {
				v := row[k] - a*w[k] - b*u[k]
				near(t, "row", got[k], v, 1e-9)
				near(t, "p", after[k], p[k]+c*v, 1e-9)
				want += v * next[k]
			}
			near(t, "row·next", s, want, 1e-9)
		})
	})
}
