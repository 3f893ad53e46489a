package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"kindred/data"
)

// TestEveryRouteAsksForItsScope walks all routes of the API's description: what
// changes something needs an admin, what reads a reader, and only health is open.
func TestEveryRouteAsksForItsScope(t *testing.T) {
	h := open(t, func(o *overrides) {
		withKeys(o)
		o.train = func(context.Context) (data.Job, error) { return data.Job{ID: "j"}, nil }
	})
	var api struct {
		Paths map[string]map[string]struct{ Security []map[string][]string }
	}
	h.do("GET", "/openapi.json", "").want(http.StatusOK).into(&api)
	open := map[string]bool{"/healthz": true, "/readyz": true}
	asks := map[string]bool{"/v1/recommendations": true, "/v1/rank": true} // POST, and reads
	raw := map[string]bool{"/v1/dead-letters": true, "/v1/late-events": true, "/v1/schema/inferred": true, "/v1/connectors": true}
	routes := 0
	for path, methods := range api.Paths {
		for method, op := range methods {
			routes++
			method = strings.ToUpper(method)
			target := strings.NewReplacer("{", "", "}", "").Replace(path)
			status := func(secret string) int {
				return h.do(method, target, "", "X-API-Key", secret).Code
			}
			if open[path] {
				if got := h.do(method, target, "").Code; got == 401 || got == 403 || op.Security != nil {
					t.Errorf("%s %s: %d and security %v, want it open", method, path, got, op.Security)
				}
				continue
			}
			if got := h.do(method, target, "").Code; got != 401 {
				t.Errorf("%s %s without a key: %d, want 401", method, path, got)
			}
			if len(op.Security) != 3 {
				t.Errorf("%s %s: the description asks for %v, want a key", method, path, op.Security)
			}
			if got := status("ingest-secret"); got != 403 {
				t.Errorf("%s %s with an ingest key: %d, want 403", method, path, got)
			}
			reads := method == "GET" && !raw[path] || asks[path] // raw messages are for admins
			if got := status("reader-secret"); reads == (got == 403) {
				t.Errorf("%s %s with a reader's key: %d; it reads: %v", method, path, got, reads)
			}
			if got := status("admin-secret"); got == 401 || got == 403 {
				t.Errorf("%s %s with an admin's key: %d", method, path, got)
			}
		}
	}
	if routes < 25 {
		t.Errorf("%d routes are described, want all of them", routes)
	}
}
