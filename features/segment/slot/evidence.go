package slot

import "slices"

// Evidence is what a State remembers of the events behind its value.
type Evidence struct {
	Events int64   // how many: of panes and rings, those that the window covers; of a decayed sum, not known and 0
	Times  []int64 // event times, ascending, where they are kept one by one
	From   int64   // the window's first and last millisecond, 0 without one; whole panes where there are panes
	To     int64
}

// Evidence is that of a State as Value reads it.
func (s *Spec) Evidence(st *State, now, session int64) (e Evidence) {
	switch s.Scope.Reach {
	case Within, Between:
		e.From, e.To = now-s.Scope.From+1, now-s.Scope.To
		if s.shape() == paned {
			from, to := s.covered(now)
			e.From, e.To = from*s.panes().Width, min(now, (to+1)*s.panes().Width-1)
		}
	case Session:
		if session == 0 || st.session != session {
			return e
		}
	}
	covers := func(t int64) bool { return s.Kind >= Followed || e.To == 0 || t >= e.From && t <= e.To }
	add := func(t int64) {
		if covers(t) {
			e.Times, e.Events = append(e.Times, t), e.Events+1
		}
	}
	switch s.shape() {
	case sums, paned:
		e.Events = int64(s.total(st, now).count)
	case ring, stepped:
		if s.shape() == stepped && st.isDone() {
			break
		}
		for _, times := range st.times {
			for _, t := range times {
				add(t)
			}
		}
	case values:
		for _, v := range st.values {
			add(v.at)
		}
	case point:
		if st.known {
			add(st.at)
		}
	case fading:
		if st.faded.S != 0 {
			e.Times = append(e.Times, st.faded.T)
		}
	case latest:
		for i, has := range st.has {
			if has {
				add(st.last[i])
			}
		}
	}
	slices.Sort(e.Times)
	return e
}
