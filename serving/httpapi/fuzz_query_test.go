package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"kindred/serving/recommend"
)

func FuzzRecommendationQuery(f *testing.F) {
	for _, seed := range []string{
		"n=3", "n=0", "n=1e9", "n=NaN&exclude_seen=no", "category=a&category=b,c", "components=als,popular", "slot=%20", "n=%ff", "n=5;n=6", "n[]=1", "&&&=",
	} {
		f.Add("ann", seed)
	}
	f.Add("a/b", "")
	f.Add("null", "n=500")
	h := open(f, nil).stock().publish("m-1", 1)
	f.Fuzz(func(t *testing.T, user, query string) {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/v1/recommendations/x", nil)
		r.URL = &url.URL{Path: "/v1/recommendations/" + user, RawPath: "/v1/recommendations/" + url.PathEscape(user), RawQuery: query}
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK:
			var a recommend.Answer
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || len(a.Items) > recommend.MaxN {
				t.Fatalf("answer of %d items, %v", len(a.Items), err)
			}
		case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
			var p struct{ Errors []struct{ Location string } }
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || len(p.Errors) == 0 || p.Errors[0].Location == "" {
				t.Fatalf("refused without naming the field: %s", w.Body)
			}
		default:
			t.Fatalf("status %d for %q ? %q: %s", w.Code, user, query, w.Body)
		}
	})
}
