package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/identity"
	"kindred/serving/ingest"
	"kindred/serving/ingest/stage"
	"kindred/serving/online"
)

// bytesLog keeps copies of what is appended.
type bytesLog struct {
	mu   sync.Mutex
	recs []data.Record
	off  bool // keep nothing
}

func (l *bytesLog) Append(_ context.Context, recs []data.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range recs {
		recs[i].Offset = int64(len(l.recs))
		if !l.off {
			l.recs = append(l.recs, data.Record{Partition: recs[i].Partition, Value: bytes.Clone(recs[i].Value)})
		}
	}
	return nil
}

func (l *bytesLog) AppendDead(context.Context, []data.DeadLetter) error { return nil }

func bytesService(l *bytesLog, x index, stages ...stage.Stage) (*ingest.Service, *online.Acks) {
	acks := online.NewAcks(1000, make([]int64, 4), func(int32) int64 { return 0 })
	shelf := map[data.ItemID]map[string][]string{"lamp": {"category": {"Light"}, "brand": {"Acme"}}}
	return ingest.New(ingest.Default(), ingest.Deps{
		Log: l, Index: x, Acks: acks, Partitions: 4, Now: func() time.Time { return noon }, NewID: func() string { return "fresh" },
		Facets: func(id data.ItemID) map[string][]string { return shelf[id] }, Stages: stages,
	}), acks
}

// shopCalls are n calls of several people, of all the sorts that take another way.
func shopCalls(n int) []string {
	calls := make([]string, n)
	for i := range calls {
		who := fmt.Sprintf(`"userId":"u%d","anonymousId":"a%d"`, i/2%7, i%5)
		if i%10 > 7 { // two people in turn on one device, and then the device alone
			who = [...]string{`"userId":"ann","anonymousId":"a1"`, `"userId":"bob","anonymousId":"a1"`, `"anonymousId":"a1"`}[i%3]
		}
		switch i % 6 {
		case 0:
			calls[i] = fmt.Sprintf(`{"type":"track","event":"Product Viewed","messageId":"m%d",%s,"properties":{"product_id":"lamp","category":"own"},"context":{"timezone":"UTC"}}`, i, who)
		case 1:
			calls[i] = fmt.Sprintf(`{"type": "page", "messageId": "m%d", %s, "properties": {"sku": "desk", "tags": ["x", "y"]}, "name": "Desk"}`, i, who)
		case 2:
			calls[i] = fmt.Sprintf(`{"type":"track","\u0065vent":"x","messageId":"m%d",%s}`, i, who) // for the general parser
		case 3:
			calls[i] = fmt.Sprintf(`{"type":"track","event":"Order Completed",%s,"timestamp":"2026-11-20T11:59:00Z","properties":{"products":[{"sku":"lamp","price":%d},{"sku":"chair"}]},"z":%d}`, who, i, i)
		case 4:
			calls[i] = fmt.Sprintf(`{"type":"track","messageId":"m%d",%s}`, i, who) // refused
		case 5:
			calls[i] = fmt.Sprintf(`{"type":"identify","messageId":"m%d",%s,"traits":{"n":%d}}`, i, who, i)
		}
	}
	return calls
}

