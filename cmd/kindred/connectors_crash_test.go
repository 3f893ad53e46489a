package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/data/embedded"
	"kindred/serving/ingest"
	"kindred/serving/ingest/poll"
	"kindred/serving/online"
)

// until waits until ok, a minute at most.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// known reports whether the server knows the user, and how many events of the latest session it has folded.
func (r *running) known(user string) (events int, ok bool) {
	answer, err := http.Get(r.base + "/v1/profiles/" + user)
	if err != nil {
		return 0, false
	}
	defer answer.Body.Close()
	var p struct{ Session struct{ Events int } }
	if answer.StatusCode != http.StatusOK || json.NewDecoder(answer.Body).Decode(&p) != nil {
		return 0, false
	}
	return p.Session.Events, true
}

// A server is killed while it takes in a page of two thousand people, ten at a time. Whoever takes over
// reads the page again, and everybody is there exactly once.
func TestAPageThatAKilledServerLeftHalfDoneIsTakenInOnce(t *testing.T) {
	t.Parallel() // the killed one's lease has to run out
	const people = 2000
	at := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	var list []map[string]any
	for i := range people {
		list = append(list, map[string]any{"id": fmt.Sprintf("p%04d", i), "at": at, "plan": "gold"})
	}
	page, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	asked := atomic.Int32{}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Write(page)
	}))
	defer other.Close()
	dir := t.TempDir()
	file, dataDir := filepath.Join(dir, "kindred.yaml"), filepath.Join(dir, "data")
	if err := os.WriteFile(file, []byte("connectors:\n  - {name: crm, url: "+other.URL+"/people, interval: 1h, max_calls: 10, fields: {user: id, updated: at, traits: {plan: plan}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inLog := func() (n int64) {
		t.Helper()
		store, err := embedded.Open(dataDir, embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		for p := range store.Partitions() {
			n += store.End(p) - store.Start(p)
		}
		return n
	}
	s := start(t, dataDir, "--config", file)
	until(t, "p0300", func() bool { _, ok := s.known("p0300"); return ok })
	s.kill()
	if n := inLog(); n == 0 || n >= people {
		t.Fatalf("the log holds %d records; the page was not half done, so the test says nothing", n)
	}
	s = start(t, dataDir, "--config", file)
	defer s.stop()
	until(t, "the end of the page", func() bool {
		var list struct{ Connectors []poll.Status }
		s.get("/v1/connectors", &list)
		return !list.Connectors[0].LastSuccess.IsZero()
	})
	for i := range people {
		user := fmt.Sprintf("p%04d", i)
		if n, ok := s.known(user); !ok || n != 1 {
			t.Fatalf("%s: known %v, with %d events; want one", user, ok, n)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("the page was asked for %d times; want it once by each server", asked.Load())
	}
}

// What the CRM says of a person and what a browser sees them do stand in one profile, in whatever order
// they come; a CRM that fails is asked again later, and one where nothing has changed says so.
func TestACRMsTraitsAndABrowsersVisitAreOneProfile(t *testing.T) {
	var failed, conditional atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case failed.Add(1) == 1:
			http.Error(w, "not now", http.StatusServiceUnavailable)
		case r.Header.Get("If-None-Match") == `"v1"`:
			conditional.Add(1)
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", `"v1"`)
			fmt.Fprint(w, `[{"id":"ann","plan":"gold","age":41}]`)
		}
	}))
	defer other.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "kindred.yaml")
	if err := os.WriteFile(file, []byte("connectors:\n  - {name: crm, url: "+other.URL+"/people, interval: 1s, backoff_min: 1s, fields: {user: id, traits: {plan: plan, age: age}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, filepath.Join(dir, "data"), "--config", file)
	defer s.stop()
	view := func(item string) map[string]any {
		return map[string]any{"type": "track", "event": "Product Viewed", "anonymousId": "browser-1", "messageId": item, "properties": map[string]any{"product_id": item, "category": "lamps"}}
	}
	s.track("/v1/t", view("lamp"))
	s.track("/v1/i", map[string]any{"type": "identify", "anonymousId": "browser-1", "userId": "ann", "messageId": "login"})
	until(t, "the CRM's second answer", func() bool { return conditional.Load() > 0 })
	s.track("/v1/t", view("desk"))
	var p struct {
		Traits     map[string]any
		Counts     map[string]int
		Affinities map[string][]struct{ Value string }
		Items      int
	}
	s.get("/v1/profiles/ann", &p)
	if p.Traits["plan"] != "gold" || p.Traits["age"] != 41.0 || p.Counts["views_7d"] != 2 || p.Items != 2 || len(p.Affinities["category"]) != 1 {
		t.Errorf("the profile is %+v; want the CRM's traits and both views", p)
	}
	var list struct{ Connectors []poll.Status }
	s.get("/v1/connectors", &list)
	if c := list.Connectors[0]; c.Sent != 1 || c.LastError != "" || c.Runs < 3 {
		t.Errorf("status %+v; want one person sent in three runs or more, the first of which failed", c)
	}
}

// quiet is a server with a connector and nothing else, on a catalog that others may share.
func quiet(t *testing.T, dir, owner, address string, in *ingest.Service) *connectors {
	t.Helper()
	cfg := config.Default()
	catalog, err := embedded.OpenCatalog(dir, data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { catalog.Close() })
	one := poll.Default()
	one.Name, one.URL, one.Interval, one.Pages, one.Fields.Updated = "crm", address, time.Second, "link", "at"
	cfg.Connectors = []poll.Config{one}
	c, err := newConnectors(&server{node: &node{cfg: cfg, log: slog.New(slog.DiscardHandler), catalog: catalog}, owner: owner, in: in})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Two servers on one catalog: one runs the connector, the other goes on where it stopped.
func TestOfTwoServersOneRunsAConnector(t *testing.T) {
	dir := t.TempDir()
	store, err := embedded.Open(dir, embedded.Options{Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var ids atomic.Int64
	in := ingest.New(ingest.Default(), ingest.Deps{Log: store, Index: store, Acks: online.NewAcks(100, []int64{0}, func(int32) int64 { return 0 }), Partitions: 1, Now: time.Now, NewID: func() string { return fmt.Sprint(ids.Add(1)) }})
	var together, most, asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		most.Store(max(most.Load(), together.Add(1)))
		defer together.Add(-1)
		time.Sleep(20 * time.Millisecond) // so that a second one would be seen
		fmt.Fprintf(w, `[{"id":"p%d","at":%q}]`, asked.Add(1), time.Now().UTC().Format(time.RFC3339))
	}))
	defer other.Close()
	type run struct {
		*connectors
		stop func()
	}
	var runs []run
	for _, owner := range []string{"one", "two"} {
		c := quiet(t, dir, owner, other.URL, in)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { c.Run(ctx) })
		runs = append(runs, run{c, func() { cancel(); wg.Wait() }})
		defer runs[len(runs)-1].stop()
	}
	active := func() (who []int) {
		for i, r := range runs {
			if r.Status()[0].Active {
				who = append(who, i)
			}
		}
		return who
	}
	until(t, "three runs", func() bool {
		if n := len(active()); n > 1 {
			t.Fatalf("%d servers run the connector", n)
		}
		return asked.Load() >= 3
	})
	first := active()[0]
	if n := runs[1-first].Status()[0].Runs; n != 0 {
		t.Errorf("the other server ran it %d times", n)
	}
	runs[first].stop()
	until(t, "the other server", func() bool { return runs[1-first].Status()[0].Sent > 0 })
	if most.Load() != 1 {
		t.Errorf("%d asked at the same time, want one", most.Load())
	}
}

