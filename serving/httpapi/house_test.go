package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/features"
	analyze "kindred/features/content"
	"kindred/features/segment"
	"kindred/features/stream"
	"kindred/model/als"
	"kindred/model/artifact"
	"kindred/model/cluster"
	"kindred/model/content"
	"kindred/model/itemitem"
	"kindred/model/popular"
	"kindred/model/sparse"
	"kindred/model/vocab"
	"kindred/serving/changes"
	"kindred/serving/httpapi"
	"kindred/serving/ingest"
	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/door"
	"kindred/serving/ingest/plan"
	"kindred/serving/ingest/quota"
	"kindred/serving/ingest/stage"
	"kindred/serving/ingest/tail"
	"kindred/serving/live"
	"kindred/serving/members"
	"kindred/serving/notify"
	"kindred/serving/online"
	"kindred/serving/recommend"
	"kindred/serving/segments"
)

// clock is a fixed time that tests move.
type clock struct{ ms atomic.Int64 }

func (c *clock) Now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) Advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// shelf keeps artifacts in memory.
type artifacts struct {
	mu sync.Mutex
	by map[string][]byte
}

func (a *artifacts) Artifact(_ context.Context, version string) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.by[version]
	if !ok {
		return nil, fmt.Errorf("artifact %q: %w", version, data.ErrNotFound)
	}
	return b, nil
}

func (a *artifacts) put(version string, b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by[version] = b
}

// house is a whole server on the real embedded stores and the real stream.
type house struct {
	members   *members.Members
	webhooks  *notify.Dispatcher
	t         testing.TB
	clock     *clock
	store     *embedded.Store
	catalog   *embedded.Catalog
	worker    *stream.Worker
	live      *live.Live
	ingest    *ingest.Service
	segments  *segments.Service
	artifacts *artifacts
	handler   http.Handler
}

// overrides change what a house is made of.
type overrides struct {
	http  httpapi.Config
	train func(context.Context) (data.Job, error)
	log   func(ingest.Log) ingest.Log
	check []httpapi.Check
	state func(stream.State) stream.State
	wait  time.Duration // of reads for the fold
	quota *quota.Guard
	tail  *tail.Tail
	doors *door.Doors
	// of webhooks that changes are sent to
	notify notify.Config
	clean  *clean.Cleaner
	plan   *plan.Stage
	// of the HTTP server alone; nil is the house's clock and no log
	now    func() time.Time
	logger *slog.Logger
}

// stages are those that there are, in the server's order.
func (o *overrides) stages() (list []stage.Stage) {
	if o.clean != nil {
		list = append(list, o.clean)
	}
	if o.plan != nil {
		list = append(list, o.plan)
	}
	return list
}

