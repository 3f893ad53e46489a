package stream

import (
	"context"
	"syscall"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/event"
	"kindred/features/crowdtest"
)

// BenchmarkWorker folds a shop's log from the embedded store into the embedded store;
// one op is one record, from the log to a saved batch.
func BenchmarkWorker(b *testing.B) {
	cfg := crowdtest.Shop()
	cfg.People, cfg.Offset = 20_000, 1000
	s, err := embedded.Open(b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	crowd, ctx := crowdtest.New(cfg), context.Background()
	for n := 0; n < b.N; {
		var recs []data.Record
		for range min(10_000, b.N-n) {
			e := crowd.Next()
			recs = append(recs, data.Record{Partition: data.PartitionOf(string(e.Profile), s.Partitions()), Value: event.Seal(e)})
		}
		if err := s.Append(ctx, recs); err != nil {
			b.Fatal(err)
		}
		n += len(recs)
	}
	w, err := New(Options{Log: s, State: s, Partitions: s.Partitions()})
	if err != nil {
		b.Fatal(err)
	}
	cpu := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := cpu()
	b.ReportAllocs()
	b.ResetTimer()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for p := range s.Partitions() {
		if end := s.End(p); end > 0 {
			if err := w.WaitFolded(ctx, p, end-1); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
