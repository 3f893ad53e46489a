package hybrid

import (
	"math"
	"slices"

	"kindred/model/rank"
)

// complete makes deferred components touch all rows.
func (l *List) complete() {
	for i := range l.spoken {
		if s := &l.spoken[i]; s.opinion != nil && s.opinion.Rest() > 0 {
			s.opinion.Complete(s.touched)
		}
	}
	l.speak()
}

// speak collects the sparse components that count for the person.
func (l *List) speak() {
	l.spoken = l.spoken[:0]
	for c := range l.voices {
		if v := &l.voices[c]; v.touched != nil && l.Weights[c]*v.scale != 0 {
			in, sums := v.touched.Bits()
			l.spoken = append(l.spoken, spoken{v, in, sums, l.Weights[c] * v.scale})
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

// rest is the guess of a row below end that no component touched, but for what skip, a
// number in spoken, gives.
func (l *List) rest(end int32, skip int) float64 {
	sum := 0.0
	for i := range l.spoken {
		if s := &l.spoken[i]; i != skip && int(end) <= s.known {
			raw := 0.0
			if s.opinion != nil {
				raw = s.opinion.Rest()
			}
			sum += s.factor * (raw - s.mean)
		}
	}
	return sum
}

// guess is the addend of a row by the sums of what was touched: up to rounding of
// deferred components' ones, and more where they left the row out.
func (l *List) guess(row int32) float64 {
	sum := 0.0
	for i := range l.spoken {
		s := &l.spoken[i]
		switch {
		case int(row) >= s.known:
		case s.in[row>>6]>>(row&63)&1 == 1:
			sum += s.factor * (float64(s.sums[row]) - s.mean)
		case s.opinion != nil:
			sum += s.factor * (s.opinion.Rest() - s.mean)
		default:
			sum -= s.factor * s.mean
		}
	}
	return sum
}

// full is the number in spoken of a component that touched every row below end, or −1.
func (l *List) full(end int32) int {
	return slices.IndexFunc(l.spoken, func(s spoken) bool { return s.touched.Full() >= int(end) })
}

// touchedBefore reports whether one of the first n of spoken, but for skip, touched the row.
func (l *List) touchedBefore(row int32, n, skip int) bool {
	for i := range l.spoken[:n] {
		if i != skip && l.spoken[i].in[row>>6]>>(row&63)&1 == 1 {
			return true
		}
	}
	return false
}

// above calls visit once for each row in [first, end) that was touched and whose guess
// is above the mark. Cost is O(touched rows), where one component touched all of them one comparison for most.
func (l *List) above(first, end int32, mark float64, visit func(row int32)) {
	full := l.full(end)
	for i := range l.spoken {
		if i == full || l.spoken[i].known <= int(first) {
			continue
		}
		for _, row := range l.spoken[i].touched.Rows() {
			if row >= first && row < end && !l.touchedBefore(row, i, full) && l.guess(row) > mark {
				visit(row)
			}
		}
	}
	if full < 0 {
		return
	}
	// Rows that nobody else touched have the guess others + factor·(sum − mean).
	s := &l.spoken[full]
	others := l.rest(end, full)
	least := (mark-others)/s.factor + s.mean
	least -= guessing * (1 + max(least, -least))
	low := float32(least)
	for i, x := range s.sums[first:end] {
		if x >= low {
			if row := first + int32(i); !l.touchedBefore(row, len(l.spoken), full) && l.guess(row) > mark {
				visit(row)
			}
		}
	}
}

// guessing is more than the error of a guess, relative to the sums it is made of, which
// are of non-negative float32 numbers.
const guessing = 1e-5

// slack is more than the error of any guess, and of rounding it to float32 near the mark.
func (l *List) slack(mark float64) float64 {
	slack := 0.0
	for i := range l.spoken {
		if s := &l.spoken[i]; s.opinion != nil {
			slack += guessing * s.factor * s.opinion.Most()
		}
	}
	return slack + 1e-6*max(mark, -mark)
}

// alone appends to found the k best rows in [first, end) where nothing but addends
// tells rows apart: the best of those that were touched, and the first k of the others,
// which all score the same. only, where not nil, is numbered from first.
func (l *List) alone(first, end int32, k int, only *rank.Set, allowed func(row int32) bool) {
	l.best = l.best[:0]
	l.above(first, end, math.Inf(-1), func(row int32) {
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
		if !l.touchedBefore(row, len(l.spoken), -1) && allowed(row) {
			l.found = append(l.found, rank.Ranked{Row: row, Score: l.addend(row)})
			taken++
		}
	}
	if l.full(end) >= 0 {
		return
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
