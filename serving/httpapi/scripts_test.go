package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/httpapi"
)

func TestPagesLoadTheirScriptsHere(t *testing.T) {
	h := open(t, withKeys)
	for _, path := range []string{"/kindred.js", "/analytics.js/v1/ingest-secret/analytics.min.js", "/v1/projects/ingest-secret/settings"} {
		for method, want := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204} {
			if got := h.do(method, path, "", "Origin", "https://shop.example").Code; got != want {
				t.Errorf("%s %s: %d, want %d", method, path, got, want)
			}
		}
	}
	for _, key := range []string{"reader-secret", "nobody"} {
		if got := h.do("GET", "/v1/projects/"+key+"/settings", "").Code; got/100 != 4 {
			t.Errorf("settings for the key %s: %d, want a refusal", key, got)
		}
	}
	h.do("POST", "/v1/m", `{"series":[]}`, "Origin", "https://shop.example").want(http.StatusOK)
}

// a page's key: it tracks and asks for its visitor's recommendations.
func withPageKey(o *overrides) {
	withKeys(o)
	o.http.Keys = append(o.http.Keys, httpapi.Key{Name: "page", Secret: "page-secret", Scopes: []httpapi.Scope{httpapi.ScopeIngest, httpapi.ScopeRecommend}})
}

func TestAPageAsksForItsVisitorAndNobodyElse(t *testing.T) {
	h := open(t, withPageKey).stock().publish("m-1", 1)
	page := []string{"Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site", "Authorization", "Bearer page-secret", "Content-Type", "application/json"}
	h.do("POST", "/v1/t", call("Product Viewed", "ann", "browser-1", "love-1", "e1"), page...).want(http.StatusOK)
	h.do("POST", "/v1/t", call("Product Viewed", "ann", "browser-1", "love-2", "e2"), page...).want(http.StatusOK)

	r := h.do("OPTIONS", "/v1/recommendations", "", "Origin", "https://shop.example", "Access-Control-Request-Method", "POST").want(http.StatusNoContent)
	if got := r.Header().Get("Access-Control-Allow-Headers"); !strings.Contains(got, "authorization") {
		t.Errorf("a page may send %q", got)
	}
	known := func(body string, headers ...string) bool {
		t.Helper()
		var a struct {
			Known bool
			User  data.UserID
		}
		r := h.do("POST", "/v1/recommendations", body, headers...).want(http.StatusOK)
		r.into(&a)
		if a.User != "" && strings.Contains(strings.Join(headers, " "), "page-secret") {
			t.Errorf("%s: the answer names %q", body, a.User)
		}
		return a.Known
	}
	for deadline := time.Now().Add(30 * time.Second); !known(`{"anonymous_id":"browser-1"}`, page...); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) { // a request waits for the fold, but not long
			t.Fatal("by the browser's own id the visitor is not known")
		}
	}
	if known(`{"user":"ann"}`, page...) {
		t.Error("a page learns about a person by their name alone")
	}
	if got := h.do("POST", "/v1/recommendations", `{"anonymous_id":"browser-1"}`, page...).Header().Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("the page may not read the answer: allowed origin %q", got)
	}
	server := []string{"Authorization", "Bearer reader-secret", "Content-Type", "application/json"}
	if !known(`{"user":"ann"}`, server...) { // she was known a moment ago
		t.Error("a server with a reader's key does not get ann")
	}
	// The page's key opens nothing else, and its page may go nowhere else.
	h.do("GET", "/v1/recommendations/ann", "", "Authorization", "Bearer page-secret").want(http.StatusForbidden)
	h.do("GET", "/v1/profiles/ann", "", "Authorization", "Bearer page-secret").want(http.StatusForbidden)
	h.do("POST", "/v1/rank", `{"user":"ann","items":["love-1"]}`, page...).want(http.StatusForbidden)
}

func TestWithoutKeysAForeignPageIsAVisitor(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	h.do("POST", "/v1/t", call("Product Viewed", "ann", "browser-1", "love-1", "e1")).want(http.StatusOK)
	ask := func(origin string) bool {
		var a struct{ Known bool }
		h.do("POST", "/v1/recommendations", `{"user":"ann"}`, "Content-Type", "application/json", "Origin", origin).want(http.StatusOK).into(&a)
		return a.Known
	}
	if ask("https://evil.example") {
		t.Error("a page of another origin learns about ann")
	}
	for deadline := time.Now().Add(30 * time.Second); !ask("http://127.0.0.1:8080"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server's own page does not")
		}
	}
}
