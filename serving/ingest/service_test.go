package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kindred/data"
	"kindred/data/event"
	"kindred/serving/ingest"
	"kindred/serving/online"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logbook is a log in memory.
type logbook struct {
	mu      sync.Mutex
	events  []data.Event
	appends int
	dead    []data.DeadLetter
	refuse  error
}

func (l *logbook) Append(_ context.Context, recs []data.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return l.refuse
	}
	l.appends++
	for i := range recs {
		e, err := event.Open(recs[i].Value)
		if err != nil {
			return err
		}
		recs[i].Offset = int64(len(l.events))
		l.events = append(l.events, e)
	}
	return nil
}

// written is how many writes the log has had, and the events in it.
func (l *logbook) written() (appends, events int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.appends, len(l.events)
}

func (l *logbook) AppendDead(_ context.Context, letters []data.DeadLetter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = append(l.dead, letters...)
	return l.refuse
}

type index map[string]data.ProfileID

func (x index) Lookup(_ context.Context, kind data.IDKind, id string) (data.ProfileID, error) {
	if p, ok := x[string(kind)+"/"+id]; ok {
		return p, nil
	}
	return "", data.ErrNotFound
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func service(l *logbook, x index, cfg ingest.Config) (*ingest.Service, *online.Acks) {
	acks := online.NewAcks(100, make([]int64, 4), func(int32) int64 { return 0 })
	n := 0
	return ingest.New(cfg, ingest.Deps{
		Log: l, Index: x, Acks: acks, Partitions: 4, Now: func() time.Time { return noon },
		NewID: func() string { n++; return fmt.Sprintf("fresh-%d", n) },
		Facets: func(id data.ItemID) map[string][]string {
			if id == "lamp" {
				return map[string][]string{"category": {"Light"}}
			}
			if id == "rich" { // eight long tags, full of what JSON escapes
				return map[string][]string{"tag": slices.Repeat([]string{strings.Repeat(`"`, 250)}, 8)}
			}
			return nil
		},
	}), acks
}

func accept(t *testing.T, s *ingest.Service, body string) (ingest.Result, error) {
	t.Helper()
	b, err := ingest.ParseBody([]byte(body), "", 1<<20, 100)
	if err != nil {
		t.Fatal(err)
	}
	return s.Accept(t.Context(), b, ingest.Caller{Source: "shop"})
}

func TestCallsBecomeRoutedAndEnrichedEvents(t *testing.T) {
	l := &logbook{}
	owner := data.NewProfileID(data.IDUser, "bob")
	s, acks := service(l, index{"anon/shared": owner}, ingest.Default())
	got, err := accept(t, s, `{"batch":[
		{"type":"track","event":"Product Viewed","userId":"ann","anonymousId":"new","messageId":"1","properties":{"product_id":"lamp"}},
		{"type":"track","event":"Product Viewed","userId":"ann","anonymousId":"shared","messageId":"2","properties":{"product_id":"desk","category":"Home"}},
		{"type":"track","event":"Product Viewed","userId":"undefined"},
		{"type":"track","userId":"ann"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if got.Accepted != 2 || len(got.Rejected) != 2 || got.Rejected[0].Index != 2 || got.Rejected[1].Index != 3 {
		t.Errorf("result = %+v, want calls 0 and 1 accepted", got)
	}
	if p := l.events[0].Profile; p != data.NewProfileID(data.IDAnonymous, "new") {
		t.Errorf("a fresh visitor's event went to %s, want the visitor's profile", p)
	}
	if p := l.events[1].Profile; p != data.NewProfileID(data.IDUser, "ann") {
		t.Errorf("an event on a shared device went to %s, want the user's profile", p)
	}
	if diff := cmp.Diff(map[string][]string{"category": {"Light"}}, l.events[0].Items[0].Facets); diff != "" {
		t.Errorf("facets from the catalog: %s", diff)
	}
	if diff := cmp.Diff(map[string][]string{"category": {"Home"}}, l.events[1].Items[0].Facets); diff != "" {
		t.Errorf("facets of an item the catalog does not have: %s", diff)
	}
	if l.events[0].Source != "shop" || !l.events[0].Times.Received.Equal(noon) {
		t.Errorf("event = %+v", l.events[0])
	}
	if len(l.dead) != 2 || l.dead[0].Source != "shop" || !strings.Contains(l.dead[0].Reason, "no usable user id") {
		t.Errorf("dead letters = %+v", l.dead)
	}
	if len(acks.Of(online.Identifiers(data.IDs{User: "ann"}))) == 0 {
		t.Error("the positions of ann's events are not noted")
	}
}

// TestEnrichingKeepsAnEventWithinWhatTheLogHolds: the logbook refuses what could
// not be read back.
func TestEnrichingKeepsAnEventWithinWhatTheLogHolds(t *testing.T) {
	l := &logbook{}
	s, _ := service(l, nil, ingest.Default())
	products := strings.TrimSuffix(strings.Repeat(`{"product_id":"rich"},`, 1000), ",")
	if _, err := accept(t, s, `{"batch":[{"type":"track","event":"Order Completed","userId":"ann","properties":{"products":[`+products+`]}}]}`); err != nil {
		t.Fatal(err)
	}
	items := l.events[0].Items
	if len(items) != 1000 || items[0].Facets == nil || items[999].Facets != nil {
		t.Errorf("%d items, facets on the first: %v, on the last: %v; want 1000, true, false", len(items), items[0].Facets != nil, items[999].Facets != nil)
	}
}

func TestAFullLogIsOverload(t *testing.T) {
	s, _ := service(&logbook{refuse: data.ErrOverloaded}, index{}, ingest.Default())
	if _, err := accept(t, s, `{"batch":[{"type":"track","event":"x","userId":"a"}]}`); !errors.Is(err, data.ErrOverloaded) {
		t.Errorf("Accept = %v, want ErrOverloaded", err)
	}
	if _, err := accept(t, s, `{"batch":[{"type":"track"}]}`); !errors.Is(err, data.ErrOverloaded) {
		t.Errorf("a reject that cannot be kept: %v, want ErrOverloaded", err)
	}
	if c := s.Counts(); c.Accepted != 0 {
		t.Errorf("counts = %+v", c)
	}
}

func TestABodySentAgainAfterOverloadLeavesItsRejectsOnce(t *testing.T) {
	l := &logbook{refuse: data.ErrOverloaded}
	s, _ := service(l, index{}, ingest.Default())
	body := `{"batch":[{"type":"track"},{"type":"track","event":"x","userId":"a","messageId":"1"}]}`
	for range 3 {
		if _, err := accept(t, s, body); !errors.Is(err, data.ErrOverloaded) {
			t.Fatalf("Accept = %v, want ErrOverloaded", err)
		}
	}
	l.refuse = nil
	if _, err := accept(t, s, body); err != nil {
		t.Fatal(err)
	}
	if len(l.dead) != 1 || len(l.events) != 1 {
		t.Errorf("%d dead letters and %d events, want one of each", len(l.dead), len(l.events))
	}
}

func TestTraitsThatNoEventCanHoldAreRefused(t *testing.T) {
	for name, traits := range map[string]any{
		"too deep":  json.RawMessage(strings.Repeat("[", 100) + strings.Repeat("]", 100)),
		"too large": strings.Repeat("x", 40_000),
		"no JSON":   func() {},
	} {
		t.Run(name, func(t *testing.T) {
			l := &logbook{}
			s, _ := service(l, index{}, ingest.Default())
			err := s.Identify(t.Context(), []data.User{{ID: "ann"}, {ID: "bob", Traits: map[string]any{"a": traits}}})
			var refused *ingest.UserError
			if !errors.As(err, &refused) || refused.Index != 1 || refused.User != "bob" {
				t.Errorf("Identify = %v, want a UserError about bob", err)
			}
			if len(l.events) != 0 {
				t.Errorf("%d events were logged, want none", len(l.events))
			}
		})
	}
}

func TestImpressionsNeverWaitAndAreDrainedAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &logbook{}
		cfg := ingest.Default()
		cfg.ImpressionQueue = 3
		s, _ := service(l, index{}, cfg)
		for i := range 5 { // nobody is reading the queue yet
			s.Show("p", data.IDs{}, data.Shown{Request: fmt.Sprint(i), Model: "m-1", Items: []data.ShownItem{{Item: "a", Position: 1}}}, []byte(`{"page":"/"}`))
		}
		if c := s.Counts(); c.ShownDropped != 2 || c.ShownWaiting != 3 {
			t.Errorf("counts = %+v, want 3 waiting and 2 dropped", c)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop() // Run must still log what waits
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if len(l.events) != 3 || l.events[0].Name != data.SysImpression || l.events[0].Shown.Request != "0" || string(l.events[0].Ctx) != `{"page":"/"}` {
			t.Errorf("events = %+v", l.events)
		}
		if c := s.Counts(); c.ShownLogged != 3 {
			t.Errorf("counts = %+v", c)
		}
	})
}

func TestImpressionsLingerForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &logbook{}
		s, _ := service(l, index{}, ingest.Default())
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		show := func() { s.Show("p", data.IDs{}, data.Shown{Model: "m-1"}, nil) }
		linger := ingest.Default().ImpressionLinger
		show()
		time.Sleep(linger - time.Nanosecond)
		show()
		synctest.Wait()
		if appends, _ := l.written(); appends != 0 {
			t.Errorf("%d writes before the linger is over, want none", appends)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if appends, events := l.written(); appends != 1 || events != 2 {
			t.Errorf("%d writes of %d impressions after the linger, want 1 of 2", appends, events)
		}
		for range 256 { // a full batch waits for nobody
			show()
		}
		synctest.Wait()
		if appends, events := l.written(); appends != 2 || events != 258 {
			t.Errorf("%d writes of %d impressions, want 2 of 258", appends, events)
		}
		show()
		synctest.Wait()
		stop()
		if err := <-done; err != nil || len(l.events) != 259 {
			t.Errorf("Run = %v with %d impressions, want all 259", err, len(l.events))
		}
	})
}

func TestTwoListsOfOneRequestIDAreTwoImpressions(t *testing.T) {
	l := &logbook{}
	s, _ := service(l, index{}, ingest.Default())
	for range 2 { // the request id is the client's to choose, and to use again
		s.Show("p", data.IDs{}, data.Shown{Request: "r", Model: "m-1", Items: []data.ShownItem{{Item: "a", Position: 1}}}, nil)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(l.events) != 2 || l.events[0].ID == l.events[1].ID || l.events[0].Shown.Request != "r" || l.events[1].Shown.Request != "r" {
		t.Errorf("events = %+v, want two of their own ids about the request r", l.events)
	}
}

func TestUsersGoThroughTheLog(t *testing.T) {
	l := &logbook{}
	p := data.NewProfileID(data.IDUser, "ann")
	s, _ := service(l, index{"user/ann": p}, ingest.Default())
	if err := s.Identify(t.Context(), []data.User{{ID: "ann", Traits: map[string]any{"age": 30}}, {ID: "bob"}}); err != nil {
		t.Fatal(err)
	}
	if e := l.events[0]; e.Type != data.Identify || string(e.Traits) != `{"age":30}` || e.Profile != p {
		t.Errorf("event = %+v", e)
	}
	if err := s.DeleteUser(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if e := l.events[2]; e.Name != data.SysDelete || e.Profile != p {
		t.Errorf("event = %+v", e)
	}
	if err := s.DeleteUser(t.Context(), "nobody"); !errors.Is(err, data.ErrNotFound) {
		t.Errorf("deleting nobody: %v, want ErrNotFound", err)
	}
}
