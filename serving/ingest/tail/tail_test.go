package tail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kindred/data"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// hand is a clock that is set by hand.
type hand struct{ ns atomic.Int64 }

func (h *hand) now() time.Time          { return noon.Add(time.Duration(h.ns.Load())) }
func (h *hand) forward(d time.Duration) { h.ns.Add(int64(d)) }

func open(t testing.TB, change func(*Config)) (*Tail, *hand) {
	cfg := Default()
	change(&cfg)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	h := new(hand)
	return New(cfg, h.now), h
}

func event(h *hand, name string, user data.UserID) *data.Event {
	return &data.Event{ID: "m1", Type: data.Track, Name: name, IDs: data.IDs{User: user, Anonymous: "browser"}, Profile: "p-" + data.ProfileID(user),
		Times: data.Times{Event: h.now(), Received: h.now()}, Props: json.RawMessage(`{"product_id":"p1","email":"ann@example.com"}`)}
}

// reader reads a stream into memory.
type reader struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *reader) Write(p []byte) (int, error) { r.mu.Lock(); defer r.mu.Unlock(); return r.b.Write(p) }
func (r *reader) String() string              { r.mu.Lock(); defer r.mu.Unlock(); return r.b.String() }
func flush() error                            { return nil }

// drain is what a subscription has to read now, and the id of the last of it.
func drain(t *testing.T, s *Subscription) (text, lastID string) {
	t.Helper()
	out, missed, _ := s.tail.backlog.read(nil, s, 1<<30)
	text = string(appendMissed(out, missed, s.sampled.Swap(0)))
	if ids := regexp.MustCompile(`id: (.*)`).FindAllStringSubmatch(text, -1); len(ids) > 0 {
		lastID = ids[len(ids)-1][1]
	}
	return text, lastID
}

func TestTheNewestOfASourceAreKeptScrubbed(t *testing.T) {
	tail, h := open(t, func(c *Config) { c.Recent, c.RecentPerSecond = 3, 2 })
	s := tail.Source("web")
	for i := range 20 { // four a second
		s.Event(event(h, fmt.Sprint("Clicked ", i), "ann"))
		s.Refused(h.now(), fmt.Sprintf("field \"x%d\" is 17 bytes", i), []byte(`{"type":"track","userId":"ann","context":{"ip":"1.2.3.4"}}`))
		h.forward(250 * time.Millisecond)
	}
	tail.Source("app").Event(event(h, "Other", "bob"))
	recent := tail.Recent("web", false)
	if len(recent) != 3 || !bytes.Contains(recent[0], []byte(`"name":"Clicked 17"`)) || !bytes.Contains(recent[2], []byte("Clicked 13")) {
		t.Errorf("%s, want the first two of each second, newest first", recent)
	}
	if got := string(recent[0]); !json.Valid(recent[0]) || strings.Contains(got, "ann@") || strings.Contains(got, `"ann"`) || !strings.Contains(got, `"product_id":"p1"`) {
		t.Errorf("%s", got)
	}
	refused := tail.Recent("web", true)
	if len(refused) != 3 || !json.Valid(refused[0]) || strings.Contains(string(refused[0]), "1.2.3.4") || !strings.Contains(string(refused[0]), "bytes") {
		t.Errorf("%s", refused)
	}
	reports := tail.Sources()
	if len(reports) != 2 || reports[1].Source != "web" || reports[1].Refused != 20 || len(reports[1].Reasons) != 1 ||
		reports[1].Reasons[0].Reason != `field “…” is # bytes` {
		t.Errorf("%+v", reports)
	}
	if tail.Recent("nobody", false) != nil {
		t.Error("somebody who never came has events")
	}
}

