package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"kindred/data"
	"kindred/serving/httpapi"
	"kindred/serving/ingest"
)

func checkThatPanics() httpapi.Check {
	return httpapi.Check{Name: "panics", OK: func(context.Context) error { panic("secret") }}
}

// withKeys configures one key of each scope, the admin's hashed.
func withKeys(o *overrides) {
	sum := sha256.Sum256([]byte("admin-secret"))
	o.http.Keys = []httpapi.Key{
		{Name: "site", Secret: "ingest-secret", Scopes: []httpapi.Scope{httpapi.ScopeIngest}},
		{Name: "app", Secret: "reader-secret", Scopes: []httpapi.Scope{httpapi.ScopeRead}},
		{Name: "ops", SHA256: hex.EncodeToString(sum[:]), Scopes: []httpapi.Scope{httpapi.ScopeAdmin}},
	}
}

func TestKeysOpenWhatTheirScopesSay(t *testing.T) {
	h := open(t, withKeys).stock().publish("m-1", 1)
	bearer := func(secret string) []string { return []string{"Authorization", "Bearer " + secret} }
	basic := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("ingest-secret:"))}
	body := batch(call("Product Viewed", "ann", "", "space-1", "1"))
	tests := []struct {
		name, method, target, body string
		headers                    []string
		status                     int
	}{
		{"read without a key", "GET", "/v1/popular", "", nil, 401},
		{"read with an unknown key", "GET", "/v1/popular", "", bearer("guess-guess"), 401},
		{"read with a reader's key", "GET", "/v1/popular", "", bearer("reader-secret"), 200},
		{"read with the header", "GET", "/v1/popular", "", []string{"X-API-Key", "reader-secret"}, 200},
		{"read with an ingest key", "GET", "/v1/popular", "", bearer("ingest-secret"), 403},
		{"read with an admin's key", "GET", "/v1/popular", "", bearer("admin-secret"), 200},
		{"write with a reader's key", "PUT", "/v1/items/a", "{}", bearer("reader-secret"), 403},
		{"write with an admin's key", "PUT", "/v1/items/a", "{}", bearer("admin-secret"), 200},
		{"the digest is no key", "PUT", "/v1/items/a", "{}", bearer(hex.EncodeToString([]byte("x"))), 401},
		{"metrics without a key", "GET", "/metrics", "", nil, 401},
		{"metrics with an ingest key", "GET", "/metrics", "", bearer("ingest-secret"), 403},
		{"a report without a key", "GET", "/reports/e1", "", nil, 401},
		{"a report's head without a key", "HEAD", "/reports/e1", "", nil, 401},
		{"a report with an ingest key", "GET", "/reports/e1", "", bearer("ingest-secret"), 403},
		{"a report with a reader's key", "GET", "/reports/e1", "", bearer("reader-secret"), 200},
		{"the first page without a key", "GET", "/", "", nil, 200},
		{"health without a key", "GET", "/healthz", "", nil, 200},
		{"track without a key", "POST", "/v1/batch", body, nil, 401},
		{"track with Basic", "POST", "/v1/batch", body, basic, 200},
		{"track with Bearer", "POST", "/v1/batch", body, bearer("ingest-secret"), 200},
		{"track with the key in the body", "POST", "/v1/batch", strings.Replace(body, "{", `{"writeKey":"ingest-secret",`, 1), nil, 200},
		{"track with a wrong key in the body", "POST", "/v1/batch", strings.Replace(body, "{", `{"writeKey":"nonsense",`, 1), nil, 401},
		{"track with a reader's key", "POST", "/v1/batch", body, bearer("reader-secret"), 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := h.do(tt.method, tt.target, tt.body, tt.headers...)
			r.t = t
			r.want(tt.status)
			if tt.status == 401 && !strings.Contains(r.Header().Get("Content-Type"), "json") {
				t.Errorf("Content-Type = %q, want JSON", r.Header().Get("Content-Type"))
			}
		})
	}
}

