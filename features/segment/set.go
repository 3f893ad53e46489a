package segment

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"kindred/data"
	"kindred/features/expr"
	"kindred/features/segment/slot"
)

// Engagement is the name of the built-in score.
const Engagement = "engagement"

// Config bounds rule sets and says what rules may assume.
type Config struct {
	// MaxBytes is the most that all slots and memberships of one person may take in the worst case.
	MaxBytes int `yaml:"max_profile_bytes"`
	// MaxSegments is the most segments in a set.
	MaxSegments int `yaml:"max_segments"`
	// Horizon is how late an event may come, in milliseconds: features.Config.MaxEventAge.
	Horizon int64 `yaml:"-"`
}

// Default is 8 kB a person and 2,000 segments.
func Default() Config {
	return Config{MaxBytes: 8 << 10, MaxSegments: 2000, Horizon: 7 * 24 * 3600 * 1000}
}

// Validate reports what is wrong with the configuration.
func (c Config) Validate() error {
	switch {
	case c.MaxBytes < 256:
		return fmt.Errorf("max_profile_bytes: %d; at least 256 are needed", c.MaxBytes)
	case c.MaxSegments < 1:
		return fmt.Errorf("max_segments: %d; at least 1 is needed", c.MaxSegments)
	}
	return nil
}

// filter selects events: of a name, or of some kinds, that fulfil conditions. The zero filter
// selects all.
type filter struct {
	name  string
	kinds string // separated by blanks
	where []*node
	text  []string // of the conditions, canonical
}

func canonical(f filter) string {
	return fmt.Sprintf("%q %q %q", f.name, f.kinds, f.text)
}

// rule is a compiled Rule.
type rule struct {
	Rule
	id     uint32 // hash of the name
	when   *node
	exit   *node // nil: when it fails
	parent int   // place in the set, or −1
	group  int   // place in the set's groups, or −1
	score  *node // nil without
	reads  reads
	itself [1]int // its place
}

// score is a compiled Score.
type score struct {
	name  string
	spec  slot.Spec
	scale float64
}

// compiledSlot is a slot of the set, with what happens when it changes.
type compiledSlot struct {
	slot.Spec
	meaning string
	id      uint32 // hash of its meaning, the same in every set
	rules   []int  // that read it
	moves   fades  // how its value changes without events
}

// use is one place of a source in a slot.
type use struct {
	slot, step int
}

// Set is a compiled rule set: immutable and safe for concurrent use. All state is in
// the bytes of a person and in a Work.
type Set struct {
	cfg     Config
	horizon int64
	rules   []rule
	always  []int   // rules that go by the clock, by what is fading outside of slots, by who is there
	unitOf  []int   // place in units by rule
	units   [][]int // rules in the order of evaluation: a group at a time, after all that it reads
	byID    map[uint32]int
	scores  []score
	slots   []compiledSlot
	slotsBy map[uint32]int // by id
	ruleAt  places         // by id
	slotAt  places

	filters    []filter
	filterAt   map[string]uint32
	usedBy     [][]use          // by filter
	byName     map[string][]int // filters of one event's name
	others     []int            // filters of any name
	paths      [][]string       // of fields; 0 is none
	pathAt     map[string]uint32
	caps       map[capKey]int
	counted    map[capKey]*counted // while compiling
	reading    [4][]int            // rules by what they read: traits, consent, session, behaviour
	dependents [][]int             // rules by the rule whose membership they read
	clash      error               // two slots of one hash
	version    uint32              // hash of all that makes truth: another one means other rules
}

type capKey struct {
	source uint32
	scope  slot.Scope
}

// counted is how a count is used.
type counted struct{ uses, compared, largest int }

