package httpapi_test

import (
	"fmt"
	"testing"
)

// TestNoEventMakesAnAnswerUnanswerable: JSON carries neither infinities nor NaN, and
// anybody may send the largest numbers that are taken.
func TestNoEventMakesAnAnswerUnanswerable(t *testing.T) {
	h := open(t, nil).stock()
	for i := range 3 {
		for _, item := range []string{"space-1", "space-2", "unlisted"} {
			h.do("POST", "/v1/batch", batch(
				fmt.Sprintf(`{"type":"track","event":"Item Rated","userId":"ann","messageId":"r%d%s","properties":{"product_id":%q,"rating":1e12}}`, i, item, item),
				fmt.Sprintf(`{"type":"track","event":"Order Completed","userId":"ann","messageId":"o%d%s","properties":{"revenue":1e12,"total":1e12,"products":[{"product_id":%q,"price":1e12,"quantity":1}]}}`, i, item, item),
			)).want(200)
		}
	}
	answers := func() {
		t.Helper()
		for _, path := range []string{"/v1/profiles/ann", "/v1/popular", "/v1/trending", "/v1/recommendations/ann?exclude_seen=false", "/v1/users/ann", "/v1/items/space-1/similar"} {
			var v any
			r := h.do("GET", path, "")
			if r.Code != 200 {
				t.Errorf("%s: %d %s", path, r.Code, r.Body)
				continue
			}
			r.into(&v)
		}
		h.do("POST", "/v1/rank", `{"user":"ann","items":["space-1","space-3"]}`).want(200)
	}
	answers()
	h.publish("m-1", 1)
	answers()
}
