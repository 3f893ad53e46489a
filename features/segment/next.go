package segment

import (
	"math"

	"kindred/features/segment/slot"
)

// never is later than every time.
const never = int64(math.MaxInt64)

// next is the first time after now at which the node's value can be another one although
// nothing happens; never if there is none. It may be too early, never too late.
func (n *node) next(in *input) int64 {
	if n.fades == still {
		return never
	}
	switch n.op {
	case opSlot:
		return in.w.next(in, n.slot, 0)
	case opAnd, opOr:
		return n.nextLogic(in)
	case opChoose:
		at := n.args[0].next(in)
		switch x := n.args[0].eval(in); {
		case x.isTrue():
			at = min(at, n.args[1].next(in))
		case x.isFalse():
			at = min(at, n.args[2].next(in))
		}
		return at
	case opLess, opLessEqual, opGreater, opGreaterEqual, opEqual, opUnequal:
		return n.nextCompare(in)
	case opClock:
		return n.nextClock(in)
	}
	at := never
	for _, a := range n.args {
		at = min(at, a.next(in))
	}
	return at
}

// nextLogic waits, where one operand decides alone, only for those that do: the last of them
// to change.
func (n *node) nextLogic(in *input) int64 {
	decides := n.op == opOr
	any, latest, earliest := false, int64(0), never
	for _, a := range n.args {
		at := a.next(in)
		earliest = min(earliest, at)
		if x := a.eval(in); x.kind == boolean && (x.n != 0) == decides {
			any, latest = true, max(latest, at)
		}
	}
	if any {
		return latest
	}
	return earliest
}

func (n *node) nextCompare(in *input) int64 {
	a, b := n.args[0], n.args[1]
	if a.slope != b.slope {
		return crossing(a.eval(in), b.eval(in), a.slope-b.slope, in.now)
	}
	if a.fades == fading && a.slope == 0 {
		return a.falls(in, b.value.n)
	}
	if b.fades == fading && b.slope == 0 {
		return b.falls(in, a.value.n)
	}
	return min(a.next(in), b.next(in))
}

// crossing is when two times or lengths of time meet, or have just met, of which the first
// gains slope on the second.
func crossing(a, b value, slope int, now int64) int64 {
	if a.kind != b.kind || a.kind != instant && a.kind != span {
		return never
	}
	ahead := a.n - b.n
	at := float64(now) - ahead/float64(slope)
	switch {
	case ahead == 0:
		return now + 1
	case at <= float64(now) || at >= math.MaxInt64/2:
		return never
	}
	return max(now+1, int64(math.Ceil(at)))
}

// nextClock is when a part of a time that goes with now can change. Zones are shifted by
// whole quarters of an hour.
func (n *node) nextClock(in *input) int64 {
	of := n.args[0]
	if of.slope == 0 {
		return of.next(in)
	}
	x := of.eval(in)
	if x.kind != instant {
		return never
	}
	grid := int64(15 * 60_000)
	if n.text == "getMinutes" {
		grid = 60_000
	}
	past := (int64(x.n)%grid + grid) % grid
	if of.slope < 0 {
		return in.now + past + 1
	}
	return in.now + grid - past
}

// falls is the first time after now at which a fading value that is compared with threshold can be on
// another side of it.
func (n *node) falls(in *input, threshold float64) int64 {
	switch n.op {
	case opSlot:
		return in.w.next(in, n.slot, threshold)
	case opScaled:
		if threshold >= 100 {
			return never
		}
		// 100·(1 − e^(−S/τ)) = θ at S = −τ·ln(1 − θ/100).
		return n.fallsNear(in, threshold, in.w.next(in, n.args[0].slot, -n.scale*math.Log1p(-threshold/100)))
	case opScore:
		if threshold <= 0 {
			return never
		}
		_, at := in.p.Engagement(in.now, threshold)
		return n.fallsNear(in, threshold, at)
	case opAffinity:
		return n.fallsBelow(in, threshold)
	case opDwell:
		came, life := n.args[0].eval(in), n.args[1].eval(in)
		if came.kind != instant || life.kind != instant {
			return never
		}
		if at := int64(math.Ceil(came.n + threshold)); float64(at) <= life.n+signOfLife && at >= in.now {
			if at == in.now { // just there: longer from the next on
				at++
			}
			return at
		}
	}
	return never
}

// fallsNear is when the node's own value, rounding and all, falls to threshold; guess is near.
func (n *node) fallsNear(in *input, threshold float64, guess int64) int64 {
	sign := 1.
	if threshold < 0 {
		if n.op != opScaled {
			return never
		}
		sign = -1
	}
	if guess == never {
		guess = in.now + 1
	}
	at, ok := slot.Falls(func(t int64) float64 {
		then := *in
		then.now = t
		return sign * n.eval(&then).n
	}, in.now, guess, sign*threshold)
	if !ok || threshold == 0 {
		return never
	}
	return at
}

// fallsBelow solves own·d / (sum·d + κ) = θ for d = 2^(−t/h): the share falls as all interest
// fades beside the prior κ.
func (n *node) fallsBelow(in *input, threshold float64) int64 {
	own, sum, prior, halfLife := in.p.Affinity(n.facet, n.text, in.now)
	share := own / (sum + prior)
	if own <= 0 || prior <= 0 || threshold <= 0 || share < threshold {
		return never
	}
	guess := in.now + 1
	if d := threshold * prior / (own - threshold*sum); d > 0 && d < 1 {
		guess += int64(math.Ceil(-halfLife * math.Log2(d)))
	}
	return n.fallsNear(in, threshold, guess)
}
