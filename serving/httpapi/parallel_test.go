package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"kindred/serving/live/livetest"
)

// BenchmarkParallelRecommendations asks the handler for 1,000 people's lists on all
// processors: run it with -mutexprofile and -blockprofile to see who waits for whom.
// noop is the cheapest route, for comparison.
func BenchmarkParallelRecommendations(b *testing.B) {
	shop := livetest.New(10_000)
	encoded, err := shop.Model(b, 9_900, 64).Encode()
	if err != nil {
		b.Fatal(err)
	}
	h := open(b, nil)
	if err := h.catalog.PutItems(b.Context(), shop.Items); err != nil {
		b.Fatal(err)
	}
	h.promote("m-1", encoded)
	const people = 1000
	for p := range people {
		var calls []string
		for i, item := range shop.Taste(p, 50) {
			calls = append(calls, call("Product Viewed", fmt.Sprint("p", p), "", string(livetest.ID(item)), fmt.Sprintf("%d/%d", p, i)))
		}
		h.do("POST", "/v1/batch", batch(calls...)).want(200)
	}
	h.do("GET", "/v1/recommendations/p0", "").want(200)
	ask := func(b *testing.B, path func(i int64) string) {
		b.ReportAllocs()
		var next atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				w := httptest.NewRecorder()
				h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost"+path(next.Add(1)), nil))
				if w.Code != 200 {
					b.Error(w.Code, w.Body)
				}
			}
		})
	}
	b.Run("noop", func(b *testing.B) { ask(b, func(int64) string { return "/healthz" }) })
	// No answer is asked for twice: n is another each time round.
	b.Run("new", func(b *testing.B) {
		ask(b, func(i int64) string { return fmt.Sprintf("/v1/recommendations/p%d?n=%d", i%people, 10+i/people%400) })
	})
	b.Run("kept", func(b *testing.B) {
		ask(b, func(i int64) string { return fmt.Sprintf("/v1/recommendations/p%d", i%people) })
	})
}
