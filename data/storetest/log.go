package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
)

// LogStore is a partitioned log, as this suite needs it.
type LogStore interface {
	Append(ctx context.Context, recs []data.Record) error
	Read(ctx context.Context, partition int32, from int64, max int) ([]data.Record, error)
	Start(partition int32) int64
	End(partition int32) int64
	Wait(ctx context.Context, partition int32, after int64) error
	Partitions() int32
	Close() error
}

// Log checks every promise of a log. Stores from open have at least two partitions.
func Log(t *testing.T, open func(t *testing.T, name string) LogStore) {
	fresh := func(t *testing.T) LogStore {
		s := open(t, t.Name())
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		return s
	}

	t.Run("an empty partition starts and ends at 0", func(t *testing.T) {
		s := fresh(t)
		for p := range s.Partitions() {
			if s.Start(p) != 0 || s.End(p) != 0 {
				t.Errorf("partition %d: start %d, end %d; want 0, 0", p, s.Start(p), s.End(p))
			}
			if recs, err := s.Read(t.Context(), p, 0, 10); err != nil || len(recs) != 0 {
				t.Errorf("Read(%d) = %v, %v; want nothing", p, recs, err)
			}
		}
	})

	t.Run("append assigns dense offsets per partition in order", func(t *testing.T) {
		s := fresh(t)
		recs := []data.Record{value(0, "a"), value(1, "b"), value(0, "c"), value(0, "")}
		must(t, s.Append(t.Context(), recs))
		must(t, s.Append(t.Context(), []data.Record{value(1, "d")}))
		want := []int64{0, 0, 1, 2}
		for i, r := range recs {
			if r.Offset != want[i] {
				t.Errorf("record %d: offset %d, want %d", i, r.Offset, want[i])
			}
		}
		wantLog(t, s, 0, "a", "c", "")
		wantLog(t, s, 1, "b", "d")
	})

	t.Run("read gives a range and at most max", func(t *testing.T) {
		s := fresh(t)
		appendN(t, s, 0, 10)
		recs, err := s.Read(t.Context(), 0, 3, 4)
		must(t, err)
		if len(recs) != 4 || recs[0].Offset != 3 || recs[3].Offset != 6 || recs[0].Partition != 0 {
			t.Fatalf("Read(from 3, max 4) = %v", recs)
		}
		if recs, err := s.Read(t.Context(), 0, 10, 4); err != nil || len(recs) != 0 {
			t.Errorf("Read at the end = %v, %v; want nothing", recs, err)
		}
		if recs, err := s.Read(t.Context(), 0, 99, 4); err != nil || len(recs) != 0 {
			t.Errorf("Read beyond the end = %v, %v; want nothing", recs, err)
		}
		if _, err := s.Read(t.Context(), 0, 0, 0); err == nil {
			t.Error("Read with max 0: no error")
		}
		if _, err := s.Read(t.Context(), 0, -1, 1); err == nil {
			t.Error("Read before the start: no error")
		}
	})

	t.Run("a value belongs to who reads it and to who wrote it", func(t *testing.T) {
		s := fresh(t)
		in := []byte("kept")
		must(t, s.Append(t.Context(), []data.Record{{Value: in}}))
		copy(in, "XXXX")
		recs, err := s.Read(t.Context(), 0, 0, 1)
		must(t, err)
		copy(recs[0].Value, "YYYY")
		wantLog(t, s, 0, "kept")
	})

	t.Run("an unknown partition is an error and writes nothing", func(t *testing.T) {
		s := fresh(t)
		for _, p := range []int32{-1, s.Partitions()} {
			if err := s.Append(t.Context(), []data.Record{value(0, "a"), value(p, "b")}); err == nil {
				t.Errorf("Append to partition %d: no error", p)
			}
			if _, err := s.Read(t.Context(), p, 0, 1); err == nil {
				t.Errorf("Read of partition %d: no error", p)
			}
		}
		wantLog(t, s, 0)
	})

	t.Run("nothing to append is no error", func(t *testing.T) {
		must(t, fresh(t).Append(t.Context(), nil))
	})

	t.Run("a cancelled append says so and writes nothing", func(t *testing.T) {
		s := fresh(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Append(ctx, []data.Record{value(0, "a")}); !errors.Is(err, context.Canceled) {
			t.Errorf("Append = %v, want context.Canceled", err)
		}
		wantLog(t, s, 0)
	})

	t.Run("wait returns when the end has passed the offset", func(t *testing.T) {
		s := fresh(t)
		woken := make(chan error, 1)
		go func() { woken <- s.Wait(t.Context(), 1, 1) }()
		must(t, s.Append(t.Context(), []data.Record{value(0, "other partition")}))
		must(t, s.Append(t.Context(), []data.Record{value(1, "a")})) // end 1: not yet
		must(t, s.Append(t.Context(), []data.Record{value(1, "b")}))
		if err := <-woken; err != nil || s.End(1) != 2 {
			t.Errorf("Wait = %v with end %d; want nil with 2", err, s.End(1))
		}
		must(t, s.Wait(t.Context(), 1, 0))
	})

	t.Run("wait ends with its context", func(t *testing.T) {
		s := fresh(t)
		ctx, cancel := context.WithCancel(t.Context())
		woken := make(chan error, 1)
		go func() { woken <- s.Wait(ctx, 0, 0) }()
		cancel()
		if err := <-woken; !errors.Is(err, context.Canceled) {
			t.Errorf("Wait = %v, want context.Canceled", err)
		}
	})

	t.Run("a closed store refuses, and wakes who waits", func(t *testing.T) {
		s := open(t, t.Name())
		woken := make(chan error, 1)
		go func() { woken <- s.Wait(context.Background(), 0, 0) }()
		must(t, s.Close())
		if err := <-woken; !errors.Is(err, data.ErrClosed) {
			t.Errorf("Wait = %v, want ErrClosed", err)
		}
		if err := s.Append(t.Context(), []data.Record{value(0, "a")}); !errors.Is(err, data.ErrClosed) {
			t.Errorf("Append = %v, want ErrClosed", err)
		}
		if _, err := s.Read(t.Context(), 0, 0, 1); !errors.Is(err, data.ErrClosed) {
			t.Errorf("Read = %v, want ErrClosed", err)
		}
		must(t, s.Close())
	})

	t.Run("what was acknowledged is there after opening again, and offsets go on", func(t *testing.T) {
		s := open(t, t.Name())
		appendN(t, s, 1, 5)
		must(t, s.Close())
		s = fresh(t)
		if s.End(1) != 5 || s.End(0) != 0 {
			t.Fatalf("ends %d, %d; want 0, 5", s.End(0), s.End(1))
		}
		appendN(t, s, 1, 1)
		if s.End(1) != 6 {
			t.Errorf("end %d after one more, want 6", s.End(1))
		}
	})

	t.Run("concurrent appends are atomic, complete and dense", func(t *testing.T) {
		s := fresh(t)
		const writers, calls = 8, 25
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for c := range calls {
					name := fmt.Sprintf("%d/%d", w, c)
					err := s.Append(t.Context(), []data.Record{value(0, name+"/first"), value(1, name), value(0, name+"/second")})
					if err != nil {
						t.Errorf("Append: %v", err)
					}
				}
			})
		}
		wg.Wait()
		recs := readAll(t, s, 0)
		if len(recs) != 2*writers*calls {
			t.Fatalf("%d records, want %d", len(recs), 2*writers*calls)
		}
		seen := map[string]int{}
		for i := 0; i < len(recs); i += 2 {
			first, second := string(recs[i].Value), string(recs[i+1].Value)
			if name := first[:len(first)-len("/first")]; second != name+"/second" {
				t.Fatalf("records %d and %d are %q and %q: an append was split", i, i+1, first, second)
			}
			seen[first]++
		}
		if len(seen) != writers*calls {
			t.Errorf("%d different appends, want %d", len(seen), writers*calls)
		}
	})

	t.Run("any sequence of appends reads back as a list would", func(t *testing.T) {
		s := fresh(t)
		want := make([][]string, s.Partitions()) // the textbook twin
		rapid.Check(t, func(rt *rapid.T) {
			batch := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) data.Record {
				return data.Record{
					Partition: rapid.Int32Range(0, s.Partitions()-1).Draw(rt, "partition"),
					Value:     rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "value"),
				}
			}), 1, 5).Draw(rt, "batch")
			must(t, s.Append(t.Context(), batch))
			for _, r := range batch {
				if r.Offset != int64(len(want[r.Partition])) {
					rt.Fatalf("offset %d, want %d", r.Offset, len(want[r.Partition]))
				}
				want[r.Partition] = append(want[r.Partition], string(r.Value))
			}
		})
		for p := range s.Partitions() {
			wantLog(t, s, p, want[p]...)
		}
	})
}

