package httpapi_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"kindred/serving/live/livetest"
)

// BenchmarkFreshness sends a person's event and asks for their recommendations, through
// the handler, the log on disk, the fold and the store. fresh is the time from the
// acknowledgement to an answer that reflects the event: 10 items with reasons, out of
// 10,000, by all four components, als with 64 factors. ack is the batch itself, which
// waits for the disk.
func BenchmarkFreshness(b *testing.B) {
	shop := livetest.New(10_000)
	encoded, err := shop.Model(b, 9_900, 64).Encode()
	if err != nil {
		b.Fatal(err)
	}
	for _, history := range []int{50, 500} {
		b.Run(fmt.Sprintf("history=%d", history), func(b *testing.B) {
			h := open(b, nil)
			if err := h.catalog.PutItems(b.Context(), shop.Items); err != nil {
				b.Fatal(err)
			}
			h.promote("m-1", encoded)
			const people = 32
			var newest [people]string // the first item of each person's list
			list := func(p int) []string {
				a := h.do("GET", fmt.Sprintf("/v1/recommendations/p%d", p), "").list()
				if a.Stale || len(a.Items) != 10 || len(a.Components) != 4 {
					b.Fatalf("person %d got %+v", p, a)
				}
				return idsOf(a)
			}
			for p := range people {
				var calls []string
				for i, item := range shop.Taste(p, history) {
					calls = append(calls, call("Product Viewed", fmt.Sprint("p", p), "", string(livetest.ID(item)), fmt.Sprintf("%d/%d", p, i)))
				}
				h.do("POST", "/v1/batch", batch(calls...)).want(200)
				newest[p] = list(p)[0]
			}
			var acks, fresh []time.Duration
			for i := 0; b.Loop(); i++ {
				p := i % people
				body := batch(call("Product Viewed", fmt.Sprint("p", p), "", newest[p], fmt.Sprint("n", i)))
				start := time.Now()
				h.do("POST", "/v1/batch", body).want(200)
				acked := time.Now()
				reply := h.do("GET", fmt.Sprintf("/v1/recommendations/p%d", p), "")
				done := time.Now()
				items := idsOf(reply.list())
				if len(items) != 10 || slices.Contains(items, newest[p]) {
					b.Fatalf("the answer after a view of %s is %v", newest[p], items)
				}
				newest[p] = items[0]
				acks, fresh = append(acks, acked.Sub(start)), append(fresh, done.Sub(acked))
			}
			livetest.Percentiles(b, "ack", acks)
			livetest.Percentiles(b, "fresh", fresh)
		})
	}
}
