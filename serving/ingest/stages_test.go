package ingest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/ingest"
	"kindred/serving/ingest/quota"
	"kindred/serving/ingest/stage"
	"kindred/serving/online"
)

// staged is a stage made of a function.
type staged func(e *data.Event, from *stage.Caller) stage.Verdict

func (f staged) Apply(e *data.Event, from *stage.Caller) stage.Verdict { return f(e, from) }

func TestStagesChangeDropAndRefuse(t *testing.T) {
	l := &logbook{}
	var met []string
	mark := staged(func(e *data.Event, from *stage.Caller) stage.Verdict {
		met = append(met, e.Name+" of "+from.Source)
		const bot = `{"score":1}`
		e.Bot = json.RawMessage(append(from.Room(len(bot))[:0], bot...))
		return stage.Verdict{}
	})
	judge := staged(func(e *data.Event, _ *stage.Caller) stage.Verdict {
		switch e.Name {
		case "Noise":
			return stage.Verdict{Fate: stage.Drop, Reason: "nobody asked", Kind: "noise"}
		case "Wrong":
			return stage.Verdict{Fate: stage.Refuse, Reason: "properties.price is a text; use a number", Kind: "plan.reject"}
		}
		return stage.Verdict{}
	})
	s := ingest.New(ingest.Default(), ingest.Deps{
		Log: l, Index: index{}, Acks: online.NewAcks(100, make([]int64, 4), func(int32) int64 { return 0 }), Partitions: 4,
		Now: func() time.Time { return noon }, NewID: func() string { return "fresh" },
		Facets: func(data.ItemID) map[string][]string { return nil }, Stages: []stage.Stage{mark, judge},
	})
	body, err := ingest.ParseBody([]byte(`{"batch":[
		{"type":"track","event":"Kept","userId":"ann"},{"type":"track","event":"Noise","userId":"ann"},
		{"type":"track","event":"Wrong","userId":"bob"},{"type":"track","event":"Kept","userId":"bob"}]}`), "", 1e5, 100)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Accept(t.Context(), body, ingest.Caller{Source: "shop"})
	if err != nil || r.Accepted != 2 || r.Dropped != 1 || len(r.Rejected) != 1 || r.Rejected[0].Index != 2 {
		t.Fatalf("Accept = %+v, %v; want two kept, one dropped, the third refused", r, err)
	}
	if len(met) != 4 || met[1] != "Noise of shop" {
		t.Errorf("the stages met %q", met)
	}
	if len(l.events) != 2 || string(l.events[0].Bot) != `{"score":1}` || l.events[1].IDs.User != "bob" {
		t.Errorf("the log has %+v", l.events)
	}
	if len(l.dead) != 1 || l.dead[0].Reason != "properties.price is a text; use a number" {
		t.Errorf("dead letters: %+v", l.dead)
	}
	if v := s.Verdicts(); v["noise"] != 1 || v["plan.reject"] != 1 || s.Counts().Dropped != 1 {
		t.Errorf("verdicts %v, counts %+v", v, s.Counts())
	}
}

func TestABodyThatTheLogRefusesDoesNotCountAgainstItsKey(t *testing.T) {
	limits := quota.Default()
	limits.Source = quota.Rate{PerSecond: .001, Burst: 2}
	l := &logbook{refuse: data.ErrOverloaded}
	s := ingest.New(ingest.Default(), ingest.Deps{
		Log: l, Index: index{}, Acks: online.NewAcks(100, make([]int64, 4), func(int32) int64 { return 0 }), Partitions: 4,
		Now: func() time.Time { return noon }, NewID: func() string { return "fresh" },
		Facets: func(data.ItemID) map[string][]string { return nil }, Quota: quota.New(limits, func() time.Time { return noon }),
	})
	two := `{"batch":[{"type":"track","event":"Seen","userId":"ann"},{"type":"track","event":"Seen","userId":"ann"}]}`
	for range 3 {
		if _, err := accept(t, s, two); !errors.Is(err, data.ErrOverloaded) || errors.As(err, new(*ingest.OverloadedError)) {
			t.Fatalf("Accept = %v, want the log's refusal and not the limit's", err)
		}
	}
	l.refuse = nil
	if r, err := accept(t, s, two); err != nil || r.Accepted != 2 {
		t.Errorf("Accept = %+v, %v; want both", r, err)
	}
	var limit *ingest.OverloadedError
	if _, err := accept(t, s, two); !errors.As(err, &limit) || limit.Seconds() < 2 {
		t.Errorf("Accept = %v, want the limit's refusal", err)
	}
}

