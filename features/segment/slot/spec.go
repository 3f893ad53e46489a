package slot

import (
	"errors"
	"fmt"
	"time"

	"kindred/features/window"
)

// Bounds of what a State holds.
const (
	MaxRing     = 64  // the largest number that a Count kept as a ring is compared with
	Panes       = 64  // panes of a window
	MaxDistinct = 256 // different values that are told apart
	MaxSteps    = 32  // events of each source that Followed and Sequence look at
	MaxSources  = 16  // of a Sequence, or of a weighted sum
	MaxText     = 128 // bytes of a text that First and Last keep
)

// Kind is what a slot computes.
type Kind uint8

// The kinds; see the package's comment for their meanings.
const (
	Count Kind = iota + 1
	Sum
	Avg
	Min
	Max
	Distinct
	First
	Last
	LastAt
	Decayed
	Followed
	NotFollowed
	Sequence
)

var kindNames = [...]string{Count: "count", Sum: "sum", Avg: "avg", Min: "min", Max: "max", Distinct: "distinct", First: "first",
	Last: "last", LastAt: "last_at", Decayed: "decayed", Followed: "followed_by", NotFollowed: "not_followed_by", Sequence: "sequence"}

// String is the kind's name in the rule language.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Reach is the shape of a scope.
type Reach uint8

// The shapes of a scope.
const (
	Ever Reach = iota
	Within
	Between
	Session
)

// Scope selects events by time. From and To are ages in milliseconds: Within sees ages
// in [0, From), Between those in [To, From).
type Scope struct {
	Reach    Reach
	From, To int64
}

// Spec is one aggregate.
type Spec struct {
	Kind    Kind
	Scope   Scope
	Sources []uint32 // numbers of the event filters: one, or those of a sequence in order
	Field   uint32   // number of the field whose value is aggregated; 0: none

	// Cap is the largest number that a Count is compared with, if every comparison is with
	// a number of at most MaxRing; 0 otherwise.
	Cap int

	HalfLife time.Duration // of Decayed
	Weights  []float64     // of Decayed: what an event of each source adds; nil: 1 each

	// Horizon is how late an event may come, in milliseconds: what Followed and Sequence still pair.
	Horizon int64
}

// Validate reports what is wrong with the spec.
func (s *Spec) Validate() error {
	steps := s.Kind == Followed || s.Kind == NotFollowed || s.Kind == Sequence
	switch {
	case s.Kind < Count || s.Kind > Sequence:
		return fmt.Errorf("unknown kind %d", s.Kind)
	case len(s.Sources) == 0 || len(s.Sources) > MaxSources:
		return fmt.Errorf("%d sources; one to %d are possible", len(s.Sources), MaxSources)
	case !steps && s.Kind != Decayed && len(s.Sources) != 1:
		return fmt.Errorf("%v is over one set of events, not %d", s.Kind, len(s.Sources))
	case (s.Kind == Followed || s.Kind == NotFollowed) && len(s.Sources) != 2:
		return fmt.Errorf("%v is over two sets of events, not %d", s.Kind, len(s.Sources))
	case s.Kind == Sequence && len(s.Sources) < 2:
		return errors.New("a sequence has at least two steps")
	case steps && s.Scope.Reach != Within:
		return fmt.Errorf("%v needs a length of time", s.Kind)
	case s.Kind == Decayed && s.HalfLife < time.Second:
		return fmt.Errorf("a half-life of %v; at least 1s is possible", s.HalfLife)
	case s.Weights != nil && (s.Kind != Decayed || len(s.Weights) != len(s.Sources)):
		return fmt.Errorf("%d weights of %d sources; only decayed sums have them, one for each", len(s.Weights), len(s.Sources))
	case s.Kind == Decayed && s.Scope.Reach != Ever:
		return errors.New("decayed() fades by itself and takes no window")
	case s.Kind == Distinct && s.Scope.Reach == Between:
		return errors.New("distinct() works with within, in_session and ever")
	case (s.Kind == First || s.Kind == Last || s.Kind == LastAt) && s.Scope.Reach == Between:
		return fmt.Errorf("%v() works with within, in_session and ever", s.Kind)
	case s.Kind == First && s.Scope.Reach == Within:
		return errors.New("first() works with in_session and ever")
	case s.Cap < 0 || s.Cap > MaxRing || s.Cap > 0 && s.Kind != Count:
		return fmt.Errorf("cap %d; a count has at most %d", s.Cap, MaxRing)
	case s.Horizon < 0:
		return errors.New("a negative horizon")
	}
	switch c := s.Scope; {
	case c.Reach > Session:
		return fmt.Errorf("unknown scope %d", c.Reach)
	case (c.Reach == Within || c.Reach == Between) && (c.From < 1000 || c.From > maxWindow):
		return fmt.Errorf("a window of %v; 1s to %v are possible", ms(c.From), ms(maxWindow))
	case c.Reach == Between && (c.To <= 0 || c.To >= c.From):
		return fmt.Errorf("between %v and %v ago: the first must be the longer time, and both above 0", ms(c.From), ms(c.To))
	case c.Reach != Within && c.Reach != Between && (c.From != 0 || c.To != 0) || c.Reach == Within && c.To != 0:
		return errors.New("a scope with ages that it does not use")
	}
	return nil
}