// textbook is the way of one call: parse, make canonical, enrich, route, seal.
func textbook(t *testing.T, x index, raw string) (data.Record, bool) {
	t.Helper()
	c, err := event.ParseCall([]byte(raw), "")
	if err != nil {
		t.Fatal(err)
	}
	cfg := ingest.Default()
	e, err := c.Canonical(event.Intake{Space: string(cfg.Space), Source: "shop", Env: cfg.Env, Received: noon, MaxAge: cfg.MaxEventAge, NewID: func() string { return "fresh" }})
	if err != nil {
		return data.Record{}, false
	}
	for i := range e.Items {
		if e.Items[i].ID == "lamp" {
			e.Items[i].Facets = map[string][]string{"category": {"Light"}, "brand": {"Acme"}}
		}
	}
	e.Profile, err = identity.Route(e.IDs, func(kind data.IDKind, id string) (data.ProfileID, error) {
		return x.Lookup(context.Background(), kind, id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return data.Record{Partition: data.PartitionOf(string(e.Profile), 4), Value: event.Seal(e)}, true
}

func TestAcceptWritesTheRecordsOfTheTextbook(t *testing.T) {
	x := index{"anon/a1": data.NewProfileID(data.IDUser, "u3"), "user/u2": "p2"}
	calls := shopCalls(60)
	l := &bytesLog{}
	s, _ := bytesService(l, x)
	for size := 1; size <= len(calls); size += 13 { // the same memory for requests of many sizes
		l.recs = nil
		result, err := accept(t, s, `{"batch":[`+strings.Join(calls[:size], ",")+`]}`)
		if err != nil {
			t.Fatal(err)
		}
		var want []data.Record
		for _, raw := range calls[:size] {
			if r, ok := textbook(t, x, raw); ok {
				want = append(want, r)
			}
		}
		if len(l.recs) != len(want) || result.Accepted != len(want) || result.Accepted+len(result.Rejected) != size {
			t.Fatalf("%d records, accepted %d, rejected %d of %d; want %d", len(l.recs), result.Accepted, len(result.Rejected), size, len(want))
		}
		for i, r := range l.recs {
			if r.Partition != want[i].Partition || !bytes.Equal(r.Value, want[i].Value) {
				t.Fatalf("record %d is\n%d %q, want\n%d %q", i, r.Partition, r.Value, want[i].Partition, want[i].Value)
			}
		}
	}
}

// TestAcceptKeepsNothingOfTheBody: the memory of a request is used again while
// others are under way.
func TestAcceptKeepsNothingOfTheBody(t *testing.T) {
	l := &bytesLog{}
	s, acks := bytesService(l, nil)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			buf := make([]byte, 0, 4096)
			for i := range 50 {
				buf = fmt.Appendf(buf[:0], `{"batch":[{"type":"page","messageId":"m","userId":"w%d-%d","name":"n%d"},{"type":"page","userId":"w%d-%d","messageId":"n","z":%d}]}`, worker, i, i, worker, i, i)
				body, err := ingest.ParseBody(buf, "", 1<<20, 100)
				if err == nil {
					_, err = s.Accept(t.Context(), body, ingest.Caller{Source: "shop"})
				}
				if err != nil {
					t.Error(err)
				}
				clear(buf)
			}
		})
	}
	wg.Wait()
	seen := map[data.UserID]int{}
	for _, r := range l.recs {
		e, err := event.Open(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		seen[e.IDs.User]++
	}
	for worker := range 4 {
		for i := range 50 {
			user := data.UserID(fmt.Sprintf("w%d-%d", worker, i))
			if seen[user] != 2 {
				t.Errorf("%d events of %s", seen[user], user)
			}
			if len(acks.Of(online.Identifiers(data.IDs{User: user}))) == 0 {
				t.Errorf("the positions of %s are not noted", user)
			}
		}
	}
}

func TestAnAcceptedCallCostsNoAllocation(t *testing.T) {
	var calls []string
	for i := range 100 {
		calls = append(calls, fmt.Sprintf(`{"type":"track","event":"Product Viewed","messageId":"m%d","userId":"u%d","properties":{"product_id":"lamp"},"context":{"timezone":"UTC"}}`, i, i%20))
	}
	raw := []byte(`{"batch":[` + strings.Join(calls, ",") + `]}`)
	x := index{}
	for i := range 20 {
		x[fmt.Sprintf("user/u%d", i)] = data.ProfileID(fmt.Sprint("p", i))
	}
	s, _ := bytesService(&bytesLog{off: true}, x)
	n := testing.AllocsPerRun(50, func() {
		body, err := ingest.ParseBody(raw, "", 1<<20, 100)
		if err == nil {
			_, err = s.Accept(t.Context(), body, ingest.Caller{Source: "shop"})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if n > 90 { // a handful; the pool drops some memory under -race
		t.Errorf("%v allocations for 100 calls", n)
	}
}

func TestAFailingIndexFailsTheRequest(t *testing.T) {
	l := &bytesLog{}
	s := ingest.New(ingest.Default(), ingest.Deps{Log: l, Index: awayIndex{}, Acks: online.NewAcks(1, make([]int64, 4), func(int32) int64 { return 0 }),
		Partitions: 4, Now: func() time.Time { return noon }, NewID: func() string { return "x" }, Facets: func(data.ItemID) map[string][]string { return nil }})
	if _, err := accept(t, s, `{"batch":[{"type":"page","userId":"u"}]}`); !errors.Is(err, errAway) || len(l.recs) > 0 {
		t.Errorf("error = %v, %d records", err, len(l.recs))
	}
}

var errAway = errors.New("away")

type awayIndex struct{}

func (awayIndex) Lookup(context.Context, data.IDKind, string) (data.ProfileID, error) {
	return "", errAway
}
