package segment

import (
	"math"
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
		// Zones are shifted by whole quarters of an hour.
		grid := int64(15 * 60_000)
		if n.text == "getMinutes" {
			grid = 60_000
		}
		return (in.now/grid + 1) * grid
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
		// 100·(1 − e^(−S/τ)) = θ at S = −τ·ln(1 − θ/100); the sum's own crossing may be off by
		// rounding, so it is looked at again one step later.
		at := in.w.next(in, n.args[0].slot, -n.scale*math.Log1p(-threshold/100))
		return in.confirm(n, at, threshold)
	case opScore:
		_, at := in.p.Engagement(in.now, threshold)
		return in.confirm(n, at, threshold)
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

// confirm moves a time that rounding put too early or too late to where the value really crosses.
func (in *input) confirm(n *node, at int64, threshold float64) int64 {
	if at == never || at <= in.now {
		return never
	}
	read := func(t int64) float64 {
		then := *in
		then.now = t
		return n.eval(&then).n
	}
	for i := 0; i < 8 && at > in.now+1 && read(at-1) <= threshold; i++ {
		at--
	}
	for i := 0; i < 1000 && read(at) > threshold; i++ {
		at++
	}
	return at
}

// fallsBelow solves own·d / (sum·d + κ) = θ for d = 2^(−t/h): the share falls as all interest
// fades beside the prior κ.
func (n *node) fallsBelow(in *input, threshold float64) int64 {
	own, sum, prior, halfLife := in.p.Affinity(n.facet, n.text, in.now)
	share := own / (sum + prior)
	if own <= 0 || threshold <= 0 || share < threshold {
		return never
	}
	if share == threshold {
		return in.now + 1
	}
	d := threshold * prior / (own - threshold*sum)
	if !(d > 0 && d < 1) {
		return in.now + 1
	}
	return in.confirm(n, max(in.now+1, in.now+int64(math.Ceil(-halfLife*math.Log2(d)))), threshold)
}
