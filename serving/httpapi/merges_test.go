package httpapi_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/features/stream"
)

// elsewhere is a device whose profile is in another partition than the user's.
func elsewhere(user string) string { return deviceOf(user, false) }

// deviceOf is a device whose profile is in the user's partition, or in another.
func deviceOf(user string, same bool) string {
	device, home := "d1", data.PartitionOf(string(data.NewProfileID(data.IDUser, user)), 4)
	for (data.PartitionOf(string(data.NewProfileID(data.IDAnonymous, device)), 4) == home) != same {
		device += "1"
	}
	return device
}

type mergeList struct {
	Profile string
	Pending bool
	Merges  []struct {
		Kind, Profile, Position, By, Reason string
		Apart                               bool
		Event                               *struct {
			ID, Type, Name string
			User           string `json:"user_id"`
			Anonymous      string `json:"anonymous_id"`
		}
	}
}

func (h *house) merges(user string) (out mergeList) {
	h.t.Helper()
	h.do("GET", "/v1/users/"+user+"/merges", "").want(http.StatusOK).into(&out)
	return out
}

func TestAMergeIsListedWithItsEventAndCanBeUndone(t *testing.T) {
	device, h := elsewhere("ann"), open(t, nil)
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "", device, "space-1", "m1"), call("Product Viewed", "ann", device, "space-2", "m2"))).want(200)
	got := h.merges("ann")
	if len(got.Merges) != 1 || got.Merges[0].Kind != "merged" || got.Merges[0].Event == nil || got.Merges[0].Event.ID != "m2" ||
		got.Merges[0].Event.User != "ann" || got.Merges[0].Event.Anonymous != device || got.Merges[0].Profile != string(data.NewProfileID(data.IDAnonymous, device)) {
		t.Fatalf("merges = %+v, want the device's, by m2", got)
	}
	h.do("POST", "/v1/users/ann/unmerge", `{"anonymous_id":"d9"}`).want(http.StatusConflict)
	h.do("POST", "/v1/users/ann/unmerge", `{"anonymous_id":"`+device+`","user_id":"bob"}`).want(http.StatusUnprocessableEntity)
	h.do("POST", "/v1/users/ann/unmerge", `{"reason":"none"}`).want(http.StatusUnprocessableEntity)
	h.do("POST", "/v1/users/ann/unmerge", `{"position":"0/99/0"}`).want(http.StatusNotFound)
	h.do("POST", "/v1/users/eve/unmerge", `{"anonymous_id":"`+device+`"}`).want(http.StatusNotFound)
	h.do("POST", "/v1/users/ann/unmerge", `{"position":"`+got.Merges[0].Position+`","reason":"a library computer"}`).want(http.StatusAccepted)
	got = h.merges("ann")
	if len(got.Merges) != 2 || !got.Merges[0].Apart || got.Merges[1].Kind != "unmerged" || got.Merges[1].Reason != "a library computer" || !got.Pending {
		t.Fatalf("merges = %+v, want the second to undo the first", got)
	}
	h.do("POST", "/v1/users/ann/unmerge", `{"anonymous_id":"`+device+`"}`).want(http.StatusConflict)
	// What the two do from now on is their own.
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "", device, "space-3", "m3"))).want(200)
	var p struct {
		Items  int
		Recent []struct{ Item string }
	}
	h.do("GET", "/v1/profiles/"+device+"?kind=anonymous", "").want(200).into(&p)
	if p.Items != 1 || p.Recent[0].Item != "space-3" {
		t.Errorf("the device's profile = %+v, want space-3 alone", p)
	}
}

func TestOnlyAnExplicitAliasMergesTwoUsers(t *testing.T) {
	h := open(t, nil)
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "space-1", "m1"), call("Product Viewed", "old", "", "space-2", "m2"),
		`{"type":"alias","userId":"ann","previousId":"old","messageId":"m3"}`)).want(200)
	if got := h.merges("ann"); len(got.Merges) != 0 {
		t.Fatalf("a tracker's alias merged %+v", got.Merges)
	}
	h.do("POST", "/v1/users/ann/alias", `{"user_id":"nobody"}`).want(http.StatusNotFound)
	h.do("POST", "/v1/users/ann/alias", `{"user_id":"ann"}`).want(http.StatusConflict)
	h.do("POST", "/v1/users/ann/alias", `{"user_id":"old"}`).want(http.StatusAccepted)
	h.do("POST", "/v1/users/old/alias", `{"user_id":"ann"}`).want(http.StatusConflict)
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "old", "", "space-3", "m4"), call("Product Viewed", "ann", "", "space-4", "m5"))).want(200)
	for _, user := range []string{"old", "ann"} {
		var p struct {
			Items  int
			Counts map[string]int
		}
		h.do("GET", "/v1/profiles/"+user, "").want(200).into(&p)
		if p.Items != 4 || p.Counts["views_1h"] != 4 {
			t.Errorf("%s = %+v, want all four views", user, p)
		}
	}
}