func open(t testing.TB, change func(*overrides)) *house {
	t.Helper()
	o := overrides{http: httpapi.Default(), state: func(s stream.State) stream.State { return s }, wait: 10 * time.Second, // slow machines; TestAnAnswerSaysThatItIsStale has its own
		log: func(l ingest.Log) ingest.Log { return l }}
	if change != nil {
		change(&o)
	}
	h := &house{t: t, clock: &clock{}, artifacts: &artifacts{by: map[string][]byte{}}}
	h.clock.ms.Store(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).UnixMilli())
	dir := t.TempDir()
	var err error
	if h.store, err = embedded.Open(dir, embedded.Options{Partitions: 4}); err != nil {
		t.Fatal(err)
	}
	if h.catalog, err = embedded.OpenCatalog(dir, data.DefaultSpace); err != nil {
		t.Fatal(err)
	}
	shelf := segments.NewShelf(h.catalog, features.Default().MaxEventAge.Milliseconds())
	if h.worker, err = stream.New(stream.Options{Log: h.store, State: o.state(h.store), Partitions: 4, Now: h.clock.Now, Clusterers: h.clusters, Rules: rulesOf(shelf)}); err != nil {
		t.Fatal(err)
	}
	h.segments = segments.New(segments.Default(), segments.Deps{Catalog: h.catalog, Shelf: shelf, Worker: h.worker, Log: h.store, Profiles: h.store, Partitions: 4,
		Features: features.Default(), Clusterers: h.clusters, Now: h.clock.Now, Logger: o.logger})
	h.live = live.New(live.Default(), live.Deps{
		Models: h.catalog, Artifacts: h.artifacts, Items: h.catalog, Decode: live.DecodeArtifact,
		Published: h.worker.PublishModel, Now: h.clock.Now,
	})
	ends := make([]int64, 4)
	for p := range ends {
		ends[p] = h.store.End(int32(p))
	}
	acks := online.NewAcks(1000, ends, h.worker.Folded)
	reading := online.Default()
	reading.Wait = o.wait
	people := online.NewReader(reading, h.store, h.worker, h.store, 4, acks)
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id-%06d", ids.Add(1)) }
	h.ingest = ingest.New(ingest.Default(), ingest.Deps{
		Log: o.log(h.store), Index: h.store, Acks: acks, Partitions: 4, Now: h.clock.Now, NewID: newID, Quota: o.quota, Tail: o.tail, Stages: o.stages(),
		Facets: func(id data.ItemID) map[string][]string { return h.live.Load().Facets(id) },
	})
	service := recommend.New(recommend.Default(), recommend.Deps{
		People: people, Snapshots: h.live, Counters: h.worker.Popularity(), Impressions: h.ingest, Segments: h.segments.Names, Now: h.clock.Now,
	})
	if o.now == nil {
		o.now = h.clock.Now
	}
	feed := changes.New(h.store, h.worker, h.store, 4, time.Millisecond)
	h.members = members.New(members.Default(), members.Deps{Feed: feed, Checkpoints: embedded.OpenCheckpoints(dir, data.DefaultSpace), Now: h.clock.Now})
	if h.webhooks, err = notify.New(o.notify, notify.Deps{Feed: feed, Places: &places{}, Dead: h.store, Now: time.Now, Jitter: func() float64 { return 0 }}); err != nil {
		t.Fatal(err)
	}
	h.handler, err = httpapi.New(o.http, httpapi.Deps{
		Recommend: service, Segments: h.segments, Live: h.live, Ingest: h.ingest, People: people, Acks: acks, Catalog: h.catalog, Users: h.store, Dead: h.store, Records: h.store, Clean: o.clean, Plan: o.plan,
		Folds: h.worker, Train: o.train, Doors: o.doors, ClusterMargin: features.Default().ClusterMargin, Checks: o.check, Version: "test", Now: o.now, NewID: newID, Logger: o.logger,
		Changes: feed, Members: h.members, Webhooks: h.webhooks,
		Pages: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "page "+r.URL.Path) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.worker.Run(ctx); err != nil {
			t.Errorf("worker: %v", err)
		}
	})
	running.Go(func() { h.ingest.Run(ctx) })
	running.Go(func() { feed.Run(ctx) })
	running.Go(func() { h.members.Run(ctx) })
	running.Go(func() { h.webhooks.Run(ctx) })
	running.Go(func() { h.segments.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		h.catalog.Close()
		h.store.Close()
	})
	return h
}

// rulesOf finds the rules of the catalog's versions, and of others those of the tests.
func rulesOf(shelf *segments.Shelf) features.Rules {
	return func(ctx context.Context, version string) (*segment.Set, error) {
		if set, err := shelf.Find(ctx, version); !errors.Is(err, data.ErrNotFound) {
			return set, err
		}
		return testRules(ctx, version)
	}
}

// clusters are those of a model version, for the fold.
func (h *house) clusters(ctx context.Context, version string) (*cluster.Model, error) {
	b, err := h.artifacts.Artifact(ctx, version)
	if err != nil {
		return nil, err
	}
	bundle, err := artifact.Decode(b)
	if err != nil {
		return nil, err
	}
	return bundle.Cluster, nil
}

// movies are two groups of items that people do not mix, so that the right answer
// is plain: space-0 … space-9 and love-0 … love-9.
func movies() []data.Item {
	var items []data.Item
	for _, group := range []struct{ id, category, text string }{
		{"love", "Romance", "a wedding, a kiss and a letter"}, {"space", "Science Fiction", "a starship lost among the planets"},
	} {
		for i := range 10 {
			items = append(items, data.Item{
				ID: data.ItemID(fmt.Sprintf("%s-%d", group.id, i)), Title: fmt.Sprintf("%s %d", strings.ToUpper(group.id), i),
				Text: group.text, Categories: []string{group.category}, Price: float64(i + 1),
			})
		}
	}
	return items
}

