package hybrid

import (
	"math"

	"kindred/model/kernel"
	"kindred/model/rank"
	"kindred/model/retrieve"
)

// retrieve finds the k best known rows by the index and the addends. Their scores lack
// what is the same for all rows.
func (l *List) retrieve(k int, f Filter) []rank.Ranked {
	l.narrow(k, f)
	l.hide[0] = f.Hide.laid()
	found, _ := l.scorer.index.rows.Top(retrieve.Query{
		Vector: l.query, K: k, Only: f.Only.laid(), Hide: l.hide[:], Seen: l.seen, Rows: l.rows, Add: l.add,
	})
	return found
}

// narrow drops addends of rows that cannot be among the k best: those whose vectors
// are so short that even in the query's direction they stay below k rows that were
// scored. Without its addend such a row cannot get into the list either. A history
// touches thousands of rows; a search computes the score of each that has an addend.
func (l *List) narrow(k int, f Filter) {
	if len(l.rows) <= 4*k+64 {
		return
	}
	// The rows with the highest addends make a good mark.
	l.best = l.best[:0]
	for i, add := range l.add {
		if full := len(l.best) == 2*k; full && !(add > l.best[0].Score) || !l.allows(l.rows[i], f) {
			continue
		} else if full {
			l.best[0] = rank.Ranked{Row: l.rows[i], Score: add}
			sink(l.best)
		} else if l.best = append(l.best, rank.Ranked{Row: l.rows[i], Score: add}); len(l.best) == 2*k {
			for j := k - 1; j >= 0; j-- {
				sinkFrom(l.best, j)
			}
		}
	}
	if len(l.best) < k {
		return
	}
	x := l.scorer.index
	for i, r := range l.best {
		l.best[i].Score += kernel.Dot(x.table[int(r.Row)*x.width:][:x.width], l.query)
	}
	mark := float64(rank.Best(l.best, k)[k-1].Score)
	length := math.Sqrt(float64(kernel.Dot(l.query, l.query)))
	if !(length < math.MaxFloat32) || mark-mark != 0 {
		return
	}
	mark -= rounding * (math.Abs(mark) + length*float64(x.longest))
	kept := 0
	for i, row := range l.rows {
		if length*float64(x.norms[row])+math.Max(0, float64(l.add[i])) >= mark {
			l.rows[kept], l.add[kept] = row, l.add[i]
			kept++
		}
	}
	l.rows, l.add = l.rows[:kept], l.add[:kept]
}

// rounding is more than the relative error of a float32 inner product of as many
// dimensions as there are.
const rounding = 1e-4

// sink restores the heap, its lowest score at the root, after the root grew.
func sink(h []rank.Ranked) { sinkFrom(h, 0) }

func sinkFrom(h []rank.Ranked, at int) {
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
	if rest == 0 {
		return false
	}
	for wide := 4*k + 64; wide <= min(widest, l.scorer.index.items/4); wide *= 4 {
		l.addends(0, int32(l.scorer.index.items))
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
			return true
		}
	}
	return false
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
