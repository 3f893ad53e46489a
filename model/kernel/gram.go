package kernel

// Syrk adds Σ wᵢ yᵢyᵢᵀ to the lower triangle of the f × f matrix g, in float64, where
// the yᵢ are the rows of the row-major matrix rows with f columns; a nil w means
// weight 1 for every row. scratch has length 4·f or more; with 32·f large matrices are not
// read and written for every four rows. Gram is the fast way that adds in float32.
func Syrk(g []float64, rows, w []float32, f int, scratch []float64) {
	if f == 0 {
		return
	}
	n := len(rows) / f
	g, rows, scratch = g[:f*f], rows[:n*f], scratch[:max(len(scratch)&^3, 4*f)]
	if w != nil {
		w = w[:n]
	}
	syrk(g, rows, w, f, scratch)
}

func syrkGeneric(g []float64, rows, w []float32, f int, scratch []float64) {
	n := len(rows) / f
	b0, b1, b2, b3 := scratch[:f], scratch[f:2*f], scratch[2*f:3*f], scratch[3*f:4*f]
	weight := func(i int) float64 {
		if w == nil {
			return 1
		}
		return float64(w[i])
	}
	i := 0
	for ; i+4 <= n; i += 4 {
		r := rows[i*f : (i+4)*f]
		for k := range f {
			b0[k], b1[k], b2[k], b3[k] = float64(r[k]), float64(r[f+k]), float64(r[2*f+k]), float64(r[3*f+k])
		}
		w0, w1, w2, w3 := weight(i), weight(i+1), weight(i+2), weight(i+3)
		for j := range f {
			c0, c1, c2, c3 := w0*b0[j], w1*b1[j], w2*b2[j], w3*b3[j]
			out := g[j*f : j*f+j+1]
			x0, x1, x2, x3 := b0[:len(out)], b1[:len(out)], b2[:len(out)], b3[:len(out)]
			for k := range out {
				out[k] += (c0*x0[k] + c1*x1[k]) + (c2*x2[k] + c3*x3[k])
			}
		}
	}
	for ; i < n; i++ {
		r := rows[i*f : (i+1)*f]
		wi := weight(i)
		for j := range f {
			c := wi * float64(r[j])
			out := g[j*f : j*f+j+1]
			for k := range out {
				out[k] += c * float64(r[k])
			}
		}
	}
}
