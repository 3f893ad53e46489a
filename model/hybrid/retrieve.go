package hybrid

import (
	"math"
	"slices"
	"sync/atomic"

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
// They are among those with the best addends and those with the best products (Fagin, Lotem & Naor, "Optimal
// Aggregation Algorithms for Middleware", 2003). Of the rows that the history touches, those with the highest
// addends are gathered, and the addend that no other row exceeds is known. The search takes those first, which
// makes its mark nearly as high as it will be, and of all others it asks for the scores of those whose product with that
// addend reaches the mark.
func (l *List) retrieve(k int, f Filter) {
	l.only, l.hide[0] = f.Only.laid(), f.Hide.laid()
	if f.Only != nil && f.Only.count <= few {
		l.rows, l.add = append(l.rows[:0], f.Only.listed...), l.add[:0]
		for _, row := range l.rows {
			l.add = append(l.add, l.addend(row))
		}
		found, _ := l.scorer.index.rows.Top(l.wanted(k))
		l.found = append(l.found, found...)
		return
	}
	deferrals := &l.scorer.index.deferrals
	if l.deferred() && !deferrals.worth() {
		l.complete()
	}
	if l.deferred() {
		asked, ok := l.try(k, widest)
		deferrals.note(ok && asked < widest)
		if ok {
			return
		}
		l.complete()
	}
	l.try(k, 0)
}

// deferred reports whether a component left something out.
func (l *List) deferred() bool {
	return slices.ContainsFunc(l.spoken, func(s spoken) bool { return s.leaves })
}

// try appends the best rows to found, but gives up where more than most rows (0: all) have to be completed. It
// returns how many were.
func (l *List) try(k, most int) (completed int, ok bool) {
	mark := l.aim(8*k + 256)
	mark = max(mark, l.gather(mark))
	l.closer(mark)
	q := l.wanted(k)
	if q.Else = -math.MaxFloat32; !math.IsInf(mark, -1) {
		q.Else = float32(mark + l.slack(mark))
	}
	if len(l.spoken) > 0 {
		q.Score, q.Most = l.asked, most
	}
	found, stats := l.scorer.index.rows.Top(q)
	completed = len(l.rows) + stats.Asked
	if most > 0 && stats.Asked > most {
		return completed, false
	}
	l.found = append(l.found, found...)
	return completed, true
}

// wanted is the query for the k best rows that the filter allows, by products and what add says.
func (l *List) wanted(k int) retrieve.Query {
	return retrieve.Query{Vector: l.query, K: k, Only: l.only, Hide: l.hide[:], Seen: l.seen, Rows: l.rows, Add: l.add}
}

// aim is a mark that the guesses of about so many of the touched rows are above: what a sample of them says.
func (l *List) aim(rows int) float64 {
	const sample = 64
	items, touched := l.scorer.index.items, 0
	for i := range l.spoken {
		touched += l.spoken[i].touched.Touched()
	}
	if touched <= rows {
		return math.Inf(-1)
	}
	l.guesses = l.guesses[:0]
	step := touched/sample + 1
	for i := range l.spoken {
		t := l.spoken[i].touched
		if full := t.Full(); full > 0 {
			for row := 0; row < min(full, items); row += step {
				l.guesses = append(l.guesses, l.guess(int32(row)))
			}
			continue
		}
		list := t.Rows()
		for at := 0; at < len(list); at += step {
			if row := list[at]; int(row) < items {
				l.guesses = append(l.guesses, l.guess(row))
			}
		}
	}
	if len(l.guesses) == 0 {
		return math.Inf(-1)
	}
	slices.Sort(l.guesses)
	return l.guesses[len(l.guesses)-1-len(l.guesses)*rows/touched]
}

// gather fills rows with the known rows whose guess is above the mark. It returns a bound on the guesses of the others
// that were not touched.
func (l *List) gather(mark float64) (rest float64) {
	l.rows = l.rows[:0]
	return l.above(0, int32(l.scorer.index.items), mark, func(row int32) { l.rows = append(l.rows, row) })
}

// closer leaves those of rows whose addends can be above the mark, and fills add with bounds of these.
func (l *List) closer(mark float64) {
	kept := l.rows[:0]
	l.add = l.add[:0]
	for _, row := range l.rows {
		near := l.close(row)
		if near += l.slack(near); near > mark {
			kept, l.add = append(kept, row), append(l.add, float32(near))
		}
	}
	l.rows = kept
}

// score is the score of a row with the product, unless that is below the least.
func (l *List) score(row int32, product, least float32) float32 {
	if l.close(row) < l.needed(least, product) {
		return float32(math.Inf(-1))
	}
	return product + l.addend(row)
}

// needed is less than what must be added to a number for a score that reaches the least.
func (l *List) needed(least, number float32) float64 {
	return float64(least) - float64(number) - l.slack(float64(least)) - l.slack(float64(number))
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