const maxWindow = 10 * 366 * 24 * int64(time.Hour/time.Millisecond)

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// shape is how a State of the spec keeps its events.
type shape uint8

const (
	sums    shape = iota // one pane of all events, or of the session's
	ring                 // the newest times
	paned                // panes by time
	values               // different values with their newest times
	point                // one event: the first or last
	fading               // a decayed sum
	latest               // the latest time of each source
	stepped              // the newest times of each source
)

func (s *Spec) shape() shape {
	timed := s.Scope.Reach == Within || s.Scope.Reach == Between
	switch s.Kind {
	case Distinct:
		return values
	case First, Last, LastAt:
		return point
	case Decayed:
		return fading
	case NotFollowed:
		return latest
	case Followed, Sequence:
		return stepped
	case Count:
		if timed && s.Cap > 0 && s.Scope.Reach == Within {
			return ring
		}
	}
	if timed {
		return paned
	}
	return sums
}

// panes is the shape of the spec's panes.
func (s *Spec) panes() window.Paned {
	width := max(1, (s.Scope.From+Panes-1)/Panes)
	return window.Paned{Width: width, N: (s.Scope.From + width - 1) / width}
}

// Exactness says how far a value may be from the definition.
type Exactness uint8

// The degrees of exactness.
const (
	Exact    Exactness = iota
	OnePane            // events of one pane's width at an edge of the window may be missed or too many
	Rounding           // 1e-9 of the value
	Newest             // exact unless more than MaxSteps events of a step lie within the horizon
)

// String is the label that people read.
func (e Exactness) String() string {
	return [...]string{"exact", "±1 pane", "exact to 1e-9", fmt.Sprintf("exact for the newest %d of each step", MaxSteps)}[e]
}

// Exactness is that of the spec's values.
func (s *Spec) Exactness() Exactness {
	switch s.shape() {
	case paned:
		return OnePane
	case fading:
		return Rounding
	case stepped:
		return Newest
	}
	return Exact
}

// Pane is the width of a pane in milliseconds, or 0 if the spec has none.
func (s *Spec) Pane() int64 {
	if s.shape() != paned {
		return 0
	}
	return s.panes().Width
}

// MaxBytes is the most that a State of the spec takes, encoded.
func (s *Spec) MaxBytes() int {
	const session, number, long = 10, 9, 10
	pane := long + 5 + 3*number
	switch s.shape() {
	case ring:
		return 2 + long*(s.Cap+1)
	case paned:
		return 2 + (int(s.panes().N)+1)*pane
	case values:
		return session + 2 + MaxDistinct*(8+long)
	case point:
		return session + 2*long + MaxText + 4
	case fading:
		return number + long
	case latest:
		return 2 * (long + 1)
	case stepped:
		return len(s.Sources) * (2 + MaxSteps*long)
	}
	return session + pane
}
