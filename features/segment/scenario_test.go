package segment

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kindred/data"
)

// TestScenarios plays testdata/*.scenario. "# ---" begins a new story. A line is one of
//
//	rule NAME: WHEN             a segment; indented lines behind it say more of it, as in a rules file
//	score {…}                   a score, as in a rules file
//	starter                     the rules of the starter pack
//	at TIME WHO NAME {…}        an event; TIME is 12:00, 12:00:30 or 1d 12:00; "context" of {…} is the event's.
//	                            Where TIME has passed the event is late
//	trait WHO NAME JSON         profiles change other than by events
//	consent WHO JSON
//	session WHO NUMBER k=v…     the open session; 0 when it has ended
//	interest WHO OWN OF SUM     decayed affinity from now on
//	engagement WHO SUM
//	cluster WHO NUMBER · churn WHO SHARE
//	merge WHO OTHER             two turn out to be one
//	tick TIME                   log time passes
//	expect WHAT = WORDS         see expectation
//
// Rules behind the first event are a new version of the set, which keeps what it knows.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.scenario")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".scenario"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := newScenario()
			for n, line := range strings.Split(string(b), "\n") {
				if line, _, _ = strings.Cut(line, " // "); strings.HasPrefix(line, "# ---") {
					s = newScenario()
				}
				if line == "" || line[0] == '#' {
					continue
				}
				if err := s.play(line); err != nil {
					t.Errorf("%s:%d: %v", file, n+1, err)
				}
			}
		})
	}
}

type scenario struct {
	yaml, scores string
	set          *Set
	work         *Work
	now          int64
	people       map[string]*played
	ids          int
}

// played is somebody in a scenario.
type played struct {
	someone
	state   []byte
	due     int64
	seen    []string // changes
	unknown int
}

func newScenario() *scenario { return &scenario{people: map[string]*played{}} }

func (s *scenario) who(name string) *played {
	p := s.people[name]
	if p == nil {
		p = &played{someone: someone{traits: map[string]string{}}}
		s.people[name] = p
	}
	return p
}

func (s *scenario) play(line string) error {
	words := strings.Fields(line)
	switch {
	case line[0] == ' ':
		s.yaml += "  " + line + "\n"
		return nil
	case words[0] == "rule":
		if s.set != nil {
			s.set, s.yaml = nil, ""
		}
		name, when, _ := strings.Cut(strings.TrimPrefix(line, "rule "), ": ")
		s.yaml += fmt.Sprintf("  - segment: %s\n    when: '%s'\n", name, when)
		return nil
	case words[0] == "starter":
		b, err := os.ReadFile("starter/starter.yaml")
		s.yaml = strings.Replace(string(b), "segments:\n", "", 1)
		return err
	case words[0] == "score":
		s.scores += "  - " + strings.TrimPrefix(line, "score ") + "\n"
		return nil
	case s.set == nil:
		if err := s.compile(); err != nil {
			return err
		}
	}
	switch words[0] {
	case "at":
		at, rest, err := clock(words[1:])
		if err != nil {
			return err
		}
		if err := s.pass(max(at, s.now)); err != nil {
			return err
		}
		return s.event(at, rest)
	case "tick":
		at, _, err := clock(words[1:])
		if err != nil {
			return err
		}
		return s.pass(at)
	case "expect":
		what, want, _ := strings.Cut(strings.TrimPrefix(line, "expect "), " =")
		got, err := s.expectation(strings.Fields(what))
		if want = strings.TrimSpace(want); err == nil && got != want {
			return fmt.Errorf("%s = %q, want %q", what, got, want)
		}
		return err
	case "merge":
		p, other := s.who(words[1]), s.who(words[2])
		delete(s.people, words[2])
		r, err := s.set.Merge(s.work, p.state, other.state, p, s.now)
		return s.took(p, r, err)
	}
	p := s.who(words[1])
	a, err := s.changed(p, words)
	if err != nil {
		return err
	}
	r, err := s.set.Due(s.work, p.state, p, a, s.now)
	return s.took(p, r, err)
}

// changed changes a profile as a line says.
func (s *scenario) changed(p *played, words []string) (a Affected, err error) {
	value := func(i int) float64 {
		x, e := strconv.ParseFloat(words[i], 64)
		err = cmp.Or(err, e)
		return x
	}
	switch words[0] {
	case "trait":
		a.Traits = true
		p.traits[words[2]] = strings.Join(words[3:], " ")
	case "consent":
		a.Consent = true
		p.consent = strings.Join(words[2:], " ")
	case "session":
		a.Session = true
		if p.open = int64(value(2)); p.open == 0 {
			p.current.Closed = true
			break
		}
		p.last, p.current, p.count = p.current, data.Session{Start: s.now, End: s.now}, p.count+1
		for _, w := range words[3:] {
			k, v, _ := strings.Cut(w, "=")
			n, e := strconv.Atoi(v)
			err = cmp.Or(err, e)
			switch k {
			case "page_views":
				p.current.PageViews = uint32(n)
			case "seconds":
				p.current.End = p.current.Start + int64(n)*second
			}
		}
	case "interest":
		a.Behaviour = true
		p.own, p.total = data.Decayed{S: value(2), T: s.now}, data.Decayed{S: value(4), T: s.now}
	case "engagement":
		a.Behaviour = true
		p.engagement = data.Decayed{S: value(2), T: s.now}
	case "cluster":
		a.Behaviour = true
		p.cluster = int32(value(2))
	case "churn":
		a.Behaviour = true
		p.churn = value(2)
	default:
		return a, fmt.Errorf("unknown line %q", words[0])
	}
	return a, err
}

