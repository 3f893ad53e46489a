package slot

import (
	"math"
	"slices"

	"kindred/features/window"
)

// Value is the slot's value at now; session is the open session, or 0. Kinds that have
// no value without an event, such as avg, are None then; counts and sums are 0.
func (s *Spec) Value(st *State, now, session int64) Value {
	gone := s.Scope.Reach == Session && (session == 0 || st.session != session)
	switch s.Kind {
	case Count, Sum, Avg, Min, Max:
		if s.shape() == ring {
			if len(st.times) == 0 {
				return Of(0)
			}
			return Of(float64(window.CountRing(st.times[0], now, s.Scope.From)))
		}
		total := pane{}
		if !gone {
			total = s.total(st, now)
		}
		return s.of(total)
	case Distinct:
		n := 0
		for _, v := range st.values {
			if !gone && (s.Scope.Reach != Within || v.at > now-s.Scope.From) {
				n++
			}
		}
		return Of(float64(n))
	case First, Last, LastAt:
		if !st.known || gone || s.Scope.Reach == Within && st.at <= now-s.Scope.From {
			return Value{}
		}
		if s.Kind == LastAt {
			return Of(float64(st.at))
		}
		return st.value
	case Decayed:
		return Of(window.At(st.faded, now, s.HalfLife))
	case NotFollowed:
		return holds(st.has[0] && now >= st.last[0]+s.Scope.From && !(st.has[1] && st.last[1] > st.last[0]))
	}
	return holds(st.isDone())
}

func holds(yes bool) Value {
	if yes {
		return Of(1)
	}
	return Of(0)
}

// of is the kind's value of the sums of all events in scope.
func (s *Spec) of(total pane) Value {
	switch {
	case s.Kind == Count:
		return Of(float64(total.count))
	case s.Kind == Sum:
		return Of(total.sum)
	case total.count == 0:
		return Value{}
	case s.Kind == Avg:
		return Of(total.sum / float64(total.count))
	case s.Kind == Min:
		return Of(total.min)
	}
	return Of(total.max)
}

// total is the sums over the panes that a reading at now covers.
func (s *Spec) total(st *State, now int64) (total pane) {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if s.shape() == paned {
		from, to = s.covered(now)
	}
	for _, p := range st.panes {
		if p.index < from || p.index > to {
			continue
		}
		if total.count == 0 {
			total.min, total.max = p.min, p.max
		}
		total.count += p.count
		total.sum = window.Bounded(total.sum + p.sum)
		total.min, total.max = min(total.min, p.min), max(total.max, p.max)
	}
	return total
}

// covered is the first and the last pane that a reading at now covers.
func (s *Spec) covered(now int64) (from, to int64) {
	w := s.panes()
	return w.Index(now) - int64(w.N) + 1, w.Index(now - s.Scope.To)
}

// Next is the first time after now at which the value can be another one although
// nothing happens, sessions aside, or, of a Decayed value, at which it falls to threshold.
// Without one ok is false.
func (s *Spec) Next(st *State, now int64, threshold float64) (at int64, ok bool) {
	earliest := func(t int64) {
		if t > now && (!ok || t < at) {
			at, ok = t, true
		}
	}
	switch s.shape() {
	case ring:
		if len(st.times) > 0 {
			for _, t := range st.times[0] {
				earliest(t + s.Scope.From)
			}
		}
	case paned:
		w := s.panes()
		for _, p := range st.panes {
			earliest((p.index + int64(w.N)) * w.Width) // leaves at the trailing edge
			if s.Scope.Reach == Between {
				earliest(p.index*w.Width + s.Scope.To)
			}
		}
	case values:
		if s.Scope.Reach == Within {
			for _, v := range st.values {
				earliest(v.at + s.Scope.From)
			}
		}
	case point:
		if st.known && s.Scope.Reach == Within {
			earliest(st.at + s.Scope.From)
		}
	case latest:
		if st.has[0] {
			earliest(st.last[0] + s.Scope.From)
		}
	case fading:
		return s.crossing(st, now, threshold)
	}
	return at, ok
}

// crossing is the first millisecond after now at which the decayed sum, now beyond
// threshold, is there or nearer to 0, or, now just there, is nearer:
//
//	t = T + h·log2(S/θ)
//
// Sums and thresholds below 0 are the mirror image.
func (s *Spec) crossing(st *State, now int64, threshold float64) (at int64, ok bool) {
	d := st.faded
	if threshold < 0 {
		d.S, threshold = -d.S, -threshold
	}
	if threshold == 0 || d.S < threshold {
		return 0, false
	}
	h := float64(s.HalfLife.Milliseconds())
	guess := d.T + int64(math.Ceil(h*(math.Log2(d.S)-math.Log2(threshold))))
	return Falls(func(t int64) float64 { return window.At(d, t, s.HalfLife) }, now, guess, threshold)
}

// Falls is the first time after now at which read, which never rises, is at threshold or
// below, or, now just there, is below. It looks around guess first, from there in steps that double.
func Falls(read func(at int64) float64, now, guess int64, threshold float64) (at int64, ok bool) {
	level := read(now)
	if !(level >= threshold) {
		return 0, false
	}
	fallen := func(t int64) bool {
		x := read(t)
		return x < threshold || x == threshold && level > threshold
	}
	before, at, step := now, max(now+1, guess), int64(1)
	if fallen(at) {
		for at-before > 1 {
			t := max(before, at-step)
			if t == before {
				break
			}
			if !fallen(t) {
				before = t
				break
			}
			at, step = t, 2*step
		}
	} else {
		for before = at; ; step *= 2 {
			if before > math.MaxInt64/2-step {
				return 0, false
			}
			if at = before + step; fallen(at) {
				break
			}
			before = at
		}
	}
	for at-before > 1 {
		if t := before + (at-before)/2; fallen(t) {
			at = t
		} else {
			before = t
		}
	}
	return at, true
}

// Merge adds src's events to dst: that of two States which share no event. For a
// Session scope the later session's stay. now is the time of the log.
func (s *Spec) Merge(dst, src *State, now int64) {
	if s.Scope.Reach == Session {
		if src.session < dst.session || src.Empty() {
			return
		}
		if src.session > dst.session {
			dst.Reset()
			dst.session = src.session
		}
	}
	for _, p := range src.panes {
		dst.panes = addPane(dst.panes, p)
	}
	s.trimPanes(dst, now)
	switch s.shape() {
	case ring:
		if len(src.times) > 0 {
			dst.grow(1)
			dst.times[0] = window.MergeRings(dst.times[0], src.times[0], s.Cap+1)
		}
	case values:
		for _, v := range src.values {
			dst.values = addValue(dst.values, v)
		}
		s.trimValues(dst, now)
	case point:
		if src.known {
			s.addPoint(dst, src.at, src.id, src.value)
		}
	case fading:
		dst.faded = window.MergeDecayed(dst.faded, src.faded, s.HalfLife)
	case latest:
		for i := range dst.last {
			if src.has[i] && (!dst.has[i] || src.last[i] > dst.last[i]) {
				dst.last[i], dst.has[i] = src.last[i], true
			}
		}
	case stepped:
		dst.grow(len(s.Sources))
		if dst.isDone() {
			return
		}
		if src.isDone() {
			dst.finish()
			return
		}
		for i := range src.times {
			dst.times[i] = window.MergeRings(dst.times[i], slices.Clone(src.times[i]), MaxSteps)
		}
		s.settle(dst, now)
	}
}