// TestHistoryCountsTheMomentAPersonIdentifies: what a device viewed is neither offered
// again nor forgotten in the first answer after it says whose it is, also where the user
// has a profile already, in the same partition or another.
func TestHistoryCountsTheMomentAPersonIdentifies(t *testing.T) {
	known := []string{call("Product Viewed", "ann", "", "love-9", "m0")}
	for _, c := range []struct {
		name   string
		before []string
		same   bool
	}{{"a new user", nil, false}, {"a new user on the device's partition", nil, true}, {"a user who is known", known, false}, {"a user who is known on the device's partition", known, true}} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, nil).stock().publish("m-1", 1)
			device := deviceOf("ann", c.same)
			calls := slices.Clone(c.before)
			for i := range 6 {
				calls = append(calls, call("Product Viewed", "", device, "space-"+string(rune('0'+i)), "v"+string(rune('0'+i))))
			}
			h.do("POST", "/v1/batch", batch(calls...)).want(200)
			h.do("GET", "/v1/recommendations/ann?n=20", "").want(200) // what is kept of before must not answer
			h.do("POST", "/v1/batch", batch(`{"type":"identify","userId":"ann","anonymousId":"`+device+`","messageId":"i1"}`)).want(200)
			got := h.do("GET", "/v1/recommendations/ann?n=20", "").list()
			items := idsOf(got)
			for i := range 6 {
				if slices.Contains(items, "space-"+string(rune('0'+i))) {
					t.Errorf("%v offers space-%d, which the device viewed", items, i)
				}
			}
			if got.Stale || len(items) == 0 || !strings.HasPrefix(items[0], "space-") {
				t.Errorf("%v (stale: %v), want more of what the device viewed first", items, got.Stale)
			}
			var p struct{ Counts map[string]int }
			h.do("GET", "/v1/profiles/ann", "").want(200).into(&p)
			if want := 6 + len(c.before); p.Counts["views_1h"] != want {
				t.Errorf("%d views in the last hour, want %d", p.Counts["views_1h"], want)
			}
		})
	}
}

// held is a state whose saves wait while the gate is closed.
type held struct {
	stream.State
	gate chan struct{} // one token while it is open
}

func (s *held) Save(ctx context.Context, p int32, expect int64, c *data.Commit) error {
	select {
	case token := <-s.gate:
		s.gate <- token
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.State.Save(ctx, p, expect, c)
}

// kept is how many answers are kept.
func (h *house) kept() string {
	_, after, _ := strings.Cut(h.do("GET", "/metrics", "").Body.String(), "\nkindred_answer_cache_entries ")
	n, _, _ := strings.Cut(after, "\n")
	return n
}

// TestAnErasedPersonLeavesTheCacheAlsoWhenTheFoldIsBehind: an answer that somebody asks
// for between the deletion and its fold goes, too.
func TestAnErasedPersonLeavesTheCacheAlsoWhenTheFoldIsBehind(t *testing.T) {
	gate := make(chan struct{}, 1)
	gate <- struct{}{}
	h := open(t, func(o *overrides) {
		o.state = func(s stream.State) stream.State { return &held{s, gate} }
		o.wait = 50 * time.Millisecond
	}).stock().publish("m-1", 1)
	h.do("PUT", "/v1/users/eve", `{"traits":{"a":1}}`).want(200)
	for h.do("GET", "/v1/recommendations/eve", "").list().Stale {
	}
	<-gate
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		h.do("DELETE", "/v1/users/eve", "").want(204)
	}()
	select { // as far as it comes without the fold
	case <-gone:
	case <-time.After(300 * time.Millisecond):
	}
	h.do("GET", "/v1/recommendations/eve", "").want(200)
	if h.kept() != "1" {
		t.Fatalf("%s answers are kept, want the one asked for meanwhile; the test shows nothing", h.kept())
	}
	gate <- struct{}{}
	<-gone
	if got := h.kept(); got != "0" {
		t.Errorf("%s answers of an erased person are kept", got)
	}
}

// TestErasureReachesWhatWasMerged: answers kept for the device go with the person.
func TestErasureReachesWhatWasMerged(t *testing.T) {
	device, h := elsewhere("ann"), open(t, nil).stock().publish("m-1", 1)
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "", device, "space-1", "m1"))).want(200)
	h.do("POST", "/v1/recommendations", `{"anonymous_id":"`+device+`"}`).want(200)
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", device, "space-2", "m2"))).want(200)
	h.do("GET", "/v1/recommendations/ann", "").want(200)
	if h.kept() != "2" {
		t.Fatalf("%s answers are kept, want the device's and the user's; the test shows nothing", h.kept())
	}
	h.do("DELETE", "/v1/users/ann", "").want(204)
	if got := h.kept(); got != "0" {
		t.Errorf("%s answers are kept of an erased person", got)
	}
	h.do("GET", "/v1/users/ann/merges", "").want(http.StatusNotFound)
	h.do("GET", "/v1/profiles/"+device+"?kind=anonymous", "").want(http.StatusNotFound)
}

// TestErasureReachesTheDevicesOfAnAlias: answers kept for the device of a user who became
// part of another go with that one.
func TestErasureReachesTheDevicesOfAnAlias(t *testing.T) {
	device, h := elsewhere("bob"), open(t, nil).stock().publish("m-1", 1)
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "", device, "space-1", "m1"), call("Product Viewed", "ann", "", "space-3", "m0"))).want(200)
	h.do("POST", "/v1/recommendations", `{"anonymous_id":"`+device+`"}`).want(200)
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "bob", device, "space-2", "m2"))).want(200)
	h.do("GET", "/v1/recommendations/bob", "").want(200)
	h.do("POST", "/v1/users/ann/alias", `{"user_id":"bob"}`).want(http.StatusAccepted)
	h.do("GET", "/v1/recommendations/ann", "").want(200)
	if h.kept() != "3" {
		t.Fatalf("%s answers are kept, want the device's, bob's and ann's; the test shows nothing", h.kept())
	}
	h.do("DELETE", "/v1/users/ann", "").want(204)
	if got := h.kept(); got != "0" {
		t.Errorf("%s answers are kept of an erased person", got)
	}
	h.do("GET", "/v1/profiles/bob", "").want(http.StatusNotFound)
	h.do("GET", "/v1/profiles/"+device+"?kind=anonymous", "").want(http.StatusNotFound)
}
