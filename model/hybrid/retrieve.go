package hybrid

import (
	"math"
	"sync/atomic"

	"kindred/model"
	"kindred/model/kernel"
	"kindred/model/rank"
	"kindred/model/retrieve"
)

// retrieve finds the k best known rows by the index and the addends. Their scores lack
// what is the same for all rows.
//
// A history touches thousands of rows, and a search computes the score of each that
// has an addend. So those are left out that cannot be among the k best: whose
// vectors are so short that even in the query's direction they stay below k rows that were
// scored before, or do so in their own. Without its addend such a row cannot get into the list either.
func (l *List) retrieve(k int, f Filter) []rank.Ranked {
	x := l.scorer.index
	l.speak()
	length := math.Sqrt(float64(kernel.Dot(l.query, l.query)))
	mark := l.mark(k, f) - rounding*length*float64(x.longest)
	if math.IsInf(mark, 0) || mark != mark {
		l.addends(0, int32(x.items), nil)
	} else {
		mark -= rounding * math.Abs(mark)
		least, length := float32(mark), float32(length)
		l.addends(0, int32(x.items), func(row int32, add float32) bool { return length*x.norms[row]+max(0, add) >= least })
		l.drop(least)
	}
	l.hide[0] = f.Hide.laid()
	found, _ := x.rows.Top(retrieve.Query{
		Vector: l.query, K: k, Only: f.Only.laid(), Hide: l.hide[:], Seen: l.seen, Rows: l.rows, Add: l.add,
	})
	return found
}

// drop leaves out the rows whose scores, with addends and without, are below least.
func (l *List) drop(least float32) {
	x, kept := l.scorer.index, 0
	var dots [256]float32
	for from := 0; from < len(l.rows); from += len(dots) {
		rows, add := l.rows[from:min(from+len(dots), len(l.rows))], l.add[from:]
		kernel.DotRows(dots[:len(rows)], x.table, rows, l.query)
		for i, row := range rows {
			if dots[i]+max(0, add[i]) >= least {
				l.rows[kept], l.add[kept] = row, add[i]
				kept++
			}
		}
	}
	l.rows, l.add = l.rows[:kept], l.add[:kept]
}

// mark is a score that k rows reach, out of those that get the most from one
// component. −Inf where none touched so many.
func (l *List) mark(k int, f Filter) float64 {
	x := l.scorer.index
	from := l.loudest(2 * k)
	if from == nil {
		return math.Inf(-1)
	}
	l.best = l.best[:0]
	for _, row := range from.Rows() {
		if int(row) >= x.items {
			continue
		}
		add := l.addend(row)
		switch full := len(l.best) == 2*k; {
		case full && !(add > l.best[0].Score) || !l.allows(row, f):
		case full:
			l.best[0] = rank.Ranked{Row: row, Score: add}
			sink(l.best, 0)
		default:
			if l.best = append(l.best, rank.Ranked{Row: row, Score: add}); len(l.best) == 2*k {
				for j := k - 1; j >= 0; j-- {
					sink(l.best, j)
				}
			}
		}
	}
	if len(l.best) < k {
		return math.Inf(-1)
	}
	for i, r := range l.best {
		l.best[i].Score += kernel.Dot(x.table[int(r.Row)*x.width:][:x.width], l.query)
	}
	return float64(rank.Best(l.best, k)[k-1].Score)
}

// loudest is the component, of those that touched at least so many rows, that seems to
// give most to one; one that touched very many only where there is no other.
func (l *List) loudest(least int) *model.SparseScores {
	const sample, many = 256, 1 << 16
	var loudest *model.SparseScores
	highest := 0.0
	for _, s := range l.spoken {
		rows := s.touched.Rows()
		if len(rows) < least {
			continue
		}
		high := 0.0
		for _, row := range rows[:min(sample, len(rows))] {
			high = max(high, s.factor*float64(s.sums[row]))
		}
		if len(rows) > many {
			high *= 1e-6
		}
		if loudest == nil || high > highest {
			loudest, highest = s.touched, high
		}
	}
	return loudest
}

// rounding is more than the relative error of a float32 inner product of as many
// dimensions as there are.
const rounding = 1e-4

// sink restores the heap, its lowest score at the root, after the score at a place grew.
func sink(h []rank.Ranked, at int) {
	for {
		low := 2*at + 1
		if low >= len(h) {
			return
		}
		if low+1 < len(h) && h[low+1].Score < h[low].Score {
			low++
		}
		if h[at].Score <= h[low].Score {
			return
		}
		h[at], h[low] = h[low], h[at]
		at = low
	}
}

// widest is how many rows are completed at most before a deferred component is asked
// to touch all its rows.
const widest = 4096

// retrieveDeferred finds the k best known rows without touching every row that a
// deferred component could: rows that it left out score up to its bound more than the search says,
// so the search is for more rows, and those are completed, until the best row that was not found cannot be
// among the best. It reports false, and has found nothing, where no component is
// deferred or that would take too many rows.
func (l *List) retrieveDeferred(k int, f Filter) bool {
	rest := 0.0
	for c := range l.voices {
		if v := &l.voices[c]; v.opinion != nil {
			rest += l.Weights[c] * v.scale * v.opinion.Rest()
		}
	}
	if rest == 0 || !l.scorer.index.deferrals.worth() {
		return false
	}
	for wide := 4*k + 64; wide <= min(widest, l.scorer.index.items/4); wide *= 4 {
		found := l.retrieve(wide, f)
		all := len(found) < wide
		last := math.Inf(-1)
		if !all {
			last = float64(found[wide-1].Score)
		}
		for i, r := range found {
			found[i].Score = float32(float64(r.Score) + l.deferred(r.Row))
		}
		best := rank.Best(found, k)
		if all || len(best) == k && last+rest < float64(best[k-1].Score)-rounding*(rest+math.Abs(last)) {
			l.found = append(l.found, best...)
			l.scorer.index.deferrals.note(true)
			return true
		}
		if len(best) < k || float64(best[k-1].Score)-rest < last/2 {
			break // the rows that more would find fall too slowly
		}
	}
	l.scorer.index.deferrals.note(false)
	return false
}

// deferrals remembers how often completing a few rows was enough. Where it seldom
// is, trying costs more than it saves; the answer is the same.
type deferrals struct {
	balance, skipped atomic.Int32
}

// worth reports whether to try: always while the balance is not negative, else each 32nd time.
func (d *deferrals) worth() bool {
	return d.balance.Load() >= 0 || d.skipped.Add(1)%32 == 0
}

// note counts a try; the balance stays within [−8, 8].
func (d *deferrals) note(enough bool) {
	switch b := d.balance.Load(); {
	case enough && b < 8:
		d.balance.Add(1)
	case !enough && b > -8:
		d.balance.Add(-1)
	}
}

// deferred is what deferred components add to the score of a row they did not touch.
func (l *List) deferred(row int32) float64 {
	sum := 0.0
	for c := range l.voices {
		if v := &l.voices[c]; v.opinion != nil && l.Weights[c] != 0 && !v.touched.Has(row) {
			sum += l.Weights[c] * v.scale * v.opinion.Score(row)
		}
	}
	return sum
}
