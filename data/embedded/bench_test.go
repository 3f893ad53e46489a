package embedded_test

import (
	"context"
	"fmt"
	"testing"

	"kindred/data"
	"kindred/data/embedded"
)

// valueSize is about what a sealed product view takes.
const valueSize = 400

func benchStore(b *testing.B) *embedded.Store {
	s, err := embedded.Open(b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func batch(s *embedded.Store, n int) []data.Record {
	recs := make([]data.Record, n)
	for i := range recs {
		recs[i] = data.Record{Partition: int32(i) % s.Partitions(), Value: make([]byte, valueSize)}
	}
	return recs
}

// BenchmarkAppend is durable ingest by one caller; one op is one Append.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			s := benchStore(b)
			recs := batch(s, n)
			for b.Loop() {
				if err := s.Append(context.Background(), recs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkAppendConcurrent is 64 callers of one record each: what group commit is for.
func BenchmarkAppendConcurrent(b *testing.B) {
	s := benchStore(b)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		recs := batch(s, 1)
		for pb.Next() {
			if err := s.Append(context.Background(), recs); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkSave is one fold batch: 100 profiles of 4 kB with a dedup key, a timer
// and a counter each.
func BenchmarkSave(b *testing.B) {
	s, err := embedded.Open(b.TempDir(), embedded.Options{StateOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	cursor := int64(0)
	for b.Loop() {
		c := &data.Commit{Cursor: cursor + 100, State: make([]byte, 100), Profiles: map[data.ProfileID][]byte{},
			Dedup: map[data.DedupKey][]uint64{}, Counters: map[string][]byte{}}
		for i := range 100 {
			id := data.NewProfileID(data.IDUser, fmt.Sprint((cursor+int64(i))%5000))
			c.Profiles[id] = make([]byte, 4000)
			c.Dedup[data.DedupKey{Profile: id, Day: 20_000}] = make([]uint64, 20)
			c.SetTimers = append(c.SetTimers, data.Timer{At: cursor, Profile: id, Slot: "session"})
			c.Counters["i/"+string(id)] = make([]byte, 32)
		}
		if err := s.Save(context.Background(), 0, cursor, c); err != nil {
			b.Fatal(err)
		}
		cursor = c.Cursor
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "profiles/s")
}

// BenchmarkProfile is what a request pays to read one person.
func BenchmarkProfile(b *testing.B) {
	s, err := embedded.Open(b.TempDir(), embedded.Options{StateOnly: true, Partitions: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c := &data.Commit{Cursor: 1, Profiles: map[data.ProfileID][]byte{}}
	ids := make([]data.ProfileID, 5000)
	for i := range ids {
		ids[i] = data.NewProfileID(data.IDUser, fmt.Sprint(i))
		c.Profiles[ids[i]] = make([]byte, 4000)
	}
	if err := s.Save(context.Background(), 0, 0, c); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Profile(context.Background(), ids[i%len(ids)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCurrent is what every poll for a promotion costs.
func BenchmarkCurrent(b *testing.B) {
	c, err := embedded.OpenCatalog(b.TempDir(), data.DefaultSpace)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	if err := c.PutModel(ctx, data.Model{Version: "m-1", Artifact: "m-1"}); err != nil {
		b.Fatal(err)
	}
	if err := c.Promote(ctx, "m-1"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.Current(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutItems is a bulk import of items, 1,000 a transaction.
func BenchmarkPutItems(b *testing.B) {
	c, err := embedded.OpenCatalog(b.TempDir(), data.DefaultSpace)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	items := make([]data.Item, 1000)
	n := 0
	for b.Loop() {
		for i := range items {
			items[i] = data.Item{ID: data.ItemID(fmt.Sprint(n % 20_000)), Title: "An item", Categories: []string{"one", "two"}}
			n++
		}
		if err := c.PutItems(context.Background(), items); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
}