// train makes the artifact of a model of movies; seed tells versions apart.
func train(t testing.TB, seed uint64) []byte {
	t.Helper()
	items := movies()
	keys := make([]string, len(items))
	docs := make([][]string, len(items))
	for i, it := range items {
		keys[i], docs[i] = string(it.ID), analyze.Tokens(it)
	}
	var triples []sparse.Triple
	var events []popular.Event
	const people = 40
	for p := range people {
		for i := range 10 {
			if (p+i)%3 == 0 {
				continue
			}
			row := int32(p%2*10 + i)
			triples = append(triples, sparse.Triple{Row: int32(p), Col: row, Val: 1})
			events = append(events, popular.Event{Row: row, Weight: float64(1 + i), At: 1_700_000_000_000})
		}
	}
	x := sparse.FromTriples(people, len(items), triples)
	b := &artifact.Bundle{Meta: artifact.Meta{Created: time.Date(2026, 11, 20, 11, 0, 0, 0, time.UTC), Seed: seed}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	b.Items, err = vocab.New(keys)
	must(err)
	cfg := als.Default()
	cfg.Factors, cfg.Iterations, cfg.Seed = 8, 4, seed
	b.ALS, err = als.Fit(t.Context(), x, cfg, nil, nil)
	must(err)
	b.ItemItem, err = itemitem.Fit(t.Context(), x, itemitem.Default(), nil)
	must(err)
	b.Content, err = content.Fit(docs, content.Default())
	must(err)
	b.Popular = popular.Fit(len(items), events, 1_700_000_000_000, popular.Default())
	encoded, err := b.Encode()
	must(err)
	return encoded
}

// stock puts the movies into the catalog and brings them in.
func (h *house) stock() *house {
	h.t.Helper()
	if err := h.catalog.PutItems(context.Background(), movies()); err != nil {
		h.t.Fatal(err)
	}
	h.poll()
	return h
}

// publish stores and promotes a model, which then serves.
func (h *house) publish(version string, seed uint64) *house {
	h.t.Helper()
	return h.promote(version, train(h.t, seed))
}

// promote stores and promotes an artifact, which then serves.
func (h *house) promote(version string, b []byte) *house {
	h.t.Helper()
	h.artifacts.put(version, b)
	m := data.Model{Version: version, Status: data.ModelPublished, Created: h.clock.Now(), Artifact: version, Checksum: artifact.Checksum(b), Bytes: int64(len(b))}
	if err := h.catalog.PutModel(context.Background(), m); err != nil {
		h.t.Fatal(err)
	}
	if err := h.catalog.Promote(context.Background(), version); err != nil {
		h.t.Fatal(err)
	}
	h.poll()
	return h
}

func (h *house) poll() {
	h.t.Helper()
	if err := h.live.Poll(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

// reply is an answer.
type reply struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// do sends a request; headers come as name, value pairs.
func (h *house) do(method, target, body string, headers ...string) reply {
	h.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, in)
	if strings.HasPrefix(target, "/") {
		r.Host = "127.0.0.1:8080" // NewRequest's is example.com
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return reply{w, h.t}
}

// want fails unless the status is as given.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.Code != status {
		r.t.Fatalf("status = %d, want %d; body: %s", r.Code, status, r.Body)
	}
	return r
}

// into decodes the body.
func (r reply) into(v any) {
	r.t.Helper()
	d := json.NewDecoder(bytes.NewReader(r.Body.Bytes()))
	if err := d.Decode(v); err != nil {
		r.t.Fatalf("decode %s: %v", r.Body, err)
	}
}

// list is the answer's items.
func (r reply) list() recommend.Answer {
	r.t.Helper()
	var a recommend.Answer
	r.want(http.StatusOK).into(&a)
	return a
}

func idsOf(a recommend.Answer) []string {
	var out []string
	for _, it := range a.Items {
		out = append(out, string(it.ID))
	}
	return out
}

// call is one tracking call about an item.
func call(event, user, anon, item, id string) string {
	return fmt.Sprintf(`{"type":"track","event":%q,"userId":%q,"anonymousId":%q,"messageId":%q,"properties":{"product_id":%q}}`, event, user, anon, id, item)
}

// batch is a body of calls.
func batch(calls ...string) string { return `{"batch":[` + strings.Join(calls, ",") + `]}` }