func value(partition int32, v string) data.Record {
	return data.Record{Partition: partition, Value: []byte(v)}
}

func appendN(t *testing.T, s LogStore, partition int32, n int) {
	t.Helper()
	recs := make([]data.Record, n)
	for i := range recs {
		recs[i] = value(partition, fmt.Sprint(i))
	}
	must(t, s.Append(t.Context(), recs))
}

// readAll reads a partition in small steps and checks the positions.
func readAll(t *testing.T, s LogStore, partition int32) (all []data.Record) {
	t.Helper()
	for {
		recs, err := s.Read(t.Context(), partition, int64(len(all)), 7)
		must(t, err)
		if len(recs) == 0 {
			return all
		}
		for _, r := range recs {
			if r.Partition != partition || r.Offset != int64(len(all)) {
				t.Fatalf("read (%d, %d), want (%d, %d)", r.Partition, r.Offset, partition, len(all))
			}
			all = append(all, r)
		}
	}
}

func wantLog(t *testing.T, s LogStore, partition int32, want ...string) {
	t.Helper()
	got := []string{}
	for _, r := range readAll(t, s, partition) {
		got = append(got, string(r.Value))
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("partition %d (-want +got):\n%s", partition, diff)
	}
	if s.End(partition) != int64(len(want)) {
		t.Errorf("partition %d: end %d, want %d", partition, s.End(partition), len(want))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
