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
	// few is how many addends a search takes without being told which of them matter.
	few = 512
	// sampled is how many rows say where to part high addends from low ones, four times as many
	// in a catalogue of more than large. One in highShare is high, and mostHigh of them at most.
	sampled, large, highShare, mostHigh = 256, 1 << 17, 100, 2048
	// widest is how many rows are completed at most.
	widest = 4096
)

// retrieve appends to found the k best known rows.
//
// A history touches thousands of rows. The search gets the exact addends of the highest ones only; all
// others get the mark that parts them, more than each of theirs: a bound on their scores. So it is for
// more rows than wanted; those are completed, and the k best of them are the answer if the
// last that was found, with its bound, stays below the k-th. Else the search is repeated for all rows whose bound reaches
// what the k-th has by now.
func (l *List) retrieve(k int, f Filter) {
	if f.Only != nil && f.Only.count <= few {
		l.rows = append(l.rows[:0], f.Only.sample...)
		l.weigh()
		l.found = append(l.found, l.find(k, f, 0, nil)...)
		return
	}
	if l.deferred() && !l.scorer.index.deferrals.worth() {
		l.complete()
	}
	deferred := l.deferred()
	if l.try(k, f) {
		if deferred {
			l.scorer.index.deferrals.note(true)
		}
		return
	}
	if deferred {
		l.scorer.index.deferrals.note(false)
		l.complete()
		if l.try(k, f) {
			return
		}
	}
	l.gather(math.Inf(-1), f)
	l.found = append(l.found, l.find(k, f, float32(l.rest(int32(l.scorer.index.items), -1)), nil)...)
}

// deferred reports whether a component left out rows.
func (l *List) deferred() bool {
	return slices.ContainsFunc(l.spoken, func(s spoken) bool { return s.opinion != nil && s.opinion.Rest() > 0 })
}

// try is retrieve, but gives up, with nothing found, where too many rows would have to be completed.
func (l *List) try(k int, f Filter) bool {
	known := int32(l.scorer.index.items)
	rest := l.rest(known, -1)
	mark, apart := l.mark(rest, f)
	if !apart && !l.deferred() { // rest is the addend of all rows that were not touched
		l.gather(math.Inf(-1), f)
		l.found = append(l.found, l.find(k, f, float32(rest), nil)...)
		return true
	}
	l.gather(mark, f)
	bound := float32(mark + l.slack(mark))
	var least *float32
	for _, wide := range []int{4*k + 64, widest} {
		if wide > int(known)/2 {
			return false
		}
		found := l.find(wide, f, bound, least)
		full := len(found) == wide
		last := math.Inf(-1)
		if full {
			last = float64(found[wide-1].Score)
		}
		l.settle(found)
		best := rank.Best(found, k)
		if !full || len(best) == k && last < float64(best[k-1].Score) {
			l.found = append(l.found, best...)
			return true
		}
		if len(best) == k {
			reached := best[k-1].Score
			least = &reached
		}
	}
	return false
}

// mark parts the high guesses from the others; it is at least rest, what rows have that
// were not touched. It reports false where so few were touched that none need be parted.
func (l *List) mark(rest float64, f Filter) (mark float64, apart bool) {
	known := int(l.scorer.index.items)
	touched := 0
	full := l.full(int32(known))
	for i := range l.spoken {
		if i != full {
			touched += len(l.spoken[i].touched.Rows())
		}
	}
	if full < 0 && touched <= few {
		return rest, false
	}
	samples := min(sampled, known)
	if known > large {
		samples *= 4
	}
	l.sample = l.sample[:0]
	if f.Only != nil {
		touched = f.Only.count
		for _, row := range f.Only.sample {
			l.sample = append(l.sample, l.guess(row))
		}
	} else if full >= 0 {
		touched = known
		for i := range samples {
			l.sample = append(l.sample, l.guess(int32(i*known/samples)))
		}
	} else {
		step := max(1, touched/samples)
		for i := range l.spoken {
			rows := l.spoken[i].touched.Rows()
			for at := 0; at < len(rows); at += step {
				if int(rows[at]) < known {
					l.sample = append(l.sample, l.guess(rows[at]))
				}
			}
		}
	}
	slices.Sort(l.sample)
	high := max(few/2, min(touched/highShare, mostHigh))
	at := len(l.sample) - 1 - high*len(l.sample)/max(1, touched)
	if at < 0 {
		return rest, true
	}
	return max(rest, l.sample[at]), true
}

// gather fills rows and add with the known rows whose guess is above the mark.
func (l *List) gather(mark float64, f Filter) {
	l.rows = l.rows[:0]
	l.above(0, int32(l.scorer.index.items), mark, func(row int32) {
		if f.Only == nil || f.Only.Has(row) {
			l.rows = append(l.rows, row)
		}
	})
	slices.Sort(l.rows)
	l.weigh()
}

// weigh computes the addends of rows.
func (l *List) weigh() {
	l.add = l.add[:0]
	for _, row := range l.rows {
		l.add = append(l.add, l.addend(row))
	}
}

// find searches the index; all rows that were not gathered have the addend other.
func (l *List) find(k int, f Filter, other float32, least *float32) []rank.Ranked {
	l.hide[0] = f.Hide.laid()
	found, _ := l.scorer.index.rows.Top(retrieve.Query{
		Vector: l.query, K: k, Only: f.Only.laid(), Hide: l.hide[:], Seen: l.seen, Rows: l.rows, Add: l.add,
		Else: other, Least: least,
	})
	return found
}

// settle puts the scores of rows that were found in the place of their bounds.
func (l *List) settle(found []rank.Ranked) {
	x := l.scorer.index
	l.low = l.low[:0]
	for _, r := range found {
		if _, exact := slices.BinarySearch(l.rows, r.Row); !exact {
			l.low = append(l.low, r.Row)
		}
	}
	l.dots = slices.Grow(l.dots[:0], len(l.low))[:len(l.low)]
	kernel.DotRows(l.dots, x.table, l.low, l.query)
	at := 0
	for i, r := range found {
		if at < len(l.low) && l.low[at] == r.Row {
			found[i].Score = l.dots[at] + l.addend(r.Row)
			at++
		}
	}
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
