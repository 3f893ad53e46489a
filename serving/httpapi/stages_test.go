package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/plan"
	"kindred/serving/ingest/tail"
)

// chrome is what a browser sends beside its calls.
var chrome = []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "Origin", "https://shop.example"}

// file writes a file of a test's and returns its path.
func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rewrite changes a file and its time, which is what is looked at.
func rewrite(t testing.TB, path, text string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	later := info.ModTime().Add(time.Second)
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, later, later)); err != nil {
		t.Fatal(err)
	}
}

// cleaner is a clean-up with the default settings, changed.
func cleaner(t testing.TB, change func(*clean.Config)) *clean.Cleaner {
	t.Helper()
	cfg := clean.Default()
	change(&cfg)
	c, err := clean.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// planned is a stage of a plan in a file, and a function that mends the file.
func planned(t testing.TB, text string) (*plan.Stage, func(string)) {
	t.Helper()
	cfg := plan.Default()
	cfg.Path = file(t, "plan.yaml", text)
	s, err := plan.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, func(text string) {
		t.Helper()
		rewrite(t, cfg.Path, text)
		if changed, err := s.Refresh(); !changed || err != nil {
			t.Fatalf("Refresh = %v, %v; want the mended plan", changed, err)
		}
	}
}

// events are those that the log holds, without the fold's own.
func (h *house) events() (out []data.Event) {
	h.t.Helper()
	for p := range h.store.Partitions() {
		recs, err := h.store.Read(h.t.Context(), p, h.store.Start(p), 1000)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, r := range recs {
			e, err := event.Open(r.Value)
			if err != nil {
				h.t.Fatal(err)
			}
			if e.Type != data.System {
				out = append(out, e)
			}
		}
	}
	return out
}

// letters are the dead letters' kinds and reasons.
func (h *house) letters() (out []string) {
	h.t.Helper()
	list, err := h.store.DeadLetters(h.t.Context(), 0, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range list {
		out = append(out, l.Kind+" "+l.Reason)
	}
	return out
}

func TestThePlansModesOverHTTP(t *testing.T) {
	const text = `
plan: shop
mode: %s
unknown_events: "off"
events:
  - name: Product Viewed
    version: 2
    properties: {required: [product_id], properties: {price: {type: number}}}
`
	for _, test := range []struct{ mode, status, kind string }{
		{`"off"`, "", ""},
		{"warn", `{"ref":"Product Viewed@2","status":"invalid"}`, ""},
		{"quarantine", "", "plan.quarantine"},
		{"reject", "", "plan.reject"},
	} {
		t.Run(test.mode, func(t *testing.T) {
			stage, _ := planned(t, fmt.Sprintf(text, test.mode))
			h := open(t, func(o *overrides) { o.plan, o.tail = stage, tail.New(tail.Default(), time.Now) })
			wrong := `{"type":"track","event":"Product Viewed","userId":"ann","messageId":"1","properties":{"product_id":"lamp","price":"dear"}}`
			h.do("POST", "/v1/batch", batch(wrong, call("Product Viewed", "ann", "", "desk", "2"))).want(http.StatusOK)
			events, letters := h.events(), h.letters()
			if test.kind == "" {
				if len(events) != 2 || string(events[0].Schema) != test.status || len(letters) != 0 {
					t.Errorf("the log has %+v, the dead letters %q; want both events, the first with %s", events, letters, test.status)
				}
			} else if len(events) != 1 || events[0].ID != "2" || len(letters) != 1 || !strings.HasPrefix(letters[0], test.kind+" tracking plan: Product Viewed@2: /properties/price") {
				t.Errorf("the log has %d events, the dead letters %q; want the good event, and the other with its reason", len(events), letters)
			}
			var sources struct {
				Sources []struct{ Reasons []tail.ReasonCount }
			}
			h.do("GET", "/v1/debug/sources", "").into(&sources)
			if got := len(sources.Sources) == 1 && len(sources.Sources[0].Reasons) == 1; got != (test.kind != "") {
				t.Errorf("the debugger tells %+v", sources)
			}
			var report plan.Report
			h.do("GET", "/v1/schema/report", "").want(http.StatusOK).into(&report)
			if len(report.Events) != 1 || report.Events[0].Count != 2 || !report.Events[0].Planned {
				t.Errorf("the report is %+v, want two of one planned event", report)
			}
			metrics := h.do("GET", "/metrics", "").Body.String()
			for want, is := range map[string]bool{
				`kindred_dead_letters_total{kind="` + test.kind + `"} 1`:                                                     test.kind != "",
				`kindred_plan_refused_total{event="Product Viewed",mode="` + strings.TrimPrefix(test.kind, "plan.") + `"} 1`: test.kind != "",
				`kindred_plan_events_total{event="Product Viewed",status="invalid"} 1`:                                       test.mode != `"off"`,
				`kindred_plan_violations_total{event="Product Viewed",rule="type"} 1`:                                        test.mode != `"off"`,
			} {
				if strings.Contains(metrics, want) != is {
					t.Errorf("metrics have %s: %v, want %v", want, !is, is)
				}
			}
		})
	}
}

func TestAMappingOfASourceChangesWhatTheProfileShows(t *testing.T) {
	rules := file(t, "rules.yaml", `
mappings:
  site:
    - when: event.name == "article_view"
      set: {name: '"Product Viewed"', properties.product_id: properties.art_no}
    - when: event.name == "ping"
      discard: true
  other:
    - when: event.name == "article_view"
      set: {properties.product_id: '"wrong"'}
money: {fields: [preis], currency: EUR}
`)
	h := open(t, func(o *overrides) {
		withKeys(o)
		o.clean = cleaner(t, func(c *clean.Config) { c.Rules = rules })
	})
	article := `{"type":"track","event":"article_view","userId":"ann","messageId":"1","properties":{"art_no":"lamp","preis":59.9}}`
	ping := `{"type":"track","event":"ping","userId":"ann","messageId":"2"}`
	h.do("POST", "/v1/batch", batch(article, ping), "X-API-Key", "ingest-secret").want(http.StatusOK)
	if r := h.do("GET", "/v1/profiles/ann", "", "X-API-Key", "reader-secret"); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), `"lamp"`) {
		t.Errorf("the profile is %d %s, want the lamp", r.Code, r.Body)
	}
	events := h.events()
	if len(events) != 1 || events[0].Name != "Product Viewed" || !strings.Contains(string(events[0].Props), `"preis_minor":5990`) {
		t.Errorf("the log has %+v, want one product view with minor units", events)
	}
	metrics := h.do("GET", "/metrics", "", "X-API-Key", "reader-secret").Body.String()
	for _, want := range []string{`kindred_ingest_verdicts_total{kind="mapping.discard"} 1`, `kindred_clean_total{label="site[1]",what="mapping.applied"} 1`, `kindred_ingest_calls_total{result="dropped"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestAProgramIsFlaggedQuarantinedOrDropped(t *testing.T) {
	for name, test := range map[string]struct {
		change          func(*clean.Config)
		flagged, letter bool
		logged          int
	}{
		"flagged":     {func(*clean.Config) {}, true, false, 2},
		"quarantined": {func(c *clean.Config) { c.Bot.QuarantineAt = .9 }, false, true, 1},
		"dropped":     {func(c *clean.Config) { c.Bot.DropAt = .9 }, false, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, func(o *overrides) { o.clean = cleaner(t, test.change) })
			h.do("POST", "/v1/t", call("Product Viewed", "bot", "", "lamp", "1"), "User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)").want(http.StatusOK)
			h.do("POST", "/v1/t", call("Product Viewed", "ann", "", "lamp", "2"), chrome...).want(http.StatusOK)
			events, letters := h.events(), h.letters()
			flagged := slices.ContainsFunc(events, func(e data.Event) bool { return e.ID == "1" && strings.Contains(string(e.Bot), "user_agent") })
			if len(events) != test.logged || flagged != test.flagged || (len(letters) == 1) != test.letter {
				t.Errorf("the log has %+v, the dead letters %q", events, letters)
			}
			if test.letter && !strings.HasPrefix(letters[0], "bot.quarantine looks like a program's") {
				t.Errorf("the reason is %q", letters[0])
			}
			if slices.ContainsFunc(events, func(e data.Event) bool { return e.ID == "2" && e.Bot != nil }) {
				t.Error("a person is taken for a program")
			}
		})
	}
}

func TestWhatIsStoredHasTheDeviceAndAShortenedAddress(t *testing.T) {
	h := open(t, func(o *overrides) {
		o.http.TrustedProxies = []string{"192.0.2.0/24"}
		o.clean = cleaner(t, func(*clean.Config) {})
	})
	for _, from := range []string{"203.0.113.77", "2001:db8:1:2::3"} {
		h.do("POST", "/v1/t", call("Product Viewed", "ann", "", "lamp", from), append([]string{"X-Forwarded-For", from}, chrome...)...).want(http.StatusOK)
		h.do("POST", "/v1/t", `{"userId":"ann","type":"track"}`, append([]string{"X-Forwarded-For", from}, chrome...)...).want(http.StatusOK)
	}
	want := map[string]string{"203.0.113.77": `"ip":"203.0.113.0/24"`, "2001:db8:1:2::3": `"ip":"2001:db8:1::/48"`}
	for _, e := range h.events() {
		if ctx := string(e.Ctx); !strings.Contains(ctx, want[e.ID]) || strings.Contains(ctx, "113.77") || !strings.Contains(ctx, `"browser":"Chrome"`) {
			t.Errorf("the context of %s is %s", e.ID, ctx)
		}
		delete(want, e.ID)
	}
	if len(want) > 0 {
		t.Errorf("not stored: %v", want)
	}
	letters, err := h.store.DeadLetters(t.Context(), 0, 10)
	if err != nil || len(letters) != 2 || letters[0].Call.IP != "203.0.113.0/24" || letters[1].Call.IP != "2001:db8:1::/48" {
		t.Errorf("the dead letters are %+v, %v; want shortened addresses", letters, err)
	}
}

func TestClocksAreCorrectedAndWhatIsTooOldIsListed(t *testing.T) {
	h := open(t, nil)
	at := func(d time.Duration) string { return h.clock.Now().Add(d).Format(time.RFC3339Nano) }
	fast := strings.Replace(call("Product Viewed", "ann", "", "lamp", "fast"), `{`, `{"timestamp":"`+at(time.Hour-time.Minute)+`",`, 1)
	old := strings.Replace(call("Product Viewed", "ann", "", "lamp", "old"), `{`, `{"timestamp":"`+at(-8*24*time.Hour)+`",`, 1)
	h.do("POST", "/v1/batch", `{"batch":[`+fast+`],"sentAt":"`+at(time.Hour)+`"}`).want(http.StatusOK)
	h.do("POST", "/v1/batch", batch(old)).want(http.StatusOK)
	for _, e := range h.events() {
		if e.ID == "fast" && (!e.Times.Event.Equal(h.clock.Now().Add(-time.Minute)) || e.Times.SkewMS != 3_600_000) {
			t.Errorf("the event's times are %+v, want a minute ago by a clock that is an hour fast", e.Times)
		}
		if e.ID == "old" && !e.Times.Late {
			t.Errorf("the old event's times are %+v, want it late", e.Times)
		}
	}
	h.do("GET", "/v1/profiles/ann", "").want(http.StatusOK) // waits for the fold
	var late struct {
		LateEvents []struct{ Event struct{ ID string } } `json:"late_events"`
		NextCursor string                                `json:"next_cursor"`
	}
	h.do("GET", "/v1/late-events?limit=1", "").want(http.StatusOK).into(&late)
	if len(late.LateEvents) != 1 || late.LateEvents[0].Event.ID != "old" || late.NextCursor != "" {
		t.Errorf("late events: %+v", late)
	}
	h.do("GET", "/v1/late-events?cursor=bm9uc2Vuc2U", "").want(http.StatusUnprocessableEntity)
	if m := h.do("GET", "/metrics", "").Body.String(); !strings.Contains(m, `kindred_fold_outcomes_total{outcome="late"} 1`) {
		t.Error("the late event is not counted")
	}
}

func TestAFollowedStreamIsNoSlowRequest(t *testing.T) {
	h := open(t, func(o *overrides) { o.tail = tail.New(tail.Default(), time.Now) })
	h.do("GET", "/v1/debug/sources", "").want(http.StatusOK)
	ctx, stop := context.WithCancel(t.Context())
	r := httptest.NewRequest("GET", "/v1/debug/events", nil).WithContext(ctx)
	r.Host = "127.0.0.1:8080"
	w := &flushed{ResponseRecorder: httptest.NewRecorder(), stop: stop}
	if h.handler.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Fatalf("follow: %d %s", w.Code, w.Body)
	}
	m := h.do("GET", "/metrics", "").Body.String()
	if strings.Contains(m, `route="/v1/debug/events"`) || !strings.Contains(m, `route="/v1/debug/sources"`) {
		t.Error("a stream counts among the requests, or nothing does")
	}
}

// flushed gives a stream up once it has begun.
type flushed struct {
	*httptest.ResponseRecorder
	stop func()
}

func (w *flushed) Flush() { w.ResponseRecorder.Flush(); w.stop() }