// Compile makes a Set of rules. The error joins an *Error for every mistake found,
// several rules' mistakes at once. It costs some 100 µs a rule.
func Compile(rules Rules, cfg Config) (*Set, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if n := len(rules.Segments); n > cfg.MaxSegments {
		return nil, fmt.Errorf("%d segments; at most %d are allowed (max_segments)", n, cfg.MaxSegments)
	}
	s := &Set{cfg: cfg, horizon: cfg.Horizon, filterAt: map[string]uint32{}, pathAt: map[string]uint32{}, paths: [][]string{nil}, counted: map[capKey]*counted{}}
	if err := s.compile(rules); err != nil { // counts how counts are used
		return nil, err
	}
	s.caps = map[capKey]int{}
	for k, c := range s.counted {
		if c.uses == c.compared {
			s.caps[k] = c.largest
		}
	}
	s.counted = nil
	if err := s.compile(rules); err != nil {
		return nil, err
	}
	if err := s.order(); err != nil {
		return nil, err
	}
	if s.clash != nil {
		return nil, s.clash
	}
	s.index()
	if err := s.budget(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Set) compile(rules Rules) error {
	s.rules, s.slots, s.scores, s.byID, s.slotsBy = nil, nil, nil, map[uint32]int{}, map[uint32]int{}
	var errs []error
	for i := range rules.Scores {
		errs = append(errs, s.addScore(i, &rules.Scores[i]))
	}
	names := map[string]int{}
	for i := range rules.Segments {
		r := &rules.Segments[i]
		if err := r.check(i); err != nil {
			errs = append(errs, err)
			continue
		}
		if _, twice := names[r.Segment]; twice {
			errs = append(errs, fault(r.Segment, "segment", "there are two of this name"))
			continue
		}
		names[r.Segment] = len(s.rules)
		c, err := s.addRule(r)
		if err != nil {
			errs = append(errs, err)
		}
		if other, ok := s.byID[c.id]; ok {
			errs = append(errs, fault(r.Segment, "segment", "its name has the same hash as %s; choose another", s.rules[other].Segment))
		}
		s.byID[c.id] = len(s.rules)
		s.rules = append(s.rules, c)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.resolve(names)
}

func (s *Set) addRule(r *Rule) (rule, error) {
	out := rule{Rule: *r, id: nameID(r.Segment), parent: -1, group: -1, reads: reads{slots: map[int]bool{}, segments: map[int]bool{}}}
	var err error
	if out.when, err = s.condition(r.When, &out.reads); err != nil {
		return out, &Error{r.Segment, "when", err}
	}
	if r.Exit != "" {
		if out.exit, err = s.condition(r.Exit, &out.reads); err != nil {
			return out, &Error{r.Segment, "exit", err}
		}
	}
	if r.Score != "" {
		l := &lowering{set: s, source: r.Score, reads: &out.reads}
		if out.score = l.score(&expr.Node{Args: []*expr.Node{{Line: 1, Column: 1}}}, r.Score); l.err != nil {
			return out, &Error{r.Segment, "score", l.err}
		}
	}
	out.reads.consent = out.reads.consent || r.Consent != ""
	return out, nil
}

func (s *Set) addScore(place int, sc *Score) error {
	name := cmp.Or(sc.Score, fmt.Sprintf("score %d", place+1))
	switch {
	case !goodName.MatchString(sc.Score) || sc.Score == Engagement:
		return fault(name, "score", "%q is no name for a score; use a lower-case letter, then letters, digits and _; engagement is built in", sc.Score)
	case slices.ContainsFunc(s.scores, func(o score) bool { return o.name == sc.Score }):
		return fault(name, "score", "there are two of this name")
	case sc.Scale < 0:
		return fault(name, "scale", "%v is negative", sc.Scale)
	case len(sc.Adds) == 0:
		return fault(name, "adds", "nothing adds to it")
	}
	out := score{name: sc.Score, scale: sc.Scale, spec: slot.Spec{Kind: slot.Decayed, HalfLife: timeOf(sc.HalfLife)}}
	for _, p := range sc.Adds {
		tree, err := s.parse(p.Events, expr.Events)
		if err != nil {
			return &Error{name, "adds", err}
		}
		l := &lowering{set: s, source: p.Events, reads: &reads{slots: map[int]bool{}}}
		set := l.events(tree)
		if set.scoped && l.err == nil {
			l.refuse(tree, "a score fades by itself; leave the time out")
		}
		if l.err != nil {
			return &Error{name, "adds", l.err}
		}
		if p.Weight < -1e6 || p.Weight > 1e6 || p.Weight != p.Weight {
			return fault(name, "adds", "a weight of %v; between -1e6 and 1e6 are possible", p.Weight)
		}
		out.spec.Sources, out.spec.Weights = append(out.spec.Sources, set.source), append(out.spec.Weights, p.Weight)
	}
	if err := out.spec.Validate(); err != nil {
		return &Error{name, "", err}
	}
	s.scores = append(s.scores, out)
	return nil
}

func sortedKeys(m map[int]bool) []int {
	out := make([]int, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// budget refuses sets whose people could become too large.
func (s *Set) budget() error {
	if total := s.WorstCase(); total > s.cfg.MaxBytes {
		largest := 0
		for i := range s.slots {
			if s.slots[i].MaxBytes() > s.slots[largest].MaxBytes() {
				largest = i
			}
		}
		return fmt.Errorf("a person could take %d bytes, %d are allowed (max_profile_bytes); the largest part is %s with %d",
			total, s.cfg.MaxBytes, s.Describe(largest), s.slots[largest].MaxBytes())
	}
	return nil
}

// WorstCase is the most bytes that a person's slots and memberships can take.
func (s *Set) WorstCase() int {
	total := headBytes + len(s.rules)*maxMemberBytes
	for i := range s.slots {
		total += slotHeadBytes + s.slots[i].MaxBytes()
	}
	return total
}

// Slots is how many slots the set has.
func (s *Set) Slots() int { return len(s.slots) }

// Rules are the names of the segments, in the order they were given.
func (s *Set) Rules() []Rule {
	out := make([]Rule, len(s.rules))
	for i := range s.rules {
		out[i] = s.rules[i].Rule
	}
	return out
}

// Describe says what slot i computes, for people.
func (s *Set) Describe(i int) string {
	sp := &s.slots[i]
	var names []string
	for _, f := range sp.Sources {
		names = append(names, s.filters[f].describe())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v(%s", sp.Kind, strings.Join(names, ", "))
	if sp.Field != 0 {
		fmt.Fprintf(&b, " %s", strings.Join(s.paths[sp.Field], "."))
	}
	switch sp.Scope.Reach {
	case slot.Within:
		fmt.Fprintf(&b, " within %v", ofMS(sp.Scope.From))
	case slot.Between:
		fmt.Fprintf(&b, " between %v and %v ago", ofMS(sp.Scope.From), ofMS(sp.Scope.To))
	case slot.Session:
		b.WriteString(" in session")
	}
	if sp.HalfLife > 0 {
		fmt.Fprintf(&b, " half-life %v", Duration(sp.HalfLife))
	}
	b.WriteByte(')')
	return b.String()
}

func (f *filter) describe() string {
	out := f.name
	if f.kinds != "" {
		out = f.kinds
	}
	if out == "" {
		out = "any event"
	}
	if len(f.text) > 0 {
		out += " where …"
	}
	return out
}

func nameID(name string) uint32 { return uint32(xxhash.Sum64String(name)) }

// Event is one event as rules see it.
type Event struct {
	*data.Event
	At      int64  // event time, Unix ms
	Hash    uint64 // of its message id
	Session int64  // the number of the session that it belongs to and that is open, or 0
}

func timeOf(d Duration) time.Duration { return time.Duration(d) }

func ofMS(ms int64) Duration { return Duration(ms * int64(time.Millisecond)) }
