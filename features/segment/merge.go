package segment

// Merge brings the bytes of two people together, of which p is the profile, too.
func (s *Set) Merge(w *Work, state, other []byte, p Person, now int64) (Result, error) {
	from := s.NewWork()
	if err := from.load(other); err != nil {
		return Result{}, err
	}
	in, err := w.begin(state, p, now)
	if err != nil {
		return Result{}, err
	}
	for _, i := range from.kept {
		w.keep(i)
		w.members[i] = merged(w.members[i], from.members[i])
	}
	for _, i := range from.present {
		s.slots[i].Merge(w.changed(i), from.of(i), now)
	}
	w.decided, w.moved = 0, true // look at all rules
	return w.finish(&in), nil
}

// merged is the relation of two who turn out to be one. Who is in a segment is in it, since the
// earlier time, and leaves by what holds for both.
func merged(a, b member) member {
	switch {
	case a.in && b.in:
		out := member{in: true, since: min(a.since, b.since)}
		if a.pending != 0 && b.pending != 0 {
			out.pending = max(a.pending, b.pending)
		}
		return out
	case a.in:
		return a
	case b.in:
		return b
	}
	out := member{blocked: a.blocked || b.blocked, pending: max(a.pending, b.pending), until: max(a.until, b.until)}
	if a.pending != 0 && b.pending != 0 {
		out.pending = min(a.pending, b.pending)
	}
	return out
}
