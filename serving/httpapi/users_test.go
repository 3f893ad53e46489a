package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestTraitsComeBackAsTheyWereSent(t *testing.T) {
	h := open(t, nil)
	h.do("PUT", "/v1/users/ann", `{"traits":{"account":9007199254740993,"tags":["a",{"b":null}],"old":null}}`).want(http.StatusOK)
	h.do("POST", "/v1/users/bulk", `{"id":"bob","traits":{"account":9007199254740993}}`, "Content-Type", "application/x-ndjson").want(http.StatusOK)
	for _, user := range []string{"ann", "bob"} {
		if body := h.do("GET", "/v1/users/"+user, "").want(http.StatusOK).Body.String(); !strings.Contains(body, `"account":9007199254740993`) {
			t.Errorf("%s = %s, want all digits of the account", user, body)
		}
	}
}

func TestTraitsThatTheLogCannotHoldAreNotAcknowledged(t *testing.T) {
	h := open(t, nil)
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for name, r := range map[string]reply{
		"too deep":       h.do("PUT", "/v1/users/ann", `{"traits":{"a":`+deep+`}}`),
		"too large":      h.do("PUT", "/v1/users/ann", `{"traits":{"a":"`+strings.Repeat("x", 40_000)+`"}}`),
		"one among many": h.do("POST", "/v1/users/bulk", `{"id":"bob"}`+"\n"+`{"id":"ann","traits":{"a":`+deep+`}}`, "Content-Type", "application/x-ndjson"),
	} {
		if r.Code != http.StatusUnprocessableEntity || !strings.Contains(r.Body.String(), "traits") {
			t.Errorf("%s: %d %s, want 422 that names the traits", name, r.Code, r.Body)
		}
	}
	h.do("GET", "/v1/users/ann", "").want(http.StatusNotFound)
	h.do("GET", "/v1/users/bob", "").want(http.StatusNotFound)
}

func TestMoreUsersThanOneWriteTakesAreRefused(t *testing.T) {
	h := open(t, nil)
	body := strings.Repeat("{\"id\":\"ann\"}\n", 10_001)
	r := h.do("POST", "/v1/users/bulk", body, "Content-Type", "application/x-ndjson").want(http.StatusUnprocessableEntity)
	if !strings.Contains(r.Body.String(), "10000") {
		t.Errorf("answer = %s, want how many are taken", r.Body)
	}
}

// TestAnErasedPersonLeavesTheCache: what was kept of them goes with the deletion.
func TestAnErasedPersonLeavesTheCache(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	for _, user := range []string{"eve", "ann"} {
		h.do("PUT", "/v1/users/"+user, `{"traits":{"a":1}}`).want(200)
		h.do("GET", "/v1/recommendations/"+user, "").want(200)
	}
	before := h.kept()
	h.do("DELETE", "/v1/users/eve", "").want(204)
	if after := h.kept(); before != "2" || after != "1" {
		t.Errorf("%q answers are kept before and %q after one of two people is erased", before, after)
	}
}
