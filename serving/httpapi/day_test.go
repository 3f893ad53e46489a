package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"kindred/serving/recommend"
)

func TestAnEventChangesTheNextAnswer(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)

	before := h.do("GET", "/v1/recommendations/ann", "").list()
	if before.Known || before.Model != "m-1" || !slices.Equal(before.Components, []string{"popular"}) {
		t.Fatalf("somebody nobody has met got %+v, want popularity", before)
	}
	seen := "space-3"
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", "", seen, "1"), call("Product Added", "ann", "", "space-4", "2"))).want(200)

	after := h.do("GET", "/v1/recommendations/ann", "").list()
	if !after.Known || after.Stale {
		t.Errorf("known = %v, stale = %v; want the events to be folded", after.Known, after.Stale)
	}
	if slices.Contains(idsOf(after), seen) || slices.Contains(idsOf(after), "space-4") {
		t.Errorf("seen items are still shown: %v", idsOf(after))
	}
	for i, it := range after.Items[:8] {
		if !strings.HasPrefix(string(it.ID), "space-") {
			t.Errorf("item %d is %s; want the other space films first: %v", i, it.ID, idsOf(after))
		}
		if !slices.ContainsFunc(it.Reasons, func(r recommend.Reason) bool { return len(r.Because) > 0 }) {
			t.Errorf("%s has no past item as a reason: %+v", it.ID, it.Reasons)
		}
	}
	again := h.do("GET", "/v1/recommendations/ann?exclude_seen=false&n=20", "").list()
	if !slices.Contains(idsOf(again), seen) {
		t.Errorf("exclude_seen=false hides %s: %v", seen, idsOf(again))
	}
	h.do("POST", "/v1/track", `{"event":"Feedback Given","userId":"ann","messageId":"3","properties":{"product_id":"space-5","feedback":"hide"}}`).want(200)
	hidden := h.do("GET", "/v1/recommendations/ann?exclude_seen=false&n=20", "").list()
	if slices.Contains(idsOf(hidden), "space-5") {
		t.Errorf("an item that was asked not to be shown is shown: %v", idsOf(hidden))
	}
}

func TestAVisitorsHistoryFollowsThemIntoTheirAccount(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	h.do("POST", "/v1/t", call("Product Viewed", "", "cookie-1", "love-2", "1")).want(200)
	visitor := h.do("POST", "/v1/recommendations", `{"anonymous_id":"cookie-1","n":5}`).list()
	if slices.Contains(idsOf(visitor), "love-2") || !strings.HasPrefix(idsOf(visitor)[0], "love-") {
		t.Fatalf("visitor of love-2 got %v", idsOf(visitor))
	}
	h.do("POST", "/v1/identify", `{"userId":"bob","anonymousId":"cookie-1","messageId":"2","traits":{"plan":"gold"}}`).want(200)
	user := h.do("GET", "/v1/recommendations/bob?n=5", "").list()
	if !user.Known || user.Stale || slices.Contains(idsOf(user), "love-2") || !strings.HasPrefix(idsOf(user)[0], "love-") {
		t.Errorf("bob got %v (known %v, stale %v); want what the visitor liked", idsOf(user), user.Known, user.Stale)
	}
	var profile struct {
		Traits map[string]string
		Merged []string
	}
	h.do("GET", "/v1/profiles/bob", "").want(200).into(&profile)
	if profile.Traits["plan"] != "gold" || len(profile.Merged) != 1 {
		t.Errorf("profile = %+v, want the trait and one merge", profile)
	}
}

func TestANewItemIsRecommendedByItsContentAtOnce(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	h.do("POST", "/v1/t", call("Product Viewed", "ann", "", "space-1", "1")).want(200)
	h.do("PUT", "/v1/items/starlight", `{"title":"Starlight","text":"a starship lost among the planets","categories":["Science Fiction"]}`).want(200)

	got := h.do("GET", "/v1/recommendations/ann?n=20&components=content", "").list()
	if i := slices.Index(idsOf(got), "starlight"); i < 0 || i > 10 {
		t.Errorf("the new item is at %d of %v", i, idsOf(got))
	}
	similar := h.do("GET", "/v1/items/starlight/similar?n=3", "").list()
	if len(similar.Items) != 3 || !strings.HasPrefix(idsOf(similar)[0], "space-") {
		t.Errorf("similar to the new item: %v", idsOf(similar))
	}
	h.do("PUT", "/v1/items/starlight", `{"title":"Starlight","hidden":true}`).want(200)
	if got := h.do("GET", "/v1/recommendations/ann?n=50", "").list(); slices.Contains(idsOf(got), "starlight") {
		t.Errorf("a hidden item is shown: %v", idsOf(got))
	}
	h.do("DELETE", "/v1/items/space-2", "").want(http.StatusNoContent)
	if got := h.do("GET", "/v1/recommendations/ann?n=50", "").list(); slices.Contains(idsOf(got), "space-2") {
		t.Errorf("a deleted item is shown: %v", idsOf(got))
	}
	h.do("GET", "/v1/items/space-2/similar", "").want(http.StatusNotFound)
}

func TestWithoutAModelTheLiveCountersAnswer(t *testing.T) {
	h := open(t, nil)
	if empty := h.do("GET", "/v1/recommendations/ann", "").want(http.StatusOK); !strings.Contains(empty.Body.String(), `"items":[]`) {
		t.Errorf("an empty server answers %s, want an empty list", empty.Body)
	}
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "zoe", "", "lamp", "1"), call("Order Completed", "zoe", "", "desk", "2"))).want(200)
	h.do("GET", "/v1/profiles/zoe", "").want(200) // waits for the fold
	got := h.do("GET", "/v1/recommendations/ann", "").list()
	if got.Model != "none" || got.Fallback != "no_model" || len(got.Items) == 0 {
		t.Errorf("answer = %+v, want popularity of model none", got)
	}
}
