package hybrid_test

import "kindred/model"

// factors is a linear component: q is the weighted sum of the history's vectors.
type factors struct {
	name string
	v    []float32
	f    int
}

func (s factors) Name() string              { return s.name }
func (s factors) Items() int                { return len(s.v) / s.f }
func (s factors) Vectors() ([]float32, int) { return s.v, s.f }
func (s factors) row(i int32) []float32     { return s.v[int(i)*s.f : (int(i)+1)*s.f] }
func (s factors) dot(q []float32, i int) (sum float32) {
	for j, y := range s.row(int32(i)) {
		sum += q[j] * y
	}
	return sum
}

func (s factors) Query(h model.History, q []float32) bool {
	clear(q)
	for i, row := range h.Rows {
		for j, y := range s.row(row) {
			q[j] += h.Weights[i] * y
		}
	}
	return len(h.Rows) > 0
}

func (s factors) Score(h model.History, dst []float32) bool {
	q := make([]float32, s.f)
	said := s.Query(h, q)
	for i := range dst {
		dst[i] = s.dot(q, i)
	}
	return said
}

// neighbours is a sparse component: each item has a few others it speaks for.
type neighbours struct {
	name string
	near [][]int32
	sims [][]float32
}

func (s neighbours) Name() string { return s.name }
func (s neighbours) Items() int   { return len(s.near) }

func (s neighbours) ScoreSparse(h model.History, into *model.SparseScores) bool {
	said := false
	for i, row := range h.Rows {
		into.AddScaled(s.near[row], h.Weights[i], s.sims[row])
		said = said || len(s.near[row]) > 0
	}
	return said
}

func (s neighbours) Score(h model.History, dst []float32) bool {
	into := model.NewSparseScores(len(dst))
	said := s.ScoreSparse(h, into)
	for i := range dst {
		dst[i] = into.At(int32(i))
	}
	return said
}

// lazy is neighbours that leave out every row but each fifth and those from fitted
// on, unless they must not. Of each fifth they leave out a part where part is set.
type lazy struct {
	neighbours
	fitted int32
	part   bool
}

func (s lazy) Prepare() {}

func (s lazy) Ask(h model.History, into *model.SparseScores) model.Opinion {
	all := model.NewSparseScores(s.Items())
	if !s.ScoreSparse(h, all) || len(all.Rows()) < 4 {
		return nil
	}
	o := &opinion{scores: all, n: s.Items(), fitted: s.fitted}
	for row := range int32(s.Items()) {
		x := all.At(row)
		if row >= s.fitted {
			into.Add(row, near(row, x))
		} else if row%5 == 0 {
			part := float32(0)
			if s.part {
				part = left(row, x)
				o.more = max(o.more, float64(part))
			}
			into.Add(row, near(row, x-part))
		} else {
			o.rest = max(o.rest, float64(x))
		}
		o.most = max(o.most, float64(x))
		o.mean += float64(all.At(row)) / float64(s.Items())
	}
	for row := range int32(s.Items()) {
		d := float64(all.At(row)) - o.mean
		o.variance += d * d / float64(s.Items())
	}
	return o
}

// near is a score as it is after rounding: a little off.
func near(row int32, x float32) float32 { return x * (1 + 4e-6*float32(row%3-1)) }

// left is the part of a score that is left out.
func left(row int32, x float32) float32 { return x * float32(row%7) / 7 }

type opinion struct {
	fitted                           int32
	scores                           *model.SparseScores
	n                                int
	mean, variance, rest, more, most float64
}

func (o *opinion) Moments() (mean, variance float64) { return o.mean, o.variance }
func (o *opinion) Rest() float64                     { return o.rest }
func (o *opinion) More() float64                     { return o.more }
func (o *opinion) Left(row int32) float64 {
	if o.rest == 0 && o.more == 0 || row >= o.fitted {
		return 0
	}
	x := o.scores.At(row)
	if row%5 == 0 {
		x = left(row, x)
	}
	return float64(near(row+1, x))
}
func (o *opinion) Most() float64           { return o.most }
func (o *opinion) Score(row int32) float64 { return float64(o.scores.At(row)) }
func (o *opinion) Complete(into *model.SparseScores) {
	into.Reset()
	into.Fill(o.n)
	for row := range int32(o.n) {
		into.Add(row, near(row, o.scores.At(row)))
	}
	o.rest, o.more = 0, 0
}
func (o *opinion) Release() { o.scores = nil } // used after that it panics

// everybody is a constant component.
type everybody struct {
	name   string
	scores []float32
}

func (s everybody) Name() string        { return s.name }
func (s everybody) Items() int          { return len(s.scores) }
func (s everybody) Constant() []float32 { return s.scores }
func (s everybody) Score(_ model.History, dst []float32) bool {
	copy(dst, s.scores)
	return len(dst) > 0
}
