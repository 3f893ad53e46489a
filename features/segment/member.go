package segment

// member is a person's relation to one segment. The zero member is who is not in it and
// whom nothing keeps out.
type member struct {
	in      bool
	blocked bool  // left because of the ttl: When must fail before the next entry
	since   int64 // entered at, if in
	pending int64 // since when the condition for entry, or for exit, has held, or 0
	until   int64 // not to enter before, or 0
}

// standing is what a rule's conditions say now.
type standing struct {
	when, exit bool
	allowed    bool // by parent and consent
	unknown    bool // when was unknown, which counts as false
}

// step moves a member at now by its rule. It reports whether they are ready to enter, which the
// rule's group decides, and when to look again although nothing happens.
func (r *rule) step(m *member, st standing, now int64) (ready bool, next int64) {
	next = never
	wait := func(at int64) {
		if at > now {
			next = min(next, at)
		}
	}
	if !st.when {
		m.blocked = false
	}
	if m.in {
		leave := !st.allowed
		if ttl := r.TTL.ms(); ttl > 0 {
			if now >= m.since+ttl {
				leave, m.blocked = true, st.when
			}
			wait(m.since + ttl)
		}
		hold := r.For.ms()
		wants := !st.when
		if r.exit != nil {
			hold, wants = 0, st.exit
		}
		if wants {
			if m.pending == 0 {
				m.pending = now
			}
			due := max(m.pending+hold, m.since+r.MinStay.ms())
			leave = leave || now >= due
			wait(due)
		} else {
			m.pending = 0
		}
		if !leave {
			return false, next
		}
		r.leave(m, now)
		next = never
	}
	if !st.when || !st.allowed || m.blocked || r.exit != nil && st.exit {
		m.pending = 0
		if m.until <= now {
			m.until = 0
		}
		return false, next
	}
	if m.pending == 0 {
		m.pending = now
	}
	due := max(m.pending+r.For.ms(), m.until)
	wait(due)
	return now >= due, next
}

// leave ends a membership.
func (r *rule) leave(m *member, now int64) {
	*m = member{blocked: m.blocked}
	if c := r.Cooldown.ms(); c > 0 {
		m.until = now + c
	}
}

func (m *member) enter(now int64) { *m = member{in: true, since: now} }

// decide is what a group makes of its rules: who is in one of them stays there unless another
// that is ready is worth the margin more; nobody is in two.
func (s *Set) decide(in *input, unit []int, ready []bool) {
	w := in.w
	current, best := -1, -1
	for k, i := range unit {
		if w.members[i].in && (current < 0 || w.before(in, i, current)) {
			current = i
		}
		if ready[k] && (best < 0 || w.before(in, i, best)) {
			best = i
		}
	}
	for _, i := range unit { // two at once: the rules were not of one group before
		if w.members[i].in && i != current {
			s.rules[i].leave(&w.members[i], in.now)
		}
	}
	if best < 0 {
		return
	}
	if current >= 0 {
		r := &s.rules[current]
		a, b := w.worth(in, best), w.worth(in, current)
		if !(a > b && a-b >= s.rules[best].Margin) {
			return
		}
		if stays := w.members[current].since + r.MinStay.ms(); in.now < stays {
			w.due = min(w.due, stays)
			return
		}
		r.leave(&w.members[current], in.now)
	}
	w.members[best].enter(in.now)
}

// worth is what decides in a rule's group.
func (w *Work) worth(in *input, i int) float64 {
	r := &in.s.rules[i]
	if r.score != nil {
		if v := r.score.eval(in); v.kind == number {
			return v.n
		}
		return 0
	}
	return float64(r.Priority)
}

// before reports whether rule a wins over rule b: by worth, then priority, then the place in the set.
func (w *Work) before(in *input, a, b int) bool {
	if x, y := w.worth(in, a), w.worth(in, b); x != y {
		return x > y
	}
	if x, y := in.s.rules[a].Priority, in.s.rules[b].Priority; x != y {
		return x > y
	}
	return a < b
}
