package hybrid

import (
	"math"
	"slices"
	"sync/atomic"

	"kindred/model/kernel"
	"kindred/model/rank"
	"kindred/model/retrieve"
)

const (
	// few is how many rows are all scored at once.
	few = 512
	// widest is how many rows are completed at most; where deferred scores need as many, completing them before costs less.
	widest = 4096
)

// retrieve appends to found the k best known rows.
//
// They are among those with the best products and those with the best addends (Fagin, Lotem & Naor, "Optimal
// Aggregation Algorithms for Middleware", 2003). First come some more rows than wanted by the product alone, whose scores
// are completed; the k-th best of them is below nobody who is in the answer. All others have at most the last one's product: they need
// an addend above the difference, which few of the rows have that the history touches. These are scored, unless
// their norm already says that it is in vain. If a row without an addend of its own could still reach the k-th, all
// rows with products high enough for that are searched for and completed.
func (l *List) retrieve(k int, f Filter) {
	l.only, l.hide[0] = f.Only.laid(), f.Hide.laid()
	if f.Only != nil && f.Only.count <= few {
		l.rows = append(l.rows[:0], f.Only.listed...)
		l.weigh()
		l.found = append(l.found, l.find(k, 0, nil)...)
		return
	}
	deferrals := &l.scorer.index.deferrals
	if l.deferred() && !deferrals.worth() {
		l.complete()
	}
	deferred := l.deferred()
	completed, ok := l.try(k, f)
	if deferred {
		deferrals.note(ok && completed < widest)
	}
	if ok {
		return
	}
	if deferred {
		l.complete()
		if _, ok = l.try(k, f); ok {
			return
		}
	}
	rest := l.gather(math.Inf(-1), func(int32) bool { return true })
	l.weigh()
	l.found = append(l.found, l.find(k, float32(max(rest, -math.MaxFloat32)), nil)...)
}

// deferred reports whether a component left something out.
func (l *List) deferred() bool {
	return slices.ContainsFunc(l.spoken, func(s spoken) bool { return s.leaves })
}

// try is retrieve, but gives up, with nothing found, where too many rows would have to be completed. It
// returns how many were.
func (l *List) try(k int, f Filter) (completed int, ok bool) {
	wide := 2*k + 24
	l.rows, l.add, l.best, l.met = l.rows[:0], l.add[:0], l.best[:0], l.met[:0]
	found := l.find(wide, 0, nil)
	least := l.settle(found, k, float32(math.Inf(-1))) // what the k-th best has by now
	if completed = len(found); completed == wide {
		last := found[wide-1].Score
		l.meet(found)
		least = l.strongest(k, least, f)
		mark := l.needed(least, last)
		rest := l.gather(mark, l.promising(least))
		completed += len(l.rows)
		least = l.finish(k, least, mark, f)
		if rest > l.needed(least, last) {
			low := float32(l.needed(least, float32(rest)))
			found = l.find(widest, 0, &low)
			if len(found) == widest {
				return widest, false
			}
			completed = len(found)
			l.settle(slices.DeleteFunc(found, func(r rank.Ranked) bool { return l.wasMet(r.Row) }), k, least)
		}
	}
	l.found = append(l.found, l.best...)
	return completed, true
}

// needed is less than what must be added to a number for a score that reaches the least.
func (l *List) needed(least, number float32) float64 {
	return float64(least) - float64(number) - l.slack(float64(least)) - l.slack(float64(number))
}

// promising reports whether a row can with its norm and its guess reach the least.
func (l *List) promising(least float32) func(row int32) bool {
	x := l.scorer.index
	longest := float64(length(l.query)) * (1 + float64(x.width)/(1<<22)) // the products are sums of float32 numbers
	return func(row int32) bool { return !(longest*float64(x.norms[row]) < l.needed(least, float32(l.guess(row)))) }
}

