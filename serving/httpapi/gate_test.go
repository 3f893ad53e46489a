package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/ingest"
)

// farLog says of each record that it lies far ahead, so that whoever waits until it is
// folded waits long.
type farLog struct{ ingest.Log }

func (l farLog) Append(ctx context.Context, recs []data.Record) error {
	err := l.Log.Append(ctx, recs)
	for i := range recs {
		recs[i].Offset += 1 << 30
	}
	return err
}

func TestAboveItsCapacityOfListsTheServerRefusesMore(t *testing.T) {
	const max = 3
	h := open(t, func(o *overrides) {
		o.http.MaxAnswers = max
		o.log = func(l ingest.Log) ingest.Log { return farLog{l} }
	}).stock()
	h.do("POST", "/v1/track", call("Product Viewed", "ann", "", "space-1", "1")).want(200)

	ctx, stop := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer stop()
	for range max { // each waits until what ann did is folded
		waiting.Go(func() {
			r := httptest.NewRequest(http.MethodGet, "/v1/recommendations/ann", nil).WithContext(ctx)
			r.Host = "localhost"
			h.handler.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	for end := time.Now().Add(9 * time.Second); h.do("GET", "/v1/popular", "").Code != http.StatusTooManyRequests; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is refused while as many wait as may")
		}
	}
	for _, r := range []struct{ method, target, body string }{
		{"GET", "/v1/recommendations/bob", ""}, {"POST", "/v1/recommendations", "{}"}, {"GET", "/v1/items/space-1/similar", ""},
		{"GET", "/v1/popular", ""}, {"GET", "/v1/trending", ""}, {"POST", "/v1/rank", `{"items":["space-1"]}`},
	} {
		got := h.do(r.method, r.target, r.body).want(http.StatusTooManyRequests)
		if got.Header().Get("Retry-After") != "1" || got.Header().Get("X-RateLimit-Reset") != "1" || !strings.Contains(got.Header().Get("Content-Type"), "problem+json") {
			t.Errorf("%s %s: %v, want to be told when to come again", r.method, r.target, got.Header())
		}
	}
	got := h.do("POST", "/v1/recommendations", "{}", "Origin", "https://shop.example").want(http.StatusTooManyRequests)
	if got.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("a page cannot read its refusal: %v", got.Header())
	}
	h.do("GET", "/v1/items/space-1", "").want(200)
	h.do("POST", "/v1/track", call("Product Viewed", "bob", "", "space-1", "2")).want(200)
	stop()
	waiting.Wait()
	h.do("GET", "/v1/popular", "").want(200)
}
