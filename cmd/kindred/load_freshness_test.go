package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"kindred/cmd/internal/config"
	"kindred/cmd/internal/load/madeup"
	"kindred/data"
	"kindred/serving/ingest"
	"kindred/serving/online"
	"kindred/serving/recommend"
)

// BenchmarkFreshnessInProcess is an event on its way into a recommendation, in one
// process and without HTTP: p50-ms and p99-ms are from the acknowledgement of a
// person's view to a list of 100 out of 100,000 items × 64 that no longer has the item.
// "half" is beside two callers that ask for other people's lists half of the time.
func BenchmarkFreshnessInProcess(b *testing.B) {
	c := madeup.Default()
	c.Items, c.Neighbours, c.Now = 100_000, 50, time.Now()
	if testing.Short() {
		c.Items = 2000
	}
	cfg := config.Default()
	cfg.Data = b.TempDir()
	if _, err := madeup.Write(b.Context(), cfg.Data, c); err != nil {
		b.Fatal(err)
	}
	s, stop := inProcess(b, cfg)
	defer stop()
	service := recommend.New(cfg.Recommend, recommend.Deps{
		People:    online.NewReader(cfg.Online, s.store, s.worker, s.store, s.store.Partitions(), s.acks),
		Snapshots: s.live, Counters: s.worker.Popularity(), Impressions: s.in, Now: time.Now,
	})
	const people = 1000
	views := 0
	for p := range people {
		var calls [][]byte
		for i := range 20 {
			calls = append(calls, view(p, fmt.Sprint("item-", 1+(p*31+i*977)%c.Items), fmt.Sprint("h", i)))
		}
		accept(b, s, calls...)
	}
	for _, busy := range []int{0, 2} {
		b.Run(map[int]string{0: "alone", 2: "half"}[busy], func(b *testing.B) {
			other, done := context.WithCancel(b.Context())
			var others sync.WaitGroup
			for i := range busy {
				random := rand.New(rand.NewPCG(uint64(i), 1))
				others.Go(func() {
					for other.Err() == nil {
						began := time.Now()
						list(b, service, people/2+random.IntN(people/2)) // stale or not
						select {
						case <-other.Done():
						case <-time.After(time.Since(began)):
						}
					}
				})
			}
			var took []time.Duration
			stale := 0
			for b.Loop() {
				views++ // a message id that came before, in another round, would be a duplicate
				p := views % (people / 2)
				before, _ := list(b, service, p)
				newest := before[0]
				accept(b, s, view(p, string(newest), fmt.Sprint("v", views)))
				acknowledged := time.Now()
				now, late := list(b, service, p)
				took = append(took, time.Since(acknowledged))
				if late {
					stale++
				} else if slices.Contains(now, newest) {
					b.Fatalf("the list after a view of %s still has it", newest)
				}
			}
			done()
			others.Wait()
			slices.Sort(took)
			at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))]) / 1e6 }
			b.ReportMetric(at(.5), "p50-ms")
			b.ReportMetric(at(.99), "p99-ms")
			b.ReportMetric(float64(stale), "stale")
		})
	}
}

// inProcess is a running server; nobody connects to its port.
func inProcess(b *testing.B, cfg config.Config) (s *server, stop func()) {
	n, err := newNode(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan *server, 1), make(chan error, 1)
	go func() { ended <- n.serve(ctx, l, func(s *server) { ready <- s }) }()
	select {
	case s = <-ready:
	case err := <-ended:
		b.Fatal(err)
	}
	return s, func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		if err := n.close(); err != nil {
			b.Error(err)
		}
	}
}

// view is a person's call.
func view(person int, item, id string) []byte {
	return fmt.Appendf(nil, `{"type":"track","event":"Product Viewed","messageId":"%d-%s","userId":"p%d","properties":{"product_id":%q}}`, person, id, person, item)
}

// accept has calls acknowledged.
func accept(b *testing.B, s *server, calls ...[]byte) {
	text := []byte(`{"batch":[`)
	for i, c := range calls {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, c...)
	}
	body, err := ingest.ParseBody(append(text, `]}`...), data.EventType(""), 1<<20, 1000)
	if err != nil {
		b.Fatal(err)
	}
	if r, err := s.in.Accept(b.Context(), body, ingest.Caller{Source: "bench"}); err != nil || r.Accepted != len(calls) {
		b.Fatalf("%d of %d accepted, %v", r.Accepted, len(calls), err)
	}
}

// list asks for a person's 100 items, and says whether the answer admits to lack
// their newest events.
func list(b *testing.B, service *recommend.Service, person int) (ids []data.ItemID, stale bool) {
	a, err := service.Recommend(context.Background(), recommend.Request{ID: "r", IDs: data.IDs{User: data.UserID(fmt.Sprint("p", person))}, N: 100})
	if err != nil || len(a.Items) == 0 {
		b.Errorf("%d items, %v", len(a.Items), err)
		return []data.ItemID{""}, true
	}
	for _, it := range a.Items {
		ids = append(ids, it.ID)
	}
	return ids, a.Stale
}