func (s *scenario) compile() error {
	text := "segments:\n" + s.yaml
	if s.scores != "" {
		text += "scores:\n" + s.scores
	}
	rules, err := ParseRules([]byte(text))
	if err != nil {
		return err
	}
	cfg := Default()
	cfg.MaxBytes = 1 << 20
	if s.set, err = Compile(rules, cfg); err != nil {
		return err
	}
	s.work = s.set.NewWork()
	for _, name := range s.names() {
		p := s.people[name]
		r, err := s.set.Due(s.work, p.state, p, Affected{}, s.now)
		if err := s.took(p, r, err); err != nil {
			return err
		}
	}
	return nil
}

func (s *scenario) names() (out []string) {
	for name := range s.people {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// pass lets log time pass, with the timers due until then.
func (s *scenario) pass(until int64) error {
	for _, name := range s.names() {
		p := s.people[name]
		for n := 0; p.due != 0 && p.due <= until; n++ {
			if n > 5000 {
				return fmt.Errorf("timers without end for %s at %s", name, written(p.due))
			}
			r, err := s.set.Due(s.work, p.state, p, Affected{}, p.due)
			if err := s.took(p, r, err); err != nil {
				return err
			}
		}
	}
	s.now = until
	return nil
}

func (s *scenario) event(at int64, rest []string) error {
	p, props := s.who(rest[0]), strings.Join(rest[1:], " ")
	name, props, more := strings.Cut(props, "{")
	e := &data.Event{Type: data.Track, Name: strings.TrimSpace(name), Source: "web", ID: fmt.Sprint(s.ids)}
	if strings.HasPrefix(e.Name, "Page Viewed") {
		e.Type = data.Page
	}
	s.ids++
	if more {
		var parts struct {
			Context json.RawMessage
		}
		e.Props = json.RawMessage("{" + props)
		if err := json.Unmarshal(e.Props, &parts); err != nil {
			return err
		}
		e.Ctx = parts.Context
	}
	session := p.open
	if at < s.now {
		session = 0
	}
	r, err := s.set.Event(s.work, p.state, Event{Event: e, At: at, Hash: uint64(s.ids), Session: session}, p, Affected{}, s.now)
	return s.took(p, r, err)
}

func (s *scenario) took(p *played, r Result, err error) error {
	if err != nil {
		return err
	}
	p.state, p.due = slices.Clone(r.State), r.Due
	p.unknown += len(r.Unknown)
	for _, c := range r.Changes {
		sign := "-"
		if c.Entered {
			sign = "+"
		}
		p.seen = append(p.seen, sign+c.Segment+"@"+written(c.At))
	}
	return nil
}

// expectation reads one of: WHO (the segments that they are in) · changes WHO (new since the
// last time) · unknown WHO (evaluations since the last time) · due WHO · label NAME (how exact a rule is)
// · slots (how many the set has).
func (s *scenario) expectation(words []string) (string, error) {
	switch words[0] {
	case "changes":
		p := s.who(words[1])
		out := strings.Join(p.seen, " ")
		p.seen = nil
		return out, nil
	case "unknown":
		p := s.who(words[1])
		n := p.unknown
		p.unknown = 0
		return fmt.Sprint(n), nil
	case "due":
		if at := s.who(words[1]).due; at != 0 {
			return written(at), nil
		}
		return "never", nil
	case "label":
		for i := range s.set.rules {
			if r := &s.set.rules[i]; r.Segment == words[1] {
				return r.reads.exactness.String(), nil
			}
		}
		return "", fmt.Errorf("no rule %q", words[1])
	case "slots":
		return fmt.Sprint(s.set.Slots()), nil
	}
	members, err := s.set.Members(s.who(words[0]).state)
	var out []string
	for _, m := range members {
		out = append(out, m.Segment)
	}
	return strings.Join(out, " "), err
}

var dayOne = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // a Monday

// clock reads "12:00", "12:00:30" or "1d 12:00".
func clock(words []string) (int64, []string, error) {
	day := dayOne
	if n, ok := strings.CutSuffix(words[0], "d"); ok {
		shift, err := strconv.Atoi(n)
		if err != nil {
			return 0, nil, err
		}
		day, words = day.AddDate(0, 0, shift), words[1:]
	}
	for _, layout := range []string{"15:04", "15:04:05", "15:04:05.000"} {
		if t, err := time.Parse(layout, words[0]); err == nil {
			return day.Add(t.Sub(t.Truncate(24 * time.Hour))).UnixMilli(), words[1:], nil
		}
	}
	return 0, nil, fmt.Errorf("%q is no time", words[0])
}

// written is a time as clock reads it, in one word.
func written(at int64) string {
	t := time.UnixMilli(at).UTC()
	out := t.Format("15:04:05.000")
	out = strings.TrimSuffix(strings.TrimSuffix(out, ".000"), ":00")
	if days := int(t.Sub(dayOne) / (24 * time.Hour)); days != 0 {
		out = fmt.Sprintf("%dd_%s", days, out)
	}
	return out
}
