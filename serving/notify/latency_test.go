package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/event"
	"kindred/features/segment"
	"kindred/features/stream"
	"kindred/serving/changes"
	"kindred/serving/notify"
)

// kept keeps places in memory.
type kept struct{ m sync.Map }

func (k *kept) LoadCursor(_ context.Context, name string) ([]byte, error) {
	b, _ := k.m.Load(name)
	text, _ := b.([]byte)
	return text, nil
}

func (k *kept) SaveCursor(_ context.Context, name string, state []byte) error {
	k.m.Store(name, state)
	return nil
}

// BenchmarkEventToWebhook appends 10,000 events a second to the embedded store, of which one in
// twenty lets somebody enter a segment, and reports the time from before an event's append until
// the webhook's server has its entry. The gate is p99 < 200 ms.
func BenchmarkEventToWebhook(b *testing.B) {
	const rate, every = 10_000, 10 * time.Millisecond
	store, err := embedded.Open(b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	set, err := segment.Compile(segment.Rules{Segments: []segment.Rule{{Segment: "buyers", When: `events("Order Completed").within("1h").count() > 0`}}}, segment.Default())
	if err != nil {
		b.Fatal(err)
	}
	worker, err := stream.New(stream.Options{Log: store, State: store, Partitions: store.Partitions(),
		Rules: func(context.Context, string) (*segment.Set, error) { return set, nil }})
	if err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	sent := map[data.ProfileID]time.Time{}
	var took []time.Duration
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := time.Now()
		var body notify.Body
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			b.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, c := range body.Changes {
			if at, ok := sent[c.Profile]; ok {
				took = append(took, now.Sub(at))
				delete(sent, c.Profile)
			}
		}
	}))
	defer server.Close()
	w := notify.DefaultWebhook()
	w.Name, w.URL, w.Secret, w.Segments = "bench", server.URL, "a secret of sixteen", []string{"*"}
	cfg := notify.Default()
	cfg.Webhooks = []notify.Webhook{w}
	feed := changes.New(store, worker, store, store.Partitions(), cfg.Every)
	d, err := notify.New(cfg, notify.Deps{Feed: feed, Places: &kept{}, Dead: store, Now: time.Now, Jitter: rand.Float64})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() { worker.Run(ctx) })
	all.Go(func() { feed.Run(ctx) })
	all.Go(func() { d.Run(ctx) })
	if err := worker.PublishRules(ctx, "r-1"); err != nil {
		b.Fatal(err)
	}
	if err := worker.CatchUp(ctx); err != nil {
		b.Fatal(err)
	}
	n := 0
	b.ResetTimer()
	begin := time.Now()
	for b.Loop() { // one iteration is 10 ms of load
		if rest := time.Until(begin); rest > 0 {
			time.Sleep(rest)
		}
		begin = begin.Add(every)
		now := time.Now()
		recs := make([]data.Record, 0, rate/100)
		for range rate / 100 {
			n++
			user, name := fmt.Sprint("u", n%50_000), "Product Viewed"
			if n%20 == 0 {
				user, name = fmt.Sprint("buyer", n), "Order Completed"
			}
			id := data.NewProfileID(data.IDUser, user)
			e := data.Event{V: 1, ID: fmt.Sprint("m", n), Source: "bench", Type: data.Track, Name: name, Profile: id, IDs: data.IDs{User: data.UserID(user)}}
			e.Times.Event, e.Times.Received = now, now
			if n%20 == 0 {
				mu.Lock()
				sent[id] = now
				mu.Unlock()
			}
			recs = append(recs, data.Record{Partition: data.PartitionOf(string(id), store.Partitions()), Value: event.Seal(e)})
		}
		if err := store.Append(ctx, recs); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		mu.Lock()
		left := len(sent)
		mu.Unlock()
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			b.Fatalf("%d entries never came", left)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	ms := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(ms(.5), "p50-ms")
	b.ReportMetric(ms(.99), "p99-ms")
	b.ReportMetric(ms(1), "max-ms")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