func TestARepeatedIdempotencyKeyGetsTheStoredAnswer(t *testing.T) {
	h := open(t, nil)
	first := h.do("PUT", "/v1/items/lamp", `{"title":"Lamp"}`, "Idempotency-Key", "k1").want(200)
	if err := h.catalog.DeleteItem(t.Context(), "lamp"); err != nil {
		t.Fatal(err)
	}
	second := h.do("PUT", "/v1/items/lamp", `{"title":"Lamp"}`, "Idempotency-Key", "k1").want(200)
	if first.Body.String() != second.Body.String() || second.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("second answer = %s %v, want the first: %s", second.Body, second.Header(), first.Body)
	}
	if _, err := h.catalog.Item(t.Context(), "lamp"); err == nil {
		t.Error("the repeated request ran again")
	}
	h.do("PUT", "/v1/items/lamp", `{"title":"Desk"}`, "Idempotency-Key", "k1").want(http.StatusConflict)
	h.do("PUT", "/v1/items/lamp", `{"title":"Desk"}`, "Idempotency-Key", "k2").want(200)
	h.do("PUT", "/v1/items/lamp", `{}`, "Idempotency-Key", "with space").want(http.StatusBadRequest)
}

func TestAConflictIsNotRememberedForItsIdempotencyKey(t *testing.T) {
	busy := true
	h := open(t, func(o *overrides) {
		o.train = func(context.Context) (data.Job, error) {
			if busy {
				return data.Job{}, data.ErrConflict
			}
			return data.Job{ID: "train-1", Kind: "train"}, nil
		}
	})
	h.do("POST", "/v1/jobs", `{"kind":"train"}`, "Idempotency-Key", "k1").want(http.StatusConflict)
	busy = false
	h.do("POST", "/v1/jobs", `{"kind":"train"}`, "Idempotency-Key", "k1").want(http.StatusAccepted)
}

func TestAnswersAreKeptByNobody(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	for _, path := range []string{"/v1/recommendations/ann", "/v1/items/space-1", "/v1/nothing", "/metrics"} {
		if got := h.do("GET", path, "").Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control = %q, want no-store", path, got)
		}
	}
}

// fullLog refuses everything, as a log with a full queue does.
type fullLog struct{ ingest.Log }

func (fullLog) Append(context.Context, []data.Record) error { return data.ErrOverloaded }

func TestOverloadIs429AndPagesCanReadIt(t *testing.T) {
	h := open(t, func(o *overrides) { o.log = func(l ingest.Log) ingest.Log { return fullLog{l} } })
	r := h.do("POST", "/v1/b", batch(call("Clicked", "ann", "", "a", "1")), "Origin", "https://shop.example").want(429)
	for name, want := range map[string]string{
		"Retry-After": "1", "X-RateLimit-Reset": "1", "Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Expose-Headers": "Retry-After, X-RateLimit-Reset",
	} {
		if got := r.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if r := h.do("PUT", "/v1/users/ann", `{"traits":{}}`).want(429); r.Header().Get("Retry-After") == "" {
		t.Error("429 of a typed route carries no Retry-After")
	}
}

func TestTrackingAnswersAsClientsExpect(t *testing.T) {
	h := open(t, nil)
	zipped := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(s))
		z.Close()
		return b.String()
	}
	good := call("Product Viewed", "ann", "", "a", "1")
	many := strings.TrimSuffix(strings.Repeat("{},", 2501), ",")
	tests := []struct {
		name, target, body string
		headers            []string
		status             int
	}{
		{"one good call", "/v1/track", good, nil, 200},
		{"as text/plain", "/v1/t", good, []string{"Content-Type", "text/plain"}, 200},
		{"as a form, as some clients say", "/v1/batch", batch(good), []string{"Content-Type", "application/x-www-form-urlencoded"}, 200},
		{"a page", "/v1/p", `{"name":"Home","anonymousId":"c"}`, nil, 200},
		{"a bad call among good ones", "/v1/batch", batch(good, `{"type":"track","userId":"ann"}`, `7`, `{"type":"track","event":"x","userId":"null"}`), nil, 200},
		{"a bad call alone", "/v1/track", `{"event":"x"}`, nil, 200},
		{"an empty batch", "/v1/b", `{"batch":[]}`, nil, 200},
		{"gzip", "/v1/batch", zipped(batch(good)), []string{"Content-Encoding", "gzip"}, 200},
		{"broken gzip", "/v1/batch", "nonsense", []string{"Content-Encoding", "gzip"}, 400},
		{"unknown encoding", "/v1/batch", batch(good), []string{"Content-Encoding", "br"}, 400},
		{"a bomb", "/v1/batch", zipped(batch(`"` + strings.Repeat("x", 10<<20) + `"`)), []string{"Content-Encoding", "gzip"}, 400},
		{"not JSON", "/v1/batch", `{"batch":[`, nil, 400},
		{"not an object", "/v1/batch", `[1]`, nil, 400},
		{"no batch", "/v1/batch", `{}`, nil, 400},
		{"batch is no list", "/v1/batch", `{"batch":{}}`, nil, 400},
		{"not UTF-8", "/v1/batch", "{\"batch\":[\"\xff\"]}", nil, 400},
		{"too large", "/v1/batch", `{"batch":["` + strings.Repeat("x", 500_001) + `"]}`, nil, 400},
		{"one call too large", "/v1/track", `{"event":"` + strings.Repeat("x", 33<<10) + `"}`, nil, 400},
		{"too many calls", "/v1/batch", `{"batch":[` + many + `]}`, nil, 400},
		{"empty", "/v1/batch", "", nil, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := h.do("POST", tt.target, tt.body, tt.headers...)
			r.t = t
			r.want(tt.status)
			var got struct {
				Success bool
				Message string
			}
			if r.into(&got); got.Success != (tt.status == 200) || !got.Success && got.Message == "" {
				t.Errorf("answer = %s", r.Body)
			}
		})
	}
	dead, err := h.store.DeadLetters(t.Context(), 0, 100)
	if err != nil || len(dead) != 4 {
		t.Fatalf("%d dead letters, %v; want the 4 refused calls", len(dead), err)
	}
	if string(dead[0].Raw) != `{"type":"track","userId":"ann"}` || !strings.Contains(dead[0].Reason, "event") {
		t.Errorf("first dead letter = %s: %s", dead[0].Raw, dead[0].Reason)
	}
}

