package split

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"

	"kindred/training/assemble"
)

// innerNegatives is how many rows an inner target is ranked among when the outer
// one is ranked among given ones: as many as in the NCF files.
const innerNegatives = 99

// Inner divides the training part once more in the way the whole was divided,
// for tuning: by time as by time, the last act as the last act among as many
// random negatives, held-out sessions as sessions. Where the files said, each
// person's end is held out, or a fifth drawn with the seed where times are unknown.
//
// The error says that the training part is too small to divide.
func (h *Holdout) Inner() (*Holdout, error) {
	t := h.Part(h.Train)
	in := &Holdout{Table: t, Protocol: h.Protocol, Options: h.Options}
	switch h.Protocol {
	case Time:
		return Apply(Source{Table: t}, Time, h.Options)
	case LeaveOneOut:
		in.lastOfEach()
		if h.Negatives != nil {
			in.Negatives = in.drawNegatives()
		}
	case Session:
		in.lastSessions()
	case UserTime:
		in.byUserTime(in.timed())
	default:
		if slices.ContainsFunc(t.Acts, assemble.Act.Timed) {
			in.byUserTime(in.timed())
		} else {
			in.drawFifth()
		}
	}
	if len(in.Test) == 0 && len(in.Sessions) == 0 {
		return nil, errors.New("split: the training part is too small to hold out a validation slice")
	}
	return in, nil
}

// drawNegatives draws, for each person with a target, rows they never used.
func (h *Holdout) drawNegatives() map[int32][]int32 {
	rng := rand.New(rand.NewPCG(h.Seed, 0x6e656761))
	used := assemble.ByPerson(h.Acts, h.People.Len())
	out := make(map[int32][]int32, len(h.Test))
	for _, a := range h.Test {
		own := map[int32]bool{}
		for _, u := range used[a.Person] {
			own[u.Item] = true
		}
		rows := make([]int32, 0, innerNegatives)
		for want := min(innerNegatives, h.Items.Len()-len(own)); len(rows) < want; {
			if row := int32(rng.IntN(h.Items.Len())); !own[row] {
				own[row] = true
				rows = append(rows, row)
			}
		}
		slices.Sort(rows)
		out[a.Person] = rows
	}
	return out
}

// drawFifth holds out a random fifth of each person's acts, at least one of two.
func (h *Holdout) drawFifth() {
	rng := rand.New(rand.NewPCG(h.Seed, 0x66696674))
	for _, own := range assemble.ByPerson(h.Acts, h.People.Len()) {
		if len(own) < 2 {
			h.Train = append(h.Train, own...)
			continue
		}
		held := make([]bool, len(own))
		for _, i := range rng.Perm(len(own))[:max(1, len(own)/5)] {
			held[i] = true
		}
		for i, a := range own {
			if held[i] {
				h.Test = append(h.Test, a)
			} else {
				h.Train = append(h.Train, a)
			}
		}
	}
}

// lastSessions holds out the last tenth of the training sessions: the people of
// a session table are its sessions, in the order of their numbers.
func (h *Holdout) lastSessions() {
	sessions := slices.DeleteFunc(assemble.ByPerson(h.Acts, h.People.Len()), func(s []assemble.Act) bool { return len(s) == 0 })
	slices.SortStableFunc(sessions, func(a, b []assemble.Act) int { return cmp.Compare(a[0].At, b[0].At) })
	keep := len(sessions) - max(1, len(sessions)/10)
	for i, s := range sessions {
		if i < keep {
			h.Train = append(h.Train, s...)
			continue
		}
		rows := make([]int32, len(s))
		for j, a := range s {
			rows[j] = a.Item
		}
		for n := 1; n < len(rows); n++ {
			h.Sessions = append(h.Sessions, Prefix{Session: int32(i), Items: rows[:n:n], Target: rows[n]})
		}
	}
	h.Sort(h.Train)
}
