package httpapi_test

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"kindred/data"
)

// TestBadInputIsNamed: every kind of bad input gets a problem document that names
// the field at fault.
func TestBadInputIsNamed(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	tests := []struct {
		name, method, target, body string
		status                     int
		location                   string
	}{
		{"n is 0", "GET", "/v1/recommendations/ann?n=0", "", 422, "query.n"},
		{"n is huge", "GET", "/v1/recommendations/ann?n=1000000000", "", 422, "query.n"},
		{"n is beyond int64", "GET", "/v1/popular?n=99999999999999999999", "", 422, "query.n"},
		{"n is NaN", "GET", "/v1/trending?n=NaN", "", 422, "query.n"},
		{"n is a fraction", "GET", "/v1/items/space-1/similar?n=1.5", "", 422, "query.n"},
		{"unknown parameter", "GET", "/v1/recommendations/ann?size=3", "", 422, "query.size"},
		{"unknown component", "GET", "/v1/recommendations/ann?components=magic", "", 422, "query.components"},
		{"exclude_seen is no bool", "GET", "/v1/recommendations/ann?exclude_seen=maybe", "", 422, "query.exclude_seen"},
		{"user too long", "GET", "/v1/recommendations/" + strings.Repeat("x", 257), "", 422, "path.user"},
		{"slot too long", "GET", "/v1/recommendations/ann?slot=" + strings.Repeat("x", 65), "", 422, "query.slot"},
		{"path is not UTF-8", "GET", "/v1/recommendations/%ff", "", 400, "path"},
		{"query is not UTF-8", "GET", "/v1/recommendations/ann?category=%ff", "", 400, "query.category"},
		{"query is not encoded", "GET", "/v1/recommendations/ann?category=%zz", "", 400, "query"},
		{"unknown item", "GET", "/v1/items/nothing/similar", "", 404, "path.id"},
		{"no such item", "GET", "/v1/items/nothing", "", 404, "path.id"},
		{"no such user", "GET", "/v1/users/nobody", "", 404, "path.id"},
		{"no such profile", "GET", "/v1/profiles/nobody", "", 404, "path.id"},
		{"profile of an unknown kind", "GET", "/v1/profiles/ann?kind=cat", "", 422, "query.kind"},
		{"no such model", "GET", "/v1/models/m-9", "", 404, "path.version"},
		{"promote no such model", "POST", "/v1/models/m-9/promote", "", 404, "path.version"},
		{"nothing to roll back to", "POST", "/v1/models/rollback", "", 404, ""},
		{"no such job", "GET", "/v1/jobs/j", "", 404, "path.id"},
		{"no such evaluation", "GET", "/v1/evaluations/e", "", 404, "path.id"},
		{"cursor of nothing", "GET", "/v1/items?cursor=xyz", "", 422, "query.cursor"},
		{"cursor of another list", "GET", "/v1/users?cursor=aXRlbXMAYQ", "", 422, "query.cursor"},
		{"limit is 0", "GET", "/v1/jobs?limit=0", "", 422, "query.limit"},
		{"limit is huge", "GET", "/v1/evaluations?limit=1000000000", "", 422, "query.limit"},
		{"unknown route", "GET", "/v1/nothing", "", 404, "path"},
		{"wrong method", "DELETE", "/v1/popular", "", 405, "method"},

		{"visitor: not JSON", "POST", "/v1/recommendations", "{", 400, "body"},
		{"visitor: empty", "POST", "/v1/recommendations", "", 400, ""},
		{"visitor: a list", "POST", "/v1/recommendations", "[]", 422, "body"},
		{"visitor: deep", "POST", "/v1/recommendations", deep, 400, "body"},
		{"visitor: not UTF-8", "POST", "/v1/recommendations", "{\"user\":\"\xff\"}", 400, "body"},
		{"visitor: unknown field", "POST", "/v1/recommendations", `{"size":3}`, 422, "body.size"},
		{"visitor: n is 0", "POST", "/v1/recommendations", `{"n":0}`, 422, "body.n"},
		{"visitor: n is huge", "POST", "/v1/recommendations", `{"n":1000000000}`, 422, "body.n"},
		{"visitor: n is NaN", "POST", "/v1/recommendations", `{"n":NaN}`, 400, "body"},
		{"visitor: n is text", "POST", "/v1/recommendations", `{"n":"3"}`, 422, "body.n"},
		{"visitor: recent is an object", "POST", "/v1/recommendations", `{"recent":{}}`, 422, "body.recent"},
		{"visitor: context is a list", "POST", "/v1/recommendations", `{"context":[]}`, 422, "body.context"},
		{"visitor: prices cross", "POST", "/v1/recommendations", `{"filter":{"min_price":3,"max_price":2}}`, 422, "body.filter.min_price"},
		{"visitor: price beyond float64", "POST", "/v1/recommendations", `{"filter":{"min_price":1e999}}`, 400, "body"},
		{"visitor: too large", "POST", "/v1/recommendations", `{"slot":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "body"},

		{"visitor: unknown component", "POST", "/v1/recommendations", `{"components":["magic"]}`, 422, "body.components"},

		{"rank: nothing to rank", "POST", "/v1/rank", `{"items":[]}`, 422, "body.items"},
		{"rank: no items", "POST", "/v1/rank", `{}`, 422, "body"},
		{"rank: twice the same", "POST", "/v1/rank", `{"items":["a","b","a"]}`, 422, "body.items[2]"},
		{"rank: objects", "POST", "/v1/rank", `{"items":[{"a":1},{"a":1}]}`, 422, "body.items[0]"},
		{"rank: lists", "POST", "/v1/rank", `{"items":[[],[]]}`, 422, "body.items[0]"},

		{"item: price below 0", "PUT", "/v1/items/a", `{"price":-1}`, 422, "body.price"},
		{"item: attributes are text", "PUT", "/v1/items/a", `{"attributes":"x"}`, 422, "body.attributes"},
		{"item: unknown field", "PUT", "/v1/items/a", `{"name":"x"}`, 422, "body.name"},
		{"item: empty category", "PUT", "/v1/items/a", `{"categories":[""]}`, 422, "body.categories[0]"},
		{"item: delete nothing", "DELETE", "/v1/items/nothing", "", 404, "path.id"},
		{"user: nobody", "PUT", "/v1/users/null", `{"traits":{}}`, 422, "path.id"},
		{"user: traits are a list", "PUT", "/v1/users/ann", `{"traits":[]}`, 422, "body.traits"},
		{"user: delete nobody", "DELETE", "/v1/users/nobody", "", 404, "path.id"},
		{"bulk: empty", "POST", "/v1/items/bulk", "\n", 422, "body"},
		{"bulk: line 2 has no id", "POST", "/v1/items/bulk", "{\"id\":\"a\"}\n{\"title\":\"b\"}", 422, "body.line[2].id"},
		{"bulk: line 1 is no JSON", "POST", "/v1/items/bulk", "{\"id\":", 422, "body.line[1]"},
		{"bulk: line 3 has an unknown field", "POST", "/v1/items/bulk", "\n\n{\"id\":\"a\",\"name\":1}", 422, "body.line[3].name"},
		{"bulk: line 1 has a wrong type", "POST", "/v1/items/bulk", `{"id":"a","price":"3"}`, 422, "body.line[1].price"},
		{"bulk: users without id", "POST", "/v1/users/bulk", `{"traits":{}}`, 422, "body.line[1].id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := h.do(tt.method, tt.target, tt.body).want(tt.status)
			if got := r.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type = %q, want application/problem+json", got)
			}
			var p huma.ErrorModel
			r.into(&p)
			if p.Status != tt.status || p.Title == "" || p.Detail == "" {
				t.Errorf("problem = %+v, want status, title and detail", p)
			}
			if tt.location != "" && !slices.ContainsFunc(p.Errors, func(e *huma.ErrorDetail) bool { return e.Location == tt.location }) {
				b, _ := json.Marshal(p.Errors)
				t.Errorf("errors = %s, want one at %s", b, tt.location)
			}
		})
	}
	if _, err := h.catalog.Item(t.Context(), "a"); err == nil {
		t.Error("a refused bulk upload stored a line")
	}
}

// TestAProblemIsSmallerThanItsRequest: an answer that repeated each fault's
// surroundings would grow with the square of the body.
func TestAProblemIsSmallerThanItsRequest(t *testing.T) {
	h := open(t, nil).stock()
	var many strings.Builder
	for i := range 20_000 {
		many.WriteString(`,"field` + strconv.Itoa(i) + `":1`)
	}
	long := strings.Repeat("ä", 100_000)
	tests := []struct {
		name, body string
		detail     string
	}{
		{"many unknown fields", `{"title":"a"` + many.String() + `}`, "19950 more faults"},
		{"a long name", `{"` + long + `":1}`, ""},
		{"a long value", `{"price":"` + long + `"}`, ""},
		{"no JSON", long, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := h.do("PUT", "/v1/items/a", tt.body)
			if r.Code < 400 || r.Code >= 500 || r.Body.Len() > 20_000 || !utf8.Valid(r.Body.Bytes()) {
				t.Fatalf("%d with %d bytes for a body of %d, want 4xx and less than 20,000 bytes of UTF-8", r.Code, r.Body.Len(), len(tt.body))
			}
			var p huma.ErrorModel
			r.into(&p)
			if len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, "body") || !strings.Contains(p.Detail, tt.detail) {
				t.Errorf("detail %q, %d errors; want %q and a field of the body", p.Detail, len(p.Errors), tt.detail)
			}
		})
	}
}

func TestSoundInputIsTaken(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	tests := []struct {
		method, target, body string
		status               int
		contains             string
	}{
		{"GET", "/healthz", "", 200, `"status":"ok"`},
		{"GET", "/readyz", "", 200, `"ready":true`},
		{"GET", "/openapi.json", "", 200, `"/v1/recommendations/{user}"`},
		{"GET", "/", "", 200, "page /"},
		{"GET", "/docs", "", 200, "page /docs"},
		{"GET", "/v1/recommendations/a%2Fb?n=3&category=Romance&category=Drama&components=popular,als&slot=home", "", 200, `"user":"a/b"`},
		{"POST", "/v1/recommendations", `{"recent":["space-1"],"n":3,"exclude_seen":false,"context":{"page":"/"},"slot":"s","filter":{"categories":["Romance"],"exclude":["love-1"],"min_price":2,"max_price":5}}`, 200, `"love-`},
		{"GET", "/v1/items/space-1/similar?n=2&category=Science%20Fiction", "", 200, `"space-`},
		{"GET", "/v1/popular?n=2", "", 200, `"items":[{`},
		{"GET", "/v1/trending?category=Romance", "", 200, `"items":[{`},
		{"POST", "/v1/rank", `{"recent":["space-1"],"items":["love-1","ghost","space-2"]}`, 200, `"unknown":true`},
		{"PUT", "/v1/items/lamp", `{"title":"Lamp","attributes":{"watts":5}}`, 200, `"attributes":{"watts":5}`},
		{"GET", "/v1/items/lamp", "", 200, `"title":"Lamp"`},
		{"POST", "/v1/items/bulk", "{\"id\":\"x\"}\n\n{\"id\":\"y\"}\n", 200, `"stored":2`},
		{"GET", "/v1/items?limit=1", "", 200, `"next_cursor":"`},
		{"DELETE", "/v1/items/lamp", "", 204, ""},
		{"PUT", "/v1/users/eve", `{"traits":{"age":30}}`, 200, `"id":"eve"`},
		{"POST", "/v1/users/bulk", `{"id":"fay","traits":{"age":31}}`, 200, `"stored":1`},
		{"GET", "/v1/users/eve", "", 200, `"age":30`},
		{"GET", "/v1/users/fay", "", 200, `"age":31`},
		{"GET", "/v1/users?limit=1", "", 200, `"next_cursor":"`},
		{"GET", "/v1/profiles/eve?kind=user", "", 200, `"engagement":`},
		{"DELETE", "/v1/users/eve", "", 204, ""},
		{"GET", "/v1/users/eve", "", 404, ""},
		{"GET", "/v1/models", "", 200, `"serving":{"version":"m-1"`},
		{"GET", "/v1/models/m-1", "", 200, `"status":"current"`},
		{"GET", "/v1/jobs", "", 200, `"jobs":[]`},
		{"GET", "/v1/evaluations", "", 200, `"evaluations":[]`},
		{"GET", "/metrics", "", 200, `kindred_http_request_duration_seconds_count{method="GET",route="/v1/recommendations/:user",status="200"} 1`},
		{"OPTIONS", "/v1/b", "", 204, ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			r := h.do(tt.method, tt.target, tt.body)
			r.t = t
			r.want(tt.status)
			if !strings.Contains(r.Body.String(), tt.contains) {
				t.Errorf("body = %s, want it to contain %s", r.Body, tt.contains)
			}
			if r.Header().Get("X-Content-Type-Options") != "nosniff" || r.Header().Get("X-Request-Id") == "" {
				t.Errorf("headers = %v, want nosniff and a request id", r.Header())
			}
		})
	}
}