func TestFiltersLetThroughWhatTheySay(t *testing.T) {
	tail, h := open(t, func(*Config) {})
	sub := func(f Filter) *Subscription {
		s, err := tail.Subscribe(f, "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := map[string]*Subscription{
		"A1 A2 B1 R R": sub(Filter{}), "A1 A2 R": sub(Filter{Source: "a"}), "B1 R": sub(Filter{Source: "b"}), "A2": sub(Filter{Name: "A2"}),
		"R R": sub(Filter{Refused: true}), "A1 R": sub(Filter{User: "ann"}), "A2 ": sub(Filter{Profile: "p-bob"}), "A1 A2 B1": sub(Filter{User: "browser"}),
		"A1 A2 B1 R": sub(Filter{Type: "track"}), "": sub(Filter{Type: "page"}),
	}
	tail.Source("a").Event(event(h, "A1", "ann"))
	tail.Source("a").Event(event(h, "A2", "bob"))
	tail.Source("b").Event(event(h, "B1", "eve"))
	tail.Source("a").Refused(h.now(), "R", []byte("no JSON"))
	tail.Source("b").Refused(h.now(), "R", []byte(`{"type":"track","event":"X","userId":"ann"}`))
	for names, s := range want {
		text, _ := drain(t, s)
		var got []string
		for _, m := range regexp.MustCompile(`"(?:name|reason)":"(\w+)"`).FindAllStringSubmatch(text, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != strings.TrimSpace(names) {
			t.Errorf("got %q, want %q:\n%s", got, names, text)
		}
	}
}

func TestWhoComesBackGoesOnWhereItStopped(t *testing.T) {
	tail, h := open(t, func(c *Config) { c.Backlog, c.Linger = 10, time.Minute })
	s := tail.Source("web")
	sub, _ := tail.Subscribe(Filter{}, "")
	s.Event(event(h, "Seen", "ann"))
	_, last := drain(t, sub)
	sub.Close()
	sub.Close()
	h.forward(30 * time.Second)
	s.Event(event(h, "Between", "ann"))
	again, _ := tail.Subscribe(Filter{}, last)
	text, last := drain(t, again)
	if strings.Count(text, "event: event") != 1 || !strings.Contains(text, "Between") {
		t.Errorf("came back to\n%s", text)
	}
	for i := range 15 {
		s.Event(event(h, fmt.Sprint("Many ", i), "ann"))
	}
	if text, _ := drain(t, again); !strings.Contains(text, `"slow":5`) || strings.Count(text, "event: event") != 10 {
		t.Errorf("a slow one reads\n%s", text)
	}
	for _, id := range []string{"nonsense", "x-5", tail.epoch + "-999", tail.epoch + "-1"} {
		other, _ := tail.Subscribe(Filter{}, id)
		if text, _ := drain(t, other); strings.Count(text, "event: event") != 10 || strings.Contains(text, "missed") {
			t.Errorf("%s came back to\n%s", id, text)
		}
		other.Close()
	}
	again.Close()
	h.forward(2 * time.Minute)
	before := tail.backlog.next
	s.Event(event(h, "Nobody", "ann"))
	if tail.backlog.next != before {
		t.Error("events are kept although everybody is long gone")
	}
	_ = last
}

func TestAboveTheRateEventsAreCounted(t *testing.T) {
	tail, h := open(t, func(c *Config) { c.PerSecond = 10 })
	all, _ := tail.Subscribe(Filter{}, "")
	some, _ := tail.Subscribe(Filter{Source: "web"}, "")
	for range 30 {
		tail.Source("web").Event(event(h, "E", "ann"))
	}
	for _, s := range []*Subscription{all, some} {
		if text, _ := drain(t, s); strings.Count(text, "event: event") != 10 || !strings.Contains(text, `"slow":0,"sampled":20`) {
			t.Errorf("\n%s", text)
		}
	}
}

func TestNoMoreFollowThanMay(t *testing.T) {
	tail, _ := open(t, func(c *Config) { c.MaxSubscribers = 3 })
	for range 20 { // those that went away do not count, and do not pile up
		var subs []*Subscription
		for range 3 {
			s, err := tail.Subscribe(Filter{}, "")
			if err != nil {
				t.Fatal(err)
			}
			subs = append(subs, s)
		}
		if _, err := tail.Subscribe(Filter{}, ""); !errors.Is(err, ErrTooMany) {
			t.Fatalf("a fourth: %v", err)
		}
		for _, s := range subs {
			s.Close()
		}
	}
	if n := len(*tail.subscribers.Load()); n > 6 {
		t.Errorf("%d subscriptions are remembered", n)
	}
}

func TestAStreamIsWrittenAndKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := New(Default(), time.Now)
		sub, _ := tail.Subscribe(Filter{}, "")
		ctx, cancel := context.WithCancel(t.Context())
		var out reader
		var result error
		var wg sync.WaitGroup
		wg.Go(func() { result = sub.Stream(ctx, &out, flush) })
		e := event(new(hand), "Live", "ann")
		e.Times.Received = time.Now()
		tail.Source("web").Event(e)
		synctest.Wait()
		if got := out.String(); !strings.HasPrefix(got, "retry: 2000\n") || !strings.Contains(got, "\nevent: event\ndata: {") || !strings.HasSuffix(got, "}\n\n") {
			t.Errorf("%q", got)
		}
		time.Sleep(16 * time.Second)
		if got := out.String(); strings.Count(got, ": still here\n\n") != 1 {
			t.Errorf("%q", got)
		}
		cancel()
		wg.Wait()
		if result != nil {
			t.Errorf("%v, want nil when told to stop", result)
		}
	})
}

