package features

import (
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

// TestScenarios plays testdata/*.scenario. A line is one of
//
//	at TIME WHO does ITEM…      an event, of identifies with NAME=VALUE, a trait; a last "at WHO": sent there by an index that is behind; TIME is 12:00, 12:00:30 or -1d 12:00
//	again                       the last event is delivered once more
//	tick TIME                   log time passes
//	erase USER                  a delete record
//	alias WHO WHO               the first becomes part of the second
//	unmerge WHO WHO             the first is taken out of the second
//	make                        what profiles await is made, and on its way
//	rebuild                     it arrives, and what else profiles await after unmerges is made from the log
//	devices N USER              the user views lamp on N devices, USER000 …, a second apart
//	expect WHAT = WORDS         see expectation
//
// WHO is a user, #device, or user#device. Events are received in the order of the
// lines, at the latest time seen so far.
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
			s := &scenario{world: newWorld(t, Default())}
			for n, line := range strings.Split(string(b), "\n") {
				line, _, _ = strings.Cut(line, "//")
				words := strings.Fields(line)
				if len(words) == 0 || words[0][0] == '#' && len(words) > 0 {
					if strings.HasPrefix(line, "# ---") { // a new story in the same file
						s = &scenario{world: newWorld(t, Default())}
					}
					continue
				}
				if err := s.play(words); err != nil {
					t.Errorf("%s:%d: %v", file, n+1, err)
				}
			}
		})
	}
}

type scenario struct {
	*world
	last    data.Event
	outcome Outcome
	seen    int // changes already expected
	made    []data.Event
}

var verbs = map[string]string{
	"views": "Product Viewed", "clicks": "Product Clicked", "adds": "Product Added", "buys": "Order Completed",
	"rates": "Item Rated", "hides": "Feedback Given", "identifies": "Identify", "reads": "Article Read",
}

func (s *scenario) play(words []string) error {
	switch words[0] {
	case "at":
		at, rest, err := clock(words[1:])
		if err != nil {
			return err
		}
		user, device, _ := strings.Cut(rest[0], "#")
		name, ok := verbs[rest[1]]
		if !ok {
			return fmt.Errorf("unknown verb %q", rest[1])
		}
		e := s.event(at, data.UserID(user), data.AnonymousID(device), name)
		stale := data.ProfileID("")
		if n := len(rest); n > 3 && rest[n-2] == "at" {
			stale, rest = s.id(rest[n-1]), rest[:n-2]
		}
		for _, item := range rest[2:] {
			if v, err := strconv.ParseFloat(item, 64); err == nil {
				e.Value = v
				continue
			}
			e.Items = append(e.Items, data.EventItem{ID: data.ItemID(item)})
		}
		if rest[1] == "hides" {
			e.Props = []byte(`{"feedback":"hide"}`)
		}
		if rest[1] == "identifies" {
			e.Type, e.Items = data.Identify, nil
			for _, trait := range rest[2:] {
				name, value, _ := strings.Cut(trait, "=")
				e.Traits = fmt.Appendf(nil, "{%q:%q}", name, value)
			}
		}
		s.last = e
		if e = s.route(e); stale != "" {
			e.Profile = stale
		}
		s.outcome = s.fold(e)
	case "again":
		s.outcome = s.fold(s.route(s.last))
	case "tick":
		at, _, err := clock(words[1:])
		if err != nil {
			return err
		}
		s.tick(at)
	case "erase":
		s.outcome = s.fold(data.Event{V: 1, ID: "erase", Source: "kindred", Type: data.System, Name: data.SysDelete,
			Profile: data.NewProfileID(data.IDUser, words[1]), Times: data.Times{Event: s.received, Received: s.received}})
	case "alias":
		s.ask(NewAlias(s.id(words[1]), s.id(words[2])))
	case "unmerge":
		s.ask(NewUnmerge(s.id(words[2]), s.id(words[1])))
	case "make":
		s.made = s.shares()
	case "rebuild":
		for _, e := range append(s.made, s.shares()...) {
			s.outcome = s.fold(e)
		}
		s.made = nil
	case "devices":
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		for i := range n {
			e := s.event(s.received.Add(time.Second), data.UserID(words[2]), data.AnonymousID(fmt.Sprintf("%s%03d", words[2], i)), "Product Viewed", data.EventItem{ID: "lamp"})
			s.outcome = s.fold(s.route(e))
		}
	case "expect":
		i := slices.Index(words, "=")
		if i < 0 {
			return fmt.Errorf("expect without =")
		}
		got, err := s.expectation(words[1:i])
		if err != nil {
			return err
		}
		if want := strings.Join(words[i+1:], " "); got != want {
			return fmt.Errorf("%s = %q, want %q", strings.Join(words[1:i], " "), got, want)
		}
	default:
		return fmt.Errorf("unknown line %q", words[0])
	}
	return nil
}

