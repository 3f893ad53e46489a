package hybrid

import (
	"cmp"
	"math"
	"slices"

	"kindred/model/rank"
)

// complete makes deferred components touch all rows.
func (l *List) complete() {
	for i := range l.spoken {
		if s := &l.spoken[i]; s.leaves {
			s.opinion.Complete(s.touched)
		}
	}
	l.speak()
}

// speak collects the sparse components that count for the person.
func (l *List) speak() {
	l.spoken, l.errors = l.spoken[:0], 0
	for c := range l.voices {
		if v := &l.voices[c]; v.touched != nil && l.Weights[c]*v.scale != 0 {
			in, sums := v.touched.Bits()
			factor, rest, more, most := l.Weights[c]*v.scale, 0.0, 0.0, v.most
			if v.opinion != nil {
				rest, more, most = v.opinion.Rest(), v.opinion.More(), v.opinion.Most()
				l.errors += guessing * factor * most
			}
			l.errors += 1e-12 * factor * (math.Abs(v.mean) + most)
			l.spoken = append(l.spoken, spoken{v, in, sums, factor, factor * (more - v.mean), factor * (rest - v.mean), factor * (most - v.mean), rest+more > 0, more > 0})
		}
	}
}

// addend is what the sparse components give to a row, with its mean taken off.
func (l *List) addend(row int32) float32 {
	sum := 0.0
	for i := range l.spoken {
		if s := &l.spoken[i]; int(row) < s.known {
			sum += s.factor * (s.raw(row) - s.mean)
		}
	}
	return float32(sum)
}

// guess is the addend of a row by the sums of what was touched: at least the addend, up to rounding.
func (l *List) guess(row int32) float64 {
	sum := 0.0
	for i := range l.spoken {
		s := &l.spoken[i]
		switch {
		case int(row) >= s.known:
		case s.in[row>>6]>>(row&63)&1 == 0:
			sum += s.untouched
		default:
			sum += s.factor*float64(s.sums[row]) + s.touching
		}
	}
	return sum
}

// close is the addend of a known row up to rounding, cheaper than addend.
func (l *List) close(row int32) float64 {
	sum := 0.0
	for i := range l.spoken {
		s := &l.spoken[i]
		if int(row) >= s.known {
			continue
		}
		raw, touched := 0.0, s.in[row>>6]>>(row&63)&1 == 1
		if touched {
			raw = float64(s.sums[row])
		}
		if s.leaves && (!touched || s.parted) {
			raw += s.opinion.Left(row)
		}
		sum += s.factor * (raw - s.mean)
	}
	return sum
}

// above calls visit once for each row in [first, end) that was touched and whose guess
// is above the mark, and returns a bound on the guesses of the rows that it did not look at: those that nobody
// touched, or, where that is below the mark, more.
//
// Components are gone through by the number of rows that they touched. A row that those before did not touch can have
// no more than these give to such rows, its sum here, and the most of those to come: for most rows one comparison
// decides. Where even the most of all is not enough, the remaining components need not be gone through.
func (l *List) above(first, end int32, mark float64, visit func(row int32)) (rest float64) {
	l.turns = l.turns[:0]
	before, after := 0.0, 0.0 // of components that were gone through, and of the others
	for i := range l.spoken {
		if s := &l.spoken[i]; s.known > int(first) {
			l.turns = append(l.turns, i)
			after += s.most
		}
	}
	slices.SortStableFunc(l.turns, func(a, b int) int {
		return cmp.Compare(l.spoken[a].touched.Touched(), l.spoken[b].touched.Touched())
	})
	for at, i := range l.turns {
		if before+after <= mark {
			break
		}
		s := &l.spoken[i]
		after -= s.most
		l.turn(l.turns[:at], s, s.least(mark-before-after), first, end, func(row int32) {
			if l.guess(row) > mark {
				visit(row)
			}
		})
		switch {
		case s.touched.Full() >= int(end):
			return math.Inf(-1)
		case s.known < int(end): // rows that it does not know have 0
			before += max(0, s.untouched)
		default:
			before += s.untouched
		}
	}
	return before + after
}

// least is the lowest sum of a row that can have an addend above the mark.
func (s *spoken) least(mark float64) float32 {
	least := (mark - s.touching) / s.factor
	if least != least || math.IsInf(least, 0) {
		return float32(math.Inf(-1))
	}
	return float32(least - guessing*(1+max(least, -least)))
}

// turn calls visit for the rows of s in [first, end) with the least sum or more that
// the components before did not touch.
func (l *List) turn(before []int, s *spoken, least float32, first, end int32, visit func(row int32)) {
	switch {
	case s.touched.Full() >= int(end):
		for i, x := range s.sums[first:end] {
			if row := first + int32(i); x >= least && !l.touchedBy(before, row) {
				visit(row)
			}
		}
	case s.touched.Touched() > int(end-first):
		for row := first; row < end; row++ {
			if s.in[row>>6]>>(row&63)&1 == 1 && s.sums[row] >= least && !l.touchedBy(before, row) {
				visit(row)
			}
		}
	default:
		for _, row := range s.touched.Rows() {
			if s.sums[row] >= least && row >= first && row < end && !l.touchedBy(before, row) {
				visit(row)
			}
		}
	}
}

// touchedBy reports whether one of those of spoken touched the row.
func (l *List) touchedBy(spoken []int, row int32) bool {
	for _, i := range spoken {
		if l.spoken[i].in[row>>6]>>(row&63)&1 == 1 {
			return true
		}
	}
	return false
}

// guessing is more than the error of a guess, relative to the sums it is made of, which
// are of non-negative float32 numbers.
const guessing = 1e-5

// slack is more than the error of any guess, and of rounding it to float32 near the mark.
func (l *List) slack(mark float64) float64 { return l.errors + 1e-6*max(mark, -mark) }

// alone appends to found the k best rows in [first, end) where nothing but addends
// tells rows apart: the best of those that were touched, and the first k of the others,
// which all score the same. only, where not nil, is numbered from first.
func (l *List) alone(first, end int32, k int, only *rank.Set, allowed func(row int32) bool) {
	l.best = l.best[:0]
	rest := l.above(first, end, math.Inf(-1), func(row int32) {
		if (only == nil || only.Has(row-first)) && allowed(row) {
			l.best = append(l.best, rank.Ranked{Row: row, Score: float32(l.guess(row))})
		}
	})
	mark := math.Inf(-1)
	if len(l.best) > k {
		l.kept = append(l.kept[:0], l.best...)
		mark = float64(rank.Best(l.kept, k)[k-1].Score)
		mark -= 2 * l.slack(mark)
	}
	for _, r := range l.best {
		if float64(r.Score) >= mark {
			l.found = append(l.found, rank.Ranked{Row: r.Row, Score: l.addend(r.Row)})
		}
	}
	taken := 0
	take := func(row int32) {
		if !l.touchedBy(l.turns, row) && allowed(row) {
			l.found = append(l.found, rank.Ranked{Row: row, Score: l.addend(row)})
			taken++
		}
	}
	if math.IsInf(rest, -1) {
		return // all were touched
	}
	if only != nil {
		for _, row := range only.Rows() {
			if row += first; row < end && taken < k {
				take(row)
			}
		}
		return
	}
	for row := first; row < end && taken < k; row++ {
		take(row)
	}
}