func TestAFailedWriteEndsTheStream(t *testing.T) {
	tail, _ := open(t, func(*Config) {})
	sub, _ := tail.Subscribe(Filter{}, "")
	gone := errors.New("gone")
	if err := sub.Stream(t.Context(), new(reader), func() error { return gone }); !errors.Is(err, gone) {
		t.Errorf("%v, want %v", err, gone)
	}
}

// Whatever happens at the same time: publishers wait for nobody, each subscriber
// sees or misses each event, in order, and what it sees is whole.
func TestManyPublishAndFollowAtTheSameTime(t *testing.T) {
	tail, h := open(t, func(c *Config) { c.Backlog, c.PerSecond, c.MaxSources = 64, 1_000_000, 3 })
	var followers, publishers sync.WaitGroup
	const events, each = 4000, 4
	sub, _ := tail.Subscribe(Filter{}, "") // before the first event
	ctx, stop := context.WithCancel(t.Context())
	var out reader
	followers.Go(func() { sub.Stream(ctx, &out, flush) })
	for w := range 3 {
		followers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 2))
			for ctx.Err() == nil {
				s, err := tail.Subscribe(Filter{Source: fmt.Sprint("s", r.IntN(5))}, "")
				if err != nil {
					t.Error(err)
					return
				}
				short, cancel := context.WithTimeout(ctx, time.Millisecond)
				s.Stream(short, new(reader), flush)
				cancel()
				s.Close()
				tail.Recent("s1", r.IntN(2) == 0)
				tail.Sources()
			}
		})
	}
	for w := range each {
		publishers.Go(func() {
			for i := range events {
				s := tail.Source(fmt.Sprint("s", w))
				if i%10 == 0 {
					s.Refused(h.now(), "because", []byte(`{"a":1}`))
				} else {
					s.Event(event(h, "E", "ann"))
				}
			}
		})
	}
	publishers.Wait()
	stop()
	followers.Wait()
	rest, _ := drain(t, sub)
	text := out.String() + rest
	seen, missed := 0, 0
	var last uint64
	for _, block := range strings.Split(text, "\n\n") {
		if data, ok := strings.CutPrefix(block, "event: missed\ndata: "); ok {
			var m struct{ Slow, Sampled int }
			json.Unmarshal([]byte(data), &m)
			missed += m.Slow + m.Sampled
		} else if strings.HasPrefix(block, "id: ") {
			lines := strings.SplitN(block, "\n", 3)
			seq, ok := tail.sequence(strings.TrimPrefix(lines[0], "id: "))
			if !ok || seq <= last || !json.Valid([]byte(strings.TrimPrefix(lines[2], "data: "))) {
				t.Fatalf("after %d:\n%s", last, block)
			}
			last = seq
			seen++
		}
	}
	if seen+missed != events*each || seen == 0 {
		t.Errorf("%d seen and %d missed, want %d together", seen, missed, events*each)
	}
	if n := len(*tail.sources.Load()); n > 3 {
		t.Errorf("%d sources, want 3 at most", n)
	}
}

