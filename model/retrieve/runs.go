package retrieve

import "math"

// A run is neighbouring groups of rows of like direction. With c the mean of its rows, in the coordinates of the
// quantised copy, and a and b their first part and the rest as before,
//
//	q·x ≤ q̂ₐ·â + q_b·c_b + ‖q_b‖ ‖b − c_b‖ + the errors:
//
// the norm that Cauchy and Schwarz are asked about is that of what c leaves.
type runs struct {
	ends  []int32   // run → the group behind its last one
	of    []int32   // group → run
	heads []float32 // run → c's first part, divided by the gain
	tails []float32 // run → c_b
	parts []runPart
}

// runPart is what is known of a run: ‖c_b‖, ‖c‖, the greatest ‖x − c‖ and the greatest ‖x‖.
type runPart struct{ tail, norm, radius, longest float64 }

const (
	// leastRun and mostRun bound the groups of a run but the last, which may be shorter.
	leastRun, mostRun = 2, 64
)

// cutRuns cuts rows with these labels into runs: a group belongs to the run of its first row.
func cutRuns(labels []int32) *runs {
	r := new(runs)
	groups := (len(labels) + group - 1) / group
	for from, g := 0, 1; g <= groups; g++ {
		if n := g - from; g == groups || n == mostRun || n >= leastRun && labels[g*group] != labels[from*group] {
			for range n {
				r.of = append(r.of, int32(len(r.ends)))
			}
			r.ends = append(r.ends, int32(g))
			from = g
		}
	}
	return r
}

// count is the number of runs.
func (r *runs) count() int { return len(r.ends) }

// from is the first group of run i.
func (r *runs) from(i int) int {
	if i == 0 {
		return 0
	}
	return int(r.ends[i-1])
}

// layRuns orders the rows of s within its runs and quantises them.
func (b *base) layRuns(s *segment, workers int) {
	r, n := s.runs, s.runs.count()
	r.heads, r.tails, r.parts = make([]float32, n*b.split), make([]float32, n*(b.d-b.split)), make([]runPart, n)
	split(n, n, workers, func(from, to int) {
		z, centre := newQuantizer(b.f, b.d, b.basis), make([]float64, b.d)
		for i := from; i < to; i++ {
			b.band(s, z, r.from(i), int(r.ends[i]), func() {
				r.parts[i] = z.centre(centre, b.split)
				for j, v := range centre[:b.split] {
					r.heads[i*b.split+j] = float32(v / float64(b.basis.factor()))
				}
				for j, v := range centre[b.split:] {
					r.tails[i*(b.d-b.split)+j] = float32(v)
				}
			})
		}
	})
}

// centre writes the mean of the rows taken in to c, rounded to float32, and makes the norms behind the first
// part those of the differences from it.
func (z *quantizer) centre(c []float64, split int) (p runPart) {
	clear(c)
	within := 0
	for i := range z.order {
		if size := z.norms[i]; size >= lightest && size <= heaviest {
			within++
			for j, v := range z.y[i*z.d : (i+1)*z.d] {
				c[j] += float64(v)
			}
		}
	}
	head, tail := 0.0, 0.0
	gain := float64(z.basis.factor())
	for j := range c {
		c[j] /= float64(max(1, within))
		if j < split {
			c[j] = float64(float32(c[j]/gain)) * gain
			head += c[j] * c[j]
		} else {
			c[j] = float64(float32(c[j]))
			tail += c[j] * c[j]
		}
	}
	p.tail, p.norm = math.Sqrt(tail)*up, math.Sqrt(head+tail)*up
	for i := range z.order {
		y, before, behind := z.y[i*z.d:(i+1)*z.d], 0.0, 0.0 // zero for a row that is not quantised
		for j, v := range y {
			off := float64(v) - c[j]
			if j < split {
				before += off * off
			} else {
				behind += off * off
			}
		}
		size := z.norms[i]
		z.tails[i] = math.Sqrt(behind)
		radius := math.Sqrt(before+behind) + z.basis.error()*size
		switch {
		case size > heaviest:
			radius = math.Inf(1)
		case size < lightest:
			radius += size
		}
		p.radius, p.longest = max(p.radius, radius*up), max(p.longest, size*up)
	}
	return p
}