func TestPagesOfOtherSitesMayTrackAndNothingElse(t *testing.T) {
	h := open(t, nil)
	other := []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
	h.do("POST", "/v1/models/rollback", "", other...).want(http.StatusForbidden)
	h.do("POST", "/v1/t", call("Clicked", "ann", "", "a", "1"), other...).want(200)
	if got := h.do("GET", "/v1/popular", "", other...).Header().Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("a typed route allows origin %q", got)
	}
}

func TestSlashesAtTheEndAreNoRedirect(t *testing.T) {
	h := open(t, nil)
	h.do("POST", "/v1/batch/", `{"batch":[]}`).want(http.StatusNotFound)
}

func TestConfigRefusesWhatIsNotSafe(t *testing.T) {
	tests := []struct {
		name   string
		change func(*httpapi.Config)
		want   string // "" means fine
	}{
		{"default", func(*httpapi.Config) {}, ""},
		{"everywhere without keys", func(c *httpapi.Config) { c.Addr = "0.0.0.0:8080" }, "no API keys"},
		{"all interfaces without keys", func(c *httpapi.Config) { c.Addr = ":8080" }, "no API keys"},
		{"everywhere, told so", func(c *httpapi.Config) { c.Addr, c.Insecure = ":8080", true }, ""},
		{"everywhere with a key", func(c *httpapi.Config) {
			c.Addr = ":8080"
			c.Keys = []httpapi.Key{{Name: "a", Secret: "12345678", Scopes: []httpapi.Scope{"read"}}}
		}, ""},
		{"IPv6 loopback", func(c *httpapi.Config) { c.Addr = "[::1]:0" }, ""},
		{"no port", func(c *httpapi.Config) { c.Addr = "localhost" }, "HOST:PORT"},
		{"unknown scope", func(c *httpapi.Config) {
			c.Keys = []httpapi.Key{{Name: "a", Secret: "12345678", Scopes: []httpapi.Scope{"root"}}}
		}, "unknown scope"},
		{"both secrets", func(c *httpapi.Config) {
			c.Keys = []httpapi.Key{{Name: "a", Secret: "12345678", SHA256: "00", Scopes: []httpapi.Scope{"read"}}}
		}, "either secret or sha256"},
		{"bad digest", func(c *httpapi.Config) {
			c.Keys = []httpapi.Key{{Name: "a", SHA256: "00", Scopes: []httpapi.Scope{"read"}}}
		}, "64 hex digits"},
		{"no timeout", func(c *httpapi.Config) { c.ReadHeaderTimeout = 0 }, "read_header_timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := httpapi.Default()
			tt.change(&c)
			err := c.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Validate = %v, want %q", err, tt.want)
			}
		})
	}
}
