package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"kindred/serving/httpapi"
)

func TestPagesThatTakeOverANameOfThisMachineAreRefused(t *testing.T) {
	h := open(t, nil).stock()
	rebound := func(origin string) []string { return []string{"Origin", origin, "Sec-Fetch-Site", "same-origin"} }
	h.do("DELETE", "http://evil.example:8080/v1/items/love-1", "", rebound("http://evil.example:8080")...).want(http.StatusForbidden)
	h.do("GET", "http://evil.example:8080/v1/profiles/ann", "").want(http.StatusForbidden)
	h.do("GET", "http://127.0.0.1.evil.example/v1/items", "").want(http.StatusForbidden)
	for _, host := range []string{"localhost:8080", "LOCALHOST", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]"} {
		h.do("GET", "http://"+host+"/v1/items", "").want(http.StatusOK)
	}
	if _, err := h.catalog.Item(t.Context(), "love-1"); err != nil {
		t.Errorf("the rebound page deleted an item: %v", err)
	}
}

func TestAServerWithKeysAnswersToEveryName(t *testing.T) {
	h := open(t, withKeys)
	h.do("GET", "http://shop.example/v1/items", "", "X-API-Key", "reader-secret").want(http.StatusOK)
}

func TestAServerThatIsOpenOnPurposeAnswersToEveryName(t *testing.T) {
	h := open(t, func(o *overrides) { o.http.Addr, o.http.Insecure = ":8080", true })
	h.do("GET", "http://shop.example/v1/items", "").want(http.StatusOK)
}

// TestTrackersMayIncludeCredentials: a browser hides an answer for "*" from a page that
// asked with credentials, and the page's tracker sends again and again.
func TestTrackersMayIncludeCredentials(t *testing.T) {
	h := open(t, nil).stock()
	page := []string{"Origin", "https://shop.example"}
	allowed := func(r reply) [3]string {
		return [3]string{r.Header().Get("Access-Control-Allow-Origin"), r.Header().Get("Access-Control-Allow-Credentials"), r.Header().Get("Vary")}
	}
	want := [3]string{"https://shop.example", "true", "Origin"}
	for _, r := range []reply{
		h.do("OPTIONS", "/com.snowplowanalytics.snowplow/tp2", "", page...).want(http.StatusNoContent),
		h.do("POST", "/com.snowplowanalytics.snowplow/tp2", `{"data":[]}`, page...),
		h.do("POST", "/v1/t", call("Product Viewed", "ann", "", "a", "1"), page...).want(http.StatusOK),
		h.do("GET", "/sourceConfig/?writeKey=k", "", page...).want(http.StatusOK),
	} {
		if got := allowed(r); got != want {
			t.Errorf("the headers are %q, want %q", got, want)
		}
	}
	// What RudderStack's browser client asks for, at a first try and at a retry.
	got := strings.Split(h.do("OPTIONS", "/v1/track", "", page...).Header().Get("Access-Control-Allow-Headers"), ", ")
	for _, want := range strings.Split("anonymousid,authorization,content-type,rsa-retry-attempt,rsa-retry-reason,rsa-since-first-attempt,rsa-since-last-attempt,sentat", ",") {
		if !slices.Contains(got, want) {
			t.Errorf("pages may send the headers %q, want %s among them", got, want)
		}
	}
	if got := allowed(h.do("POST", "/v1/t", call("Product Viewed", "ann", "", "a", "2"))); got[0] != "*" || got[1] != "" {
		t.Errorf("without an origin the headers are %q, want *", got)
	}
	if got := allowed(h.do("POST", "/v1/recommendations", "{}", page...).want(http.StatusOK)); got[0] != "*" || got[1] != "" {
		t.Errorf("a list's headers are %q: what is told about people is for no credentials", got)
	}
}

func TestOnlyPagesOfAllowedOriginsTrack(t *testing.T) {
	h := open(t, func(o *overrides) { o.http.AllowedOrigins = []string{"https://shop.example"} })
	body := call("Product Viewed", "ann", "", "a", "1")
	for _, tt := range []struct {
		origin string
		status int
		allow  string
	}{
		{"https://shop.example", 200, "https://shop.example"},
		{"https://evil.example", 403, ""},
		{"null", 403, ""},
		{"http://127.0.0.1:8080", 200, ""}, // the server's own pages
	} {
		r := h.do("POST", "/v1/t", body, "Origin", tt.origin, "Content-Type", "text/plain").want(tt.status)
		if got := r.Header().Get("Access-Control-Allow-Origin"); got != tt.allow || r.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: allowed origin %q and Vary %q, want %q and Origin", tt.origin, got, r.Header().Get("Vary"), tt.allow)
		}
	}
	h.do("POST", "/v1/t", body).want(http.StatusOK) // a server sends no origin
	if c := httpapi.Default(); len(c.AllowedOrigins) != 1 || c.AllowedOrigins[0] != "*" {
		t.Errorf("by default %v may track, want all", c.AllowedOrigins)
	}
}
