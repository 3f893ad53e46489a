package load

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"
)

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// bodies renders the ingest batches among the first n operations.
func bodies(cfg Config, n int64) (out [][]byte) {
	r := newRenderer(NewStream(cfg), "h:1")
	for i := range n {
		if op := r.stream.Op(i); op.Kind == Ingest {
			r.batch(op, noon())
			out = append(out, bytes.Clone(r.post("/v1/batch", 0)))
		}
	}
	return out
}

func TestTheStreamIsAFunctionOfTheSeed(t *testing.T) {
	cfg := Default()
	cfg.Duplicates, cfg.Late, cfg.Skewed, cfg.Bots, cfg.Run = .2, .1, .1, .1, "r"
	first := bodies(cfg, 50)
	for i, b := range bodies(cfg, 50) {
		if !bytes.Equal(b, first[i]) {
			t.Fatalf("batch %d differs between two streams of one seed", i)
		}
	}
	cfg.Seed++
	if bytes.Equal(bytes.Join(bodies(cfg, 50), nil), bytes.Join(first, nil)) {
		t.Error("another seed gave the same calls")
	}
	// Any order gives the same operations.
	s := NewStream(cfg)
	last := s.Op(9)
	for i := range int64(9) {
		s.Op(i)
	}
	if s.Op(9) != last {
		t.Error("an operation depends on those asked for before")
	}
}

// sentCall is what the tests read of a call.
type sentCall struct {
	Type, Event, MessageID, UserID, Timestamp string
	Properties                                map[string]any
	Context                                   struct{ UserAgent string }
}

// decoded are the calls of a request with a batch.
func decoded(t *testing.T, request []byte) (calls []sentCall, sent time.Time) {
	t.Helper()
	_, body, _ := bytes.Cut(request, []byte("\r\n\r\n"))
	var envelope struct {
		Batch  []sentCall
		SentAt time.Time
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatalf("a batch is not JSON: %v\n%.300s", err, body)
	}
	return envelope.Batch, envelope.SentAt
}

func TestTheSharesAreThoseAskedFor(t *testing.T) {
	cfg := Default()
	cfg.Target, cfg.Duplicates, cfg.Late, cfg.Skewed, cfg.Bots, cfg.Run = "ingest", .1, .2, .3, .05, "r"
	seen := map[string]sentCall{}
	var calls, again, late, bots, batches, skewed float64
	for _, request := range bodies(cfg, 300) {
		batch, sent := decoded(t, request)
		if len(batch) != cfg.Batch {
			t.Fatalf("%d calls, want %d", len(batch), cfg.Batch)
		}
		batches++
		if !sent.Equal(noon()) {
			skewed++
			if off := sent.Sub(noon()).Abs(); off < time.Minute || off > 24*time.Hour {
				t.Errorf("a clock is off by %v", off)
			}
		}
		for _, c := range batch {
			calls++
			if first, ok := seen[c.MessageID]; ok {
				again++
				if first.UserID != c.UserID || first.Event != c.Event || first.Properties["product_id"] != c.Properties["product_id"] {
					t.Errorf("%s was sent again as something else", c.MessageID)
				}
				continue
			}
			seen[c.MessageID] = c
			at, err := time.Parse(time.RFC3339, c.Timestamp)
			if err != nil || c.Type != "track" || len(c.MessageID) >= 100 {
				t.Fatalf("call %+v: %v", c, err)
			}
			if age := sent.Sub(at); age > 0 {
				late++
				if age < time.Minute || age > 14*24*time.Hour {
					t.Errorf("a late call is %v old", age)
				}
			}
			if c.Context.UserAgent == crawler {
				bots++
			}
		}
	}
	fresh := calls - again
	for _, share := range []struct {
		name      string
		got, want float64
	}{
		{"duplicates", again / calls, cfg.Duplicates}, {"late", late / fresh, cfg.Late * (1 - cfg.Bots)},
		{"skewed", skewed / batches, cfg.Skewed}, {"bots", bots / fresh, cfg.Bots},
	} {
		if math.Abs(share.got-share.want) > .15*share.want {
			t.Errorf("%s: a share of %.3f, want %.3f", share.name, share.got, share.want)
		}
	}
}

func TestTheMixIsTheOneAskedFor(t *testing.T) {
	cfg := Default()
	cfg.Mix = Mix{Ingest: 1, Recommend: 3}
	s := NewStream(cfg)
	var counts [Kinds]int
	for i := range int64(10_000) {
		counts[s.Op(i).Kind]++
	}
	if counts[Noop] != 0 || counts[Freshness] != 0 || math.Abs(float64(counts[Ingest])-2500) > 150 {
		t.Errorf("kinds %v, want a quarter ingest and the rest recommendations", counts)
	}
	for _, target := range Targets() {
		cfg.Target = target
		if op := NewStream(cfg).Op(7); target != Mixed && op.Kind.String() != target {
			t.Errorf("target %s sends %v", target, op.Kind)
		}
	}
}

func TestDistinctAsksForEverybodyOnce(t *testing.T) {
	cfg := Default()
	cfg.Target, cfg.People, cfg.Distinct = "recommendations", 1000, true
	s, seen := NewStream(cfg), map[int]bool{}
	for i := range int64(1000) {
		seen[s.Op(i).Person] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 requests for %d of 1000 people", len(seen))
	}
	cfg.First = 990
	if s := NewStream(cfg); s.Op(0).Person != 990 || s.Op(10).Person != 0 {
		t.Errorf("it begins with %d and comes to %d tenth; want 990, 0", s.Op(0).Person, s.Op(10).Person)
	}
}

func BenchmarkBatch(b *testing.B) {
	cfg := Default()
	cfg.Target, cfg.Duplicates, cfg.Run = "ingest", .01, "r"
	r := newRenderer(NewStream(cfg), "h:1")
	r.batch(Op{}, noon())
	b.SetBytes(int64(len(r.body)))
	b.ReportAllocs()
	i := int64(0)
	for b.Loop() {
		i++
		r.batch(Op{Index: i, Kind: Ingest}, noon())
	}
}