// expectation reads one of: outcome · dead (letters so far) · changes (new since the last time) · session
// WHO · previous WHO · sessions WHO · history WHO · recent WHO · ids WHO · redirect
// WHO · count WHO ACT WINDOW · weight WHO ITEM · hidden WHO · apart WHO WHO · awaits
// WHO · merges WHO · traits WHO · listed WHO KIND.
func (s *scenario) expectation(words []string) (string, error) {
	switch words[0] {
	case "outcome":
		return s.outcome.String(), nil
	case "dead":
		return strconv.Itoa(len(s.dead)), nil
	case "changes":
		var out []string
		for _, c := range s.changes[s.seen:] {
			out = append(out, c.Type)
		}
		s.seen = len(s.changes)
		return strings.Join(out, " "), nil
	}
	p := s.who(words[1])
	switch words[0] {
	case "session":
		return show(p.Session), nil
	case "previous":
		return show(p.Previous), nil
	case "sessions":
		return strconv.Itoa(int(p.Sessions)), nil
	case "history":
		var out []string
		for _, h := range p.History {
			out = append(out, string(h.Item))
		}
		return strings.Join(out, " "), nil
	case "recent":
		var out []string
		for _, r := range p.Recent {
			out = append(out, string(r.Item))
		}
		return strings.Join(out, " "), nil
	case "ids":
		var out []string
		for _, id := range p.Identity {
			out = append(out, string(id.Kind)+"/"+id.ID)
		}
		return strings.Join(out, " "), nil
	case "redirect":
		for _, name := range []string{"ann", "bob", "eve"} {
			if p.Redirect == data.NewProfileID(data.IDUser, name) {
				return name, nil
			}
		}
		return string(p.Redirect), nil
	case "apart":
		return map[stand]string{strange: "strange", joined: "no", apart: "yes"}[standing(&p, s.id(words[2]))], nil
	case "awaits":
		return map[bool]string{true: "yes", false: "no"}[Awaited(p)], nil
	case "merges":
		return strconv.Itoa(merges(&p)), nil
	case "traits":
		var out []string
		for _, trait := range p.Traits {
			out = append(out, trait.Name+"="+string(trait.Value))
		}
		return strings.Join(out, " "), nil
	case "listed": // how many identifiers of a kind
		n := 0
		for _, id := range p.Identity {
			if string(id.Kind) == words[2] {
				n++
			}
		}
		return strconv.Itoa(n), nil
	case "hidden":
		return strings.Trim(fmt.Sprint(Hidden(p)), "[]"), nil
	case "weight":
		for _, h := range p.History {
			if string(h.Item) == words[2] {
				return strconv.FormatFloat(h.Weight, 'g', -1, 64), nil
			}
		}
		return "none", nil
	case "count":
		for _, a := range acts {
			if a.name == words[2] {
				over, err := time.ParseDuration(words[3])
				return strconv.Itoa(Count(p, Window{a.kind, over}, s.m.State.Now)), err
			}
		}
	}
	return "", fmt.Errorf("unknown expectation %q", words)
}

// ask folds what an operator asks for.
func (s *scenario) ask(e data.Event) {
	s.sent++
	e.ID, e.Times = fmt.Sprintf("k%04d", s.sent), data.Times{Event: s.received, Received: s.received}
	s.outcome = s.fold(e)
}

// id is the profile that a user or a #device opens.
func (s *scenario) id(who string) data.ProfileID {
	if device, ok := strings.CutPrefix(who, "#"); ok {
		return data.NewProfileID(data.IDAnonymous, device)
	}
	return data.NewProfileID(data.IDUser, who)
}

func (s *scenario) who(who string) data.Profile { return s.profile(s.id(who)) }

func show(x data.Session) string {
	if x.Events == 0 {
		return "none"
	}
	state := "open"
	if x.Closed {
		state = "closed"
	}
	return fmt.Sprintf("%s to %s, %d events, %s", time.UnixMilli(x.Start).UTC().Format("15:04"),
		time.UnixMilli(x.End).UTC().Format("15:04"), x.Events, state)
}

// clock reads "12:00", "12:00:30" or "-1d 12:00".
func clock(words []string) (time.Time, []string, error) {
	day := noon.Truncate(24 * time.Hour)
	if n, ok := strings.CutSuffix(words[0], "d"); ok {
		shift, err := strconv.Atoi(n)
		if err != nil {
			return day, nil, err
		}
		day, words = day.AddDate(0, 0, shift), words[1:]
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, words[0]); err == nil {
			return day.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second), words[1:], nil
		}
	}
	return day, nil, fmt.Errorf("%q is no time", words[0])
}