func TestListsArePagedToTheEnd(t *testing.T) {
	h := open(t, nil).stock()
	var got []string
	target := "/v1/items?limit=7"
	for pages := 0; ; pages++ {
		var page struct {
			Items []struct{ ID string }
			Next  string `json:"next_cursor"`
		}
		h.do("GET", target, "").want(200).into(&page)
		for _, it := range page.Items {
			got = append(got, it.ID)
		}
		if page.Next == "" {
			if pages != 2 {
				t.Errorf("%d full pages, want 2 and the rest", pages)
			}
			break
		}
		target = "/v1/items?limit=7&cursor=" + page.Next
	}
	if len(got) != 20 || !slices.IsSorted(got) {
		t.Errorf("items = %v, want all 20 by id", got)
	}
}

func TestModelsArePromotedAndTakenBack(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1).publish("m-2", 2)
	if got := h.do("GET", "/v1/recommendations/ann", "").list(); got.Model != "m-2" {
		t.Fatalf("model = %s, want m-2", got.Model)
	}
	h.do("POST", "/v1/models/rollback", "").want(200)
	if got := h.do("GET", "/v1/recommendations/ann", "").list(); got.Model != "m-1" {
		t.Errorf("after the rollback model = %s, want m-1", got.Model)
	}
	h.do("POST", "/v1/models/m-2/promote", "").want(200)
	if got := h.do("GET", "/v1/recommendations/ann", "").list(); got.Model != "m-2" {
		t.Errorf("after the promotion model = %s, want m-2", got.Model)
	}
}

func TestAPanicIsAProblemDocument(t *testing.T) {
	h := open(t, func(o *overrides) {
		o.check = append(o.check, checkThatPanics())
	})
	r := h.do("GET", "/readyz", "").want(http.StatusInternalServerError)
	if !strings.Contains(r.Body.String(), r.Header().Get("X-Request-Id")) || strings.Contains(r.Body.String(), "secret") {
		t.Errorf("body = %s, want the request id and nothing of the panic", r.Body)
	}
}

func TestAnAnswerThatIsNoJSONIsAProblem(t *testing.T) {
	h := open(t, func(o *overrides) {
		o.train = func(context.Context) (data.Job, error) { return data.Job{ID: "j", Progress: math.Inf(1)}, nil }
	})
	r := h.do("POST", "/v1/jobs", `{"kind":"train"}`).want(http.StatusInternalServerError)
	if got := r.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type = %q: %s, want a problem document", got, r.Body)
	}
}