// settle puts the scores of rows of which the products are known into best, which holds
// the k best so far, best first, unless they are below the least that the k-th has. It returns what that has then.
func (l *List) settle(found []rank.Ranked, k int, least float32) float32 {
	for _, r := range found {
		if l.close(r.Row) < l.needed(least, r.Score) {
			continue
		}
		if score := r.Score + l.addend(r.Row); score >= least {
			if l.best = append(l.best, rank.Ranked{Row: r.Row, Score: score}); len(l.best) == 2*k {
				least = l.keep(k, least)
			}
		}
	}
	return l.keep(k, least)
}

// strongest scores some rows to which the component that touched the fewest gives the most, so that the others have more to reach.
func (l *List) strongest(k int, least float32, f Filter) float32 {
	var s *spoken
	for i := range l.spoken {
		if t := &l.spoken[i]; t.touched.Full() == 0 && (s == nil || t.touched.Touched() < s.touched.Touched()) {
			s = t
		}
	}
	l.rows = l.rows[:0]
	if s == nil {
		return least
	}
	high, promising := s.least(s.most/2), l.promising(least)
	for _, row := range s.touched.Rows() {
		if s.sums[row] >= high && int(row) < l.scorer.index.items && promising(row) {
			if l.rows = append(l.rows, row); len(l.rows) == 8*k {
				break
			}
		}
	}
	return l.finish(k, least, math.Inf(-1), f)
}

// finish scores the rows that may be listed and were not met, unless their addends do not reach the mark, and puts
// the best into best, as settle does.
func (l *List) finish(k int, least float32, mark float64, f Filter) float32 {
	kept := l.rows[:0]
	for _, row := range l.rows {
		if l.close(row)+l.slack(mark) > mark && !l.wasMet(row) && l.allows(row, f) {
			kept = append(kept, row)
		}
	}
	l.dots = slices.Grow(l.dots[:0], len(kept))[:len(kept)]
	kernel.DotRows(l.dots, l.scorer.index.table, kept, l.query)
	l.kept = l.kept[:0]
	for i, row := range kept {
		l.kept = append(l.kept, rank.Ranked{Row: row, Score: l.dots[i]})
	}
	l.rows = l.rows[:0]
	l.meet(l.kept)
	return l.settle(l.kept, k, least)
}

// keep leaves the k best in best, best first, and returns what the k-th has, or the least if there are fewer.
func (l *List) keep(k int, least float32) float32 {
	if l.best = rank.Best(l.best, k); len(l.best) == k {
		return l.best[k-1].Score
	}
	return least
}

// meet remembers rows, wasMet reports whether one was met in this search.
func (l *List) meet(rows []rank.Ranked) {
	for _, r := range rows {
		l.met = append(l.met, r.Row)
	}
	slices.Sort(l.met)
}

func (l *List) wasMet(row int32) bool {
	_, met := slices.BinarySearch(l.met, row)
	return met
}

// gather fills rows with the known rows whose guess is above the mark and which wanted
// accepts. It returns a bound on the guesses of the others that were not touched.
func (l *List) gather(mark float64, wanted func(row int32) bool) (rest float64) {
	l.rows = l.rows[:0]
	return l.above(0, int32(l.scorer.index.items), mark, func(row int32) {
		if wanted(row) {
			l.rows = append(l.rows, row)
		}
	})
}

// weigh computes the addends of rows.
func (l *List) weigh() {
	l.add = l.add[:0]
	for _, row := range l.rows {
		l.add = append(l.add, l.addend(row))
	}
}

// find searches the index; all rows that were not gathered have the addend other.
func (l *List) find(k int, other float32, least *float32) []rank.Ranked {
	found, _ := l.scorer.index.rows.Top(retrieve.Query{
		Vector: l.query, K: k, Only: l.only, Hide: l.hide[:], Seen: l.seen, Rows: l.rows, Add: l.add,
		Else: other, Least: least,
	})
	return found
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