// A batch's calls of one person are looked up once: a refused call in between is not that person's.
func TestACallBehindARefusedOneIsItsOwnPersons(t *testing.T) {
	limits := quota.Default()
	limits.Users = quota.Rate{PerSecond: .0001, Burst: 1}
	l := &logbook{}
	s := ingest.New(ingest.Default(), ingest.Deps{
		Log: l, Index: index{"anon/x": data.NewProfileID(data.IDUser, "owner")}, Acks: online.NewAcks(100, make([]int64, 4), func(int32) int64 { return 0 }), Partitions: 4,
		Now: func() time.Time { return noon }, NewID: func() string { return "fresh" },
		Facets: func(data.ItemID) map[string][]string { return nil }, Quota: quota.New(limits, func() time.Time { return noon }),
	})
	seen := func(user string) string {
		return `{"type":"track","event":"Seen","userId":"` + user + `","anonymousId":"x"}`
	}
	r, err := accept(t, s, `{"batch":[`+seen("ann")+`,`+seen("bob")+`,`+seen("victim")+`,`+seen("bob")+`]}`)
	if err != nil || r.Accepted != 3 || len(r.Rejected) != 1 || r.Rejected[0].Index != 2 {
		t.Fatalf("Accept = %+v, %v; want the third user of one browser refused", r, err)
	}
	if got, want := l.events[2].Profile, data.NewProfileID(data.IDUser, "bob"); got != want {
		t.Errorf("bob's call went to %s, want %s", got, want)
	}
}

// What a body took of its people's limits is given back where the log refuses it, in
// whatever order the client's attempts come.
func TestABodyThatTheLogRefusesDoesNotCountAgainstItsPeople(t *testing.T) {
	limits := quota.Default()
	limits.Person, limits.PersonHard, limits.Users = quota.Rate{PerSecond: .001, Burst: 3}, quota.Rate{PerSecond: .001, Burst: 4}, quota.Rate{PerSecond: .001, Burst: 2}
	l := &logbook{refuse: data.ErrOverloaded}
	s := ingest.New(ingest.Default(), ingest.Deps{
		Log: l, Index: index{}, Acks: online.NewAcks(100, make([]int64, 4), func(int32) int64 { return 0 }), Partitions: 4,
		Now: func() time.Time { return noon }, NewID: func() string { return "fresh" },
		Facets: func(data.ItemID) map[string][]string { return nil }, Quota: quota.New(limits, func() time.Time { return noon }),
	})
	const call = `{"type":"track","event":"Seen","userId":"%","anonymousId":"x"}`
	body := `{"batch":[` + strings.ReplaceAll(call, "%", "ann") + "," + strings.ReplaceAll(call, "%", "bob") + "," + strings.ReplaceAll(call, "%", "ann") + `]}`
	for range 5 {
		if _, err := accept(t, s, body); !errors.Is(err, data.ErrOverloaded) {
			t.Fatalf("Accept = %v, want the log's refusal", err)
		}
	}
	l.refuse = nil
	r, err := accept(t, s, body)
	if err != nil || r.Accepted != 3 {
		t.Fatalf("Accept = %+v, %v; want all three", r, err)
	}
	for i, e := range l.events {
		if e.Bot != nil {
			t.Errorf("event %d is flagged: %s", i, e.Bot)
		}
	}
	if r, err := accept(t, s, body); err != nil || r.Accepted != 1 { // ann is still the last
		t.Errorf("Accept = %+v, %v; want what the limits leave", r, err)
	}
}