// Who has lost the lease cannot move the cursor any more.
func TestACursorIsFenced(t *testing.T) {
	dir := t.TempDir()
	c, err := embedded.OpenCatalog(dir, data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hold := func(owner string, ttl time.Duration) *places {
		t.Helper()
		l, ok, err := c.AcquireLease(t.Context(), "poll/crm", owner, ttl)
		if err != nil || !ok {
			t.Fatalf("lease: %v %v", ok, err)
		}
		p := &places{catalog: c}
		p.hold(l)
		return p
	}
	slow := hold("slow", 20*time.Millisecond)
	if err := slow.SaveCursor(t.Context(), "crm", []byte("1")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(40 * time.Millisecond) // it hangs, and its lease runs out
	next := hold("next", time.Minute)
	if err := next.SaveCursor(t.Context(), "crm", []byte("2")); err != nil {
		t.Fatal(err)
	}
	if err := slow.SaveCursor(t.Context(), "crm", []byte("1")); !errors.Is(err, data.ErrStale) {
		t.Errorf("the slow one saved its cursor: %v, want ErrStale", err)
	}
	if got, err := next.LoadCursor(t.Context(), "crm"); string(got) != "2" || err != nil {
		t.Errorf("the cursor is %q, %v; want 2", got, err)
	}
}

// Nothing secret is printed: not of connectors, nor of doors.
func TestPrintedDoorsAndConnectorsTellNoSecret(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kindred.yaml")
	if err := os.WriteFile(file, []byte(`
connectors:
  - {name: crm, url: "https://crm.example.com/people?key=sesame-1", headers: {X-Tenant: sesame-2}, secret_headers: {Authorization: "Bearer sesame-3"}}
doors:
  webhooks:
    - {source: pays, form: stripe, secrets: [sesame-4]}
    - {source: old, signature: {header: X-Sign, algorithm: sha256, encoding: hex, signed: "{body}", secrets: [sesame-5]}}
  avro: {registry: "https://schemas.example.com", authorization: "Basic sesame-6"}
http:
  keys: [{name: site, secret: sesame-7-long-enough, scopes: [ingest]}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	out := kindred(t, exitDone, "config", "print", "--config", file)
	if strings.Contains(out, "sesame") {
		t.Errorf("printed:\n%s", out)
	}
	for _, name := range []string{"crm.example.com", "X-Tenant", "pays", "schemas.example.com"} {
		if !strings.Contains(out, name) {
			t.Errorf("%s is not printed:\n%s", name, out)
		}
	}
}