func TestNothingIsAllocatedForAnEvent(t *testing.T) {
	tail, h := open(t, func(c *Config) { c.RecentPerSecond, c.PerSecond = 10_000, 1_000_000 })
	s, e := tail.Source("web"), event(h, "E", "ann")
	for range 5000 {
		s.Event(e)
	}
	if n := testing.AllocsPerRun(1000, func() { s.Event(e) }); n > mostAllocations {
		t.Errorf("%v allocations without subscribers", n)
	}
	if _, err := tail.Subscribe(Filter{}, ""); err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		s.Event(e)
	}
	if n := testing.AllocsPerRun(1000, func() { s.Event(e) }); n > mostAllocations+.1 {
		t.Errorf("%v allocations with a subscriber", n)
	}
}

func TestAnEventIsAtMostSoLong(t *testing.T) {
	tail, h := open(t, func(c *Config) { c.MaxEventBytes, c.Recent = minEventBytes, 1 })
	s, e := tail.Source(strings.Repeat("é\x01", 200)), event(h, strings.Repeat("ü\"", 500), "ann")
	e.ID, e.Profile, e.IDs.Group = strings.Repeat("\\x", 90), data.ProfileID(strings.Repeat("日", 90)), "g"
	e.Props = json.RawMessage(`{"a":"` + strings.Repeat("x", 900) + `","list":[` + strings.Repeat(`"some text",`, 300) + `1]}`)
	e.Traits, e.Bot, e.Times.Event = e.Props, json.RawMessage(`{"score":1}`), noon.Add(-time.Hour)
	s.Event(e)
	s.Refused(h.now(), strings.Repeat("\x00 why", 500), e.Props)
	for _, refused := range []bool{false, true} {
		got := tail.Recent(s.name, refused)[0]
		if len(got) > minEventBytes || !json.Valid(got) || !bytes.HasSuffix(got, []byte(`,"cut":true}`)) {
			t.Errorf("%d bytes: %s", len(got), got)
		}
	}
}

func TestReasonsOfAllKindsAreBounded(t *testing.T) {
	tail, h := open(t, func(*Config) {})
	s := tail.Source("web")
	for i := range 500 {
		s.Refused(h.now(), "kind "+strings.Repeat("x", i)+" of ann@example.com", nil)
	}
	r := s.report()
	if len(r.Reasons) > maxReasons+1 || r.Refused != 500 || r.Reasons[0].Reason != "(other)" || strings.Contains(fmt.Sprint(r), "ann@") {
		t.Errorf("%d reasons, %d refused, %+v", len(r.Reasons), r.Refused, r.Reasons[0])
	}
}

func TestValidateNamesTheField(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"recent is -1; use 0":    func(c *Config) { c.Recent = -1 },
		"max_event_bytes is 100": func(c *Config) { c.MaxEventBytes = 100 },
		"linger":                 func(c *Config) { c.Linger = -1 },
		"heartbeat is 0s":        func(c *Config) { c.Heartbeat = 0 },
		`hidden has "-"`:         func(c *Config) { c.Hidden = []string{"-"} },
	} {
		cfg := Default()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func BenchmarkEventNobodyFollows(b *testing.B) {
	tail := New(Default(), time.Now)
	s, e := tail.Source("web"), event(new(hand), "E", "ann")
	b.ReportAllocs()
	for b.Loop() {
		s.Event(e)
	}
}

func BenchmarkEventFollowed(b *testing.B) {
	cfg := Default()
	cfg.PerSecond = 1_000_000
	tail := New(cfg, time.Now)
	tail.shown.perSecond = 1<<countBits - 1
	s, e := tail.Source("web"), event(new(hand), "E", "ann")
	if _, err := tail.Subscribe(Filter{}, ""); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Event(e)
	}
}
