package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shop answers as the server does, as far as the load looks: it forgets nothing
// and hides what was viewed.
type shop struct {
	mu       sync.Mutex
	calls    int64
	ids      map[string]int // messageId -> how often
	seen     map[string]bool
	noops    atomic.Int64
	slow     func()                                            // in the no-op route
	batch    func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	viewable bool                                              // whether views show
	long     bool                                              // answers have more than was asked for
}

// short is how many items are asked for.
func (s *shop) short(items []string) int {
	if s.long {
		return len(items)
	}
	return min(10, len(items))
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch {
	case r.URL.Path == "/healthz":
		s.noops.Add(1)
		if s.slow != nil {
			s.slow()
		}
	case r.URL.Path == "/metrics":
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(w, "# HELP x\nprocess_cpu_seconds_total 1.5\nkindred_ingest_calls_total{result=\"accepted\"} %d\nkindred_ingest_calls_total{result=\"rejected\"} 0\n", s.calls)
	case r.URL.Path == "/v1/batch":
		if s.batch != nil && s.batch(w, r) {
			return
		}
		var b struct{ Batch []struct{ MessageID string } }
		if json.Unmarshal(body, &b) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range b.Batch {
			s.calls++
			s.ids[c.MessageID]++
		}
	case r.URL.Path == "/v1/track":
		var c struct {
			UserID     string
			Properties struct{ Product_ID string }
		}
		json.Unmarshal(body, &c)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls++
		s.seen[c.UserID+" "+c.Properties.Product_ID] = s.viewable
	case strings.HasPrefix(r.URL.Path, "/v1/recommendations/"):
		user := strings.TrimPrefix(r.URL.Path, "/v1/recommendations/")
		s.mu.Lock()
		defer s.mu.Unlock()
		var items []string
		for i := range 40 {
			if id := fmt.Sprintf("item-%d", i); !s.seen[user+" "+id] {
				items = append(items, fmt.Sprintf(`{"id":%q,"position":%d}`, id, len(items)+1))
			}
		}
		fmt.Fprintf(w, `{"user":%q,"known":%v,"stale":false,"items":[%s]}`, user, !strings.HasSuffix(user, "7"), strings.Join(items[:s.short(items)], ","))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// opened is a shop and a configuration that loads it.
func opened(t *testing.T) (*shop, Config) {
	s := &shop{ids: map[string]int{}, seen: map[string]bool{}, viewable: true}
	cfg := Default()
	cfg.Addr, cfg.People, cfg.Items, cfg.Batch, cfg.Clients, cfg.Run = on(t, s.ServeHTTP), 100, 100, 10, 3, "t"
	cfg.Duration = 200 * time.Millisecond
	return s, cfg
}

func loaded(t *testing.T, cfg Config) *Report {
	t.Helper()
	r, err := Run(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// due is how many arrivals count.
func due(cfg Config) int64 { return int64(count(cfg, cfg.Warmup, cfg.Warmup+cfg.Duration)) }

func TestEverythingDueIsAccountedFor(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target, cfg.Rate, cfg.Warmup = "noop", 500, 50*time.Millisecond
	r := loaded(t, cfg)
	k := r.Kinds[0]
	if k.Done+k.Failed+k.Unsent != due(cfg) || k.Latency.Count != due(cfg) {
		t.Errorf("%d done, %d failed, %d unsent, %d latencies; %d were due", k.Done, k.Failed, k.Unsent, k.Latency.Count, due(cfg))
	}
	if asked := int64(count(cfg, 0, cfg.Warmup+cfg.Duration)); s.noops.Load() != asked+1 { // and once before
		t.Errorf("the server was asked %d times; %d were due", s.noops.Load(), asked)
	}
}

// A server that stalls once delays whatever was due meanwhile; one that only looks
// at the requests it got would see a single slow one.
func TestAStallIsFeltByEverythingThatWasDueMeanwhile(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target, cfg.Rate, cfg.Arrivals, cfg.Clients, cfg.Duration = "noop", 200, Uniform, 1, 500*time.Millisecond
	s.slow = func() {
		if s.noops.Load() == 20 {
			time.Sleep(300 * time.Millisecond)
		}
	}
	r := loaded(t, cfg)
	late := int64(0)
	h := &r.total.kinds[Noop].latency
	for i, n := range h.counts {
		if highest(i) >= uint64(100*time.Millisecond) {
			late += n
		}
	}
	if late < 35 { // 200 a second × the 200 ms after which less than 100 ms were left
		t.Errorf("%d requests waited 100 ms or more; 40 were due in the first 200 ms of the stall", late)
	}
	if service := r.Kinds[0].Service; service.P90 >= 100 && r.Kinds[0].Latency.P90 < 100 {
		t.Errorf("service p90 %v ms above latency's %v", service.P90, r.Kinds[0].Latency.P90)
	}
}

func TestWhatWasNeverSentCountsAsWaiting(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target, cfg.Rate, cfg.Arrivals, cfg.Clients, cfg.Duration = "noop", 100, Uniform, 1, 10*time.Second
	ctx, cancel := context.WithCancel(t.Context())
	asked := false
	s.slow = func() { // the second request (the first is the preflight) hangs until the run is stopped
		if s.noops.Load() == 2 && !asked {
			asked = true
			time.Sleep(300 * time.Millisecond)
			cancel()
		}
	}
	r, err := Run(ctx, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := r.Kinds[0]
	if !r.Interrupted || k.Unsent < 25 || k.Latency.Count != k.Done+k.Unsent || k.Latency.Max < 250 {
		t.Errorf("interrupted %v, %d done, %d unsent, %d latencies up to %.0f ms; about 30 were due while nothing was answered", r.Interrupted, k.Done, k.Unsent, k.Latency.Count, k.Latency.Max)
	}
	var out strings.Builder
	if err := r.WriteTable(&out); err != nil || !strings.Contains(out.String(), "INTERRUPTED") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestTheClosedLoopCountsWhatTheServerTook(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target, cfg.Duplicates = "ingest", .3
	r := loaded(t, cfg)
	k, e := r.Kinds[0], r.Events
	if e.Acknowledged != 10*k.Done || e.Acknowledged != s.calls || *e.Taken != s.calls || e.EverAcked != s.calls || k.Done == 0 {
		t.Errorf("%d batches, %d calls acknowledged, %d ever, %d says the server's counter; it took %d", k.Done, e.Acknowledged, e.EverAcked, *e.Taken, s.calls)
	}
	if k.Statuses["200"] != k.Done || k.Failed != 0 || r.Mode != "closed" {
		t.Errorf("%+v in mode %s", k, r.Mode)
	}
	if again := 1 - float64(len(s.ids))/float64(s.calls); again < .2 || again > .4 {
		t.Errorf("a share of %.2f was sent again, want .3", again)
	}
}

func TestOverloadIsWaitedOutAsItAsks(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target, cfg.Clients, cfg.Duration = "ingest", 1, time.Minute
	ctx, enough := context.WithCancel(t.Context())
	type try struct {
		at    time.Time
		retry string
		body  string
	}
	var tries []try
	s.batch = func(w http.ResponseWriter, r *http.Request) bool {
		b, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		s.mu.Lock()
		defer s.mu.Unlock()
		tries = append(tries, try{time.Now(), r.Header.Get("X-Retry-Count"), string(b)})
		if len(tries) == 3 {
			enough()
		}
		if len(tries) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return len(tries) == 1
	}
	r, err := Run(ctx, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := r.Kinds[0]
	if len(tries) < 3 || tries[1].at.Sub(tries[0].at) < time.Second {
		t.Fatalf("%d tries, the second too early", len(tries))
	}
	if tries[1].retry != "1" || tries[0].retry != "" || tries[0].body != tries[1].body {
		t.Errorf("the second try has X-Retry-Count %q and the same body: %v", tries[1].retry, tries[0].body == tries[1].body)
	}
	if r.Events.Throttled != 1 || r.Events.Waited != 1 || k.Statuses["429"] != 1 || k.Retries != 1 || k.Failed != 0 || k.Latency.Max < 1000 {
		t.Errorf("%+v\n%+v: one 429, waited out for a second, and then taken", r.Events, k)
	}
}

func TestWhatServersRefuseIsCountedByStatus(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target = "ingest"
	s.batch = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusUnauthorized); return true }
	r := loaded(t, cfg)
	if k := r.Kinds[0]; k.Failed == 0 || k.Done != 0 || k.Statuses["401"] != k.Failed || r.Events.EverAcked != 0 {
		t.Errorf("%+v, %+v", k, r.Events)
	}
}

func TestProbesSeeWhenAnEventShows(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target, cfg.PeopleZipf = "freshness", 0
	r := loaded(t, cfg)
	if f := r.Freshness; f == nil || f.Changed.Count == 0 || f.Missed != 0 || f.Posted.P50 < f.Changed.P50 || f.Polls < f.Changed.Count {
		t.Fatalf("%+v", f)
	}
	if r.Events.EverAcked != s.calls {
		t.Errorf("%d calls acknowledged, %d taken", r.Events.EverAcked, s.calls)
	}
}

func TestWrongListsAreFoundWhereTheyAreChecked(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target, cfg.Check, cfg.PeopleZipf = "recommendations", true, 0
	if r := loaded(t, cfg); r.Kinds[0].Failed != 0 || r.Kinds[0].Done == 0 || len(r.Kinds[0].Errors) != 0 {
		t.Errorf("right lists: %+v", r.Kinds[0])
	}
	s.long = true
	if r := loaded(t, cfg); r.Kinds[0].Done != 0 || r.Kinds[0].Failed == 0 || r.Kinds[0].Errors["wrong answer: asked for 10 items, got 40"] != r.Kinds[0].Failed {
		t.Errorf("long lists: %+v", r.Kinds[0])
	}
	cfg.Check = false
	if r := loaded(t, cfg); r.Kinds[0].Failed != 0 || r.Server.Unknown == 0 || r.Server.Unknown == r.Kinds[0].Done {
		t.Errorf("unchecked: %+v, %d unknown", r.Kinds[0], r.Server.Unknown)
	}
	for want, body := range map[string]string{
		"unexpected end":      `{"user":"ann","items":[`,
		"the answer is about": `{"user":"bob","items":[]}`,
		"not the first":       `{"user":"ann","items":[{"id":"a","position":1},{"id":"a","position":2}]}`,
		"has position 3":      `{"user":"ann","items":[{"id":"a","position":1},{"id":"b","position":3}]}`,
	} {
		if err := check([]byte(body), "ann", 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

func TestPrefillGivesEverybodyTheirCalls(t *testing.T) {
	s, cfg := opened(t)
	cfg.Target, cfg.Prefill, cfg.People = "noop", 7, 150
	r := loaded(t, cfg)
	if r.Prefill == nil || !r.Prefill.Quiet || r.Prefill.QuietSeconds < quietSpan.Seconds() || r.Prefill.Calls != 1050 || len(s.ids) != 1050 || s.calls != 1050 {
		t.Errorf("%+v; the server took %d calls under %d ids, want 1050", r.Prefill, s.calls, len(s.ids))
	}
}

func TestMistakesAreErrorsBeforeAnythingIsSent(t *testing.T) {
	_, good := opened(t)
	cases := map[string]func(*Config){
		"target is":             func(c *Config) { c.Target = "x" },
		"duration is":           func(c *Config) { c.Duration = 0 },
		"batch is 2501":         func(c *Config) { c.Batch = 2501 },
		"use about":             func(c *Config) { c.Batch = 2500 },
		"late is 2":             func(c *Config) { c.Late = 2 },
		"give a rate":           func(c *Config) { c.Diurnal = time.Minute },
		"another machine's":     func(c *Config) { c.Addr = "192.0.2.1:80" },
		"no server answers":     func(c *Config) { c.Addr = "127.0.0.1:1" },
		"noop-path is":          func(c *Config) { c.NoopPath = "x" },
		"item-prefix is":        func(c *Config) { c.ItemPrefix = `"` },
		"answers 404; want 200": func(c *Config) { c.Target, c.NoopPath = "noop", "/none" },
		"use a shorter spike":   func(c *Config) { c.Rate, c.SpikeEvery = 1, time.Millisecond },
		"arrivals is":           func(c *Config) { c.Arrivals = "never" },
		"zipf exponents are":    func(c *Config) { c.ItemsZipf = -1 },
		"key has a line break":  func(c *Config) { c.Key = "a\r\nb" },
		"clients is 0":          func(c *Config) { c.Clients = 0 },
		"use 1 to 500":          func(c *Config) { c.N = 501 },
		"prefill is -1":         func(c *Config) { c.Prefill = -1 },
		"bot-ids is 0":          func(c *Config) { c.BotIDs = 0 },
		"people is 0":           func(c *Config) { c.People = 0 },
		"items is 0":            func(c *Config) { c.Items = 0 },
		"rate is -1":            func(c *Config) { c.Rate = -1 },
		"warmup is -1ns":        func(c *Config) { c.Warmup = -1 },
		"swing from 0 to 1":     func(c *Config) { c.Rate, c.Diurnal, c.DiurnalSwing = 1, 1, 2 },
	}
	for want, change := range cases {
		cfg := good
		change(&cfg)
		if _, err := Run(t.Context(), cfg, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestMixesAreRead(t *testing.T) {
	if m, err := ParseMix("ingest=10, recommendations=88,freshness=2"); err != nil || m != (Mix{Ingest: 10, Recommend: 88, Freshness: 2}) {
		t.Errorf("%v, %v", m, err)
	}
	for _, bad := range []string{"", "ingest", "ingest=x", "other=1", "ingest=0", "ingest=-1", "ingest=NaN"} {
		if m, err := ParseMix(bad); err == nil {
			t.Errorf("%q was read as %v", bad, m)
		}
	}
}

func TestCacheCountersAreFoundUnderAnyName(t *testing.T) {
	for _, names := range [][2]string{
		{`kindred_answer_cache_total{result="hit"}`, `kindred_answer_cache_total{result="miss"}`},
		{"kindred_answer_cache_hits_total", "kindred_answer_cache_misses_total"},
	} {
		at := func(hits, misses int) metrics {
			return parseMetrics(fmt.Appendf(nil, "# TYPE x\n%s %d\n%s %d\ngo_cache_hit 4\n", names[0], hits, names[1], misses))
		}
		if hits, misses, ok := at(13, 107).cache(at(3, 7)); !ok || hits != 10 || misses != 100 {
			t.Errorf("%s: %v hits, %v misses, %v", names[0], hits, misses, ok)
		}
	}
	if _, _, ok := parseMetrics([]byte("kindred_acks_cached 3\n")).cache(metrics{}); ok {
		t.Error("the acks were taken for an answer cache")
	}
}
