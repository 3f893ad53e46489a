package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestARejectIsFoundWithItsReason: trackers get 200 for a batch with bad calls in
// it, so whoever runs the server has to see them elsewhere.
func TestARejectIsFoundWithItsReason(t *testing.T) {
	h := open(t, nil)
	h.do("POST", "/v1/batch", `{"batch":[{"type":"track","userId":"ann"},{"type":"track","event":"Product Viewed","userId":"ann","properties":{"product_id":"lamp"}},{"type":"page"}]}`).want(http.StatusOK)
	var first, second struct {
		DeadLetters []struct {
			Reason, Raw string
		} `json:"dead_letters"`
		NextCursor string `json:"next_cursor"`
	}
	h.do("GET", "/v1/dead-letters?limit=1", "").want(http.StatusOK).into(&first)
	h.do("GET", "/v1/dead-letters?limit=1&cursor="+url.QueryEscape(first.NextCursor), "").want(http.StatusOK).into(&second)
	if len(first.DeadLetters) != 1 || !strings.Contains(first.DeadLetters[0].Reason, "event") || first.DeadLetters[0].Raw != `{"type":"track","userId":"ann"}` {
		t.Errorf("first page = %+v, want the call without an event's name", first)
	}
	if len(second.DeadLetters) != 1 || !strings.Contains(second.DeadLetters[0].Raw, "page") || second.NextCursor != "" {
		t.Errorf("second page = %+v, want the call of nobody, and no more", second)
	}
	h.do("GET", "/v1/dead-letters?cursor=bm9uc2Vuc2U", "").want(http.StatusUnprocessableEntity)
}
