package split

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"kindred/data"
	"kindred/training/assemble"
)

// Source is a table together with the division that its files brought, if any.
type Source struct {
	*assemble.Table
	// Test is the files' own holdout, in any order; nil when there is none.
	Test []assemble.Act
	// Negatives are the rows that a person's target is ranked among; sorted. Nil
	// when the files give none.
	Negatives map[int32][]int32
	// Sessions are the prefixes of held-out sessions. Nil when there are none.
	Sessions []Prefix
}

// Prefix is the beginning of a held-out session, oldest item first, and the item
// that came next.
type Prefix struct {
	Session int32 // prefixes of one session share its number
	Items   []int32
	Target  int32
}

// Options are the choices of a division.
type Options struct {
	// Share of the interactions that the time protocol holds out, in (0, 1).
	Share float64
	// Seed draws what must be drawn: inner negatives, and holdouts of people whose
	// acts have no known order.
	Seed uint64
}

// Holdout is a divided table.
type Holdout struct {
	*assemble.Table
	Protocol Protocol
	Options
	Train []assemble.Act // in the table's order
	Test  []assemble.Act // in the table's order; nil for sessions
	// Cut is the first moment of the holdout in Unix ms; only with protocol time.
	Cut int64
	// Untimed counts the people that a protocol by time left out because none of
	// their interactions has a time; UntimedActs all interactions without one.
	Untimed     int
	UntimedActs int
	// Negatives and Sessions are the source's.
	Negatives map[int32][]int32
	Sessions  []Prefix
}

// Apply divides src by the protocol. The error says what the source lacks for it.
func Apply(src Source, p Protocol, opt Options) (*Holdout, error) {
	h := &Holdout{Table: src.Table, Protocol: p, Options: opt}
	var err error
	switch p {
	case Time:
		err = h.byTime()
	case UserTime:
		h.byUserTime(h.timed())
		if len(h.Test) == 0 {
			err = errors.New("no interaction has a time")
		}
	case Given:
		if src.Test == nil {
			err = errors.New("the files bring no test part of their own; use time, user-time or leave-one-out")
		}
		h.take(src.Test)
	case LeaveOneOut:
		if src.Test != nil {
			h.take(src.Test)
			h.Negatives = src.Negatives
		} else {
			h.lastOfEach()
		}
	case Session:
		h.Train, h.Sessions = h.Acts, src.Sessions
		if len(h.Sessions) == 0 {
			err = errors.New("the source brings no held-out sessions")
		}
	default:
		_, err = ParseProtocol(string(p))
	}
	if err != nil {
		return nil, fmt.Errorf("split by %s: %w", p, err)
	}
	return h, nil
}

// take uses the files' own test part; everything else is for training.
func (h *Holdout) take(test []assemble.Act) {
	h.Train = h.Acts
	h.Test = slices.Clone(test)
	h.Sort(h.Test)
}

// timed returns the acts that have a time and counts what is left out.
func (h *Holdout) timed() []assemble.Act {
	out := make([]assemble.Act, 0, len(h.Acts))
	for _, own := range assemble.ByPerson(h.Acts, h.People.Len()) {
		n := 0
		for _, a := range own {
			if a.Timed() {
				out = append(out, a)
				n++
			}
		}
		h.UntimedActs += len(own) - n
		if n == 0 && len(own) > 0 {
			h.Untimed++
		}
	}
	return out
}

// byTime cuts once, so that Share of the acts are at or after the cut. Acts of
// the cut's own millisecond are all in the holdout.
func (h *Holdout) byTime() error {
	if h.Share <= 0 || h.Share >= 1 {
		return fmt.Errorf("share %v: must be more than 0 and less than 1", h.Share)
	}
	acts := h.timed()
	if len(acts) == 0 {
		return errors.New("no interaction has a time")
	}
	times := make([]int64, len(acts))
	for i, a := range acts {
		times[i] = a.At
	}
	slices.Sort(times)
	h.Cut = times[min(int(float64(len(times))*(1-h.Share)), len(times)-1)]
	for _, a := range acts {
		if a.At < h.Cut {
			h.Train = append(h.Train, a)
		} else {
			h.Test = append(h.Test, a)
		}
	}
	if len(h.Train) == 0 {
		return errors.New("all interactions are of one moment")
	}
	return nil
}

// byUserTime holds out the end of each person's acts, which are in order.
func (h *Holdout) byUserTime(acts []assemble.Act) {
	for _, own := range assemble.ByPerson(acts, h.People.Len()) {
		if len(own) == 0 {
			continue
		}
		cut := len(own) - max(1, len(own)/5)
		h.Train = append(h.Train, own[:cut]...)
		h.Test = append(h.Test, own[cut:]...)
	}
}

// lastOfEach holds out each person's last act; somebody with one act keeps it.
// Hiding is never a target. Where others have times, the acts of a person without
// any are in no known order, and one is drawn.
func (h *Holdout) lastOfEach() {
	someTimed := slices.ContainsFunc(h.Acts, assemble.Act.Timed)
	for p, own := range assemble.ByPerson(h.Acts, h.People.Len()) {
		var targets []int
		for i, a := range own {
			if a.Kind != data.Hide {
				targets = append(targets, i)
			}
		}
		if len(own) < 2 || len(targets) == 0 {
			h.Train = append(h.Train, own...)
			continue
		}
		at := targets[len(targets)-1]
		if someTimed && !own[len(own)-1].Timed() {
			at = targets[rand.New(rand.NewPCG(h.Seed, uint64(p))).IntN(len(targets))]
		}
		h.Train = append(h.Train, own[:at]...)
		h.Train = append(h.Train, own[at+1:]...)
		h.Test = append(h.Test, own[at])
	}
}
