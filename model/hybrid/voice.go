package hybrid

import "kindred/model"

// voice is what one component says about the person: its score of a row is
// (raw − mean)·scale, and 0 where it knows nothing.
type voice struct {
	source
	mean, scale float64
	most        float64             // of a sparse one's scores
	query       []float32           // of a linear one
	touched     *model.SparseScores // of a sparse one, else nil
	opinion     model.Opinion       // of a deferred one that did not touch all it could have, else nil
}

// ask takes in what the component says about h, for a blend of the given number of rows.
func (v *voice) ask(h model.History, rows int, cut *model.History) bool {
	var said bool
	var variance float64 // over the known rows
	switch {
	case v.column == nil:
		h := within(h, v.known, cut)
		if deferred, ok := v.sparse.(model.Deferred); ok {
			if v.opinion = deferred.Ask(h, v.touched); v.opinion != nil {
				v.mean, variance = v.opinion.Moments()
				said = true
				break
			}
		}
		if said = v.sparse.ScoreSparse(h, v.touched); said {
			v.mean, variance, v.most = sparseMoments(v.touched, v.known)
		}
	case v.column.linear != nil:
		if said = v.column.linear.Query(within(h, v.known, cut), v.query); said {
			v.mean, variance = v.column.moments(v.query)
		}
	default:
		v.mean, variance, said = v.column.center, v.column.deviation*v.column.deviation, v.known > 0
	}
	// Rows beyond score the mean: they add nothing to the sum of squares.
	if d := deviation(v.mean, variance*float64(v.known)/float64(max(1, rows))); said && d > 0 {
		v.scale = 1 / d
	}
	return said
}

// sparseMoments are the mean and variance of n scores of which those not touched are 0, and the highest one.
func sparseMoments(s *model.SparseScores, n int) (mean, variance, most float64) {
	if n == 0 {
		return 0, 0, 0
	}
	if s.Full() >= n {
		_, sums := s.Bits()
		return fullMoments(sums[:n])
	}
	rows := s.Rows()
	_, sums := s.Bits()
	square, high := 0.0, float32(0)
	for _, row := range rows {
		x := sums[row]
		mean += float64(x)
		square += float64(x) * float64(x)
		if x > high {
			high = x
		}
	}
	mean /= float64(n)
	if variance = square/float64(n) - mean*mean; variance > 1e-6*mean*mean {
		return mean, variance, float64(high)
	}
	square = float64(n-len(rows)) * mean * mean // nearly all cancelled
	for _, row := range rows {
		d := float64(sums[row]) - mean
		square += d * d
	}
	return mean, square / float64(n), float64(high)
}

// fullMoments are sparseMoments where all rows were touched, in several sums so that none waits for another.
func fullMoments(scores []float32) (mean, variance, most float64) {
	var sum, square [4]float64
	high := float32(0)
	rest := scores
	for ; len(rest) >= 4; rest = rest[4:] {
		a, b, c, d := rest[0], rest[1], rest[2], rest[3]
		if a > high || b > high || c > high || d > high {
			high = max(high, a, b, c, d)
		}
		sum[0] += float64(a)
		sum[1] += float64(b)
		sum[2] += float64(c)
		sum[3] += float64(d)
		square[0] += float64(a) * float64(a)
		square[1] += float64(b) * float64(b)
		square[2] += float64(c) * float64(c)
		square[3] += float64(d) * float64(d)
	}
	for _, x := range rest {
		high = max(high, x)
		sum[0] += float64(x)
		square[0] += float64(x) * float64(x)
	}
	n := float64(len(scores))
	mean = (sum[0] + sum[1] + sum[2] + sum[3]) / n
	if variance = (square[0]+square[1]+square[2]+square[3])/n - mean*mean; variance <= 1e-6*mean*mean { // nearly all cancelled
		mean, variance = moments(scores)
	}
	return mean, variance, float64(high)
}

// score is the component's standardised score of a row.
func (v *voice) score(row int32) float64 {
	if int(row) >= v.known || v.scale == 0 {
		return 0
	}
	return (v.raw(row) - v.mean) * v.scale
}

// raw is the component's own score of a row, the mean where it knows nothing.
func (v *voice) raw(row int32) (raw float64) {
	if int(row) >= v.known {
		return v.mean
	}
	switch {
	case v.column == nil && v.opinion != nil:
		raw = v.opinion.Score(row)
	case v.column == nil:
		raw = float64(v.touched.At(row))
	case v.column.linear != nil:
		vectors, f := v.column.linear.Vectors()
		for j, y := range vectors[int(row)*f : (int(row)+1)*f] {
			raw += float64(v.query[j]) * float64(y)
		}
	default:
		raw = float64(v.column.constant[row])
	}
	return raw
}
