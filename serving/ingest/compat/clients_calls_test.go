package compat

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kindred/data"
)

// wanted is what a call has to be in the log. Its messageId is the name of the call where
// the client lets the caller choose it.
type wanted struct {
	Type  data.EventType
	Name  string
	IDs   data.IDs
	Items []data.EventItem
	Value float64
	// Says is one value, by its path in the canonical event: props.name, traits.plan, ctx.page.url.
	Says map[string]any
}

var (
	bought = []data.EventItem{
		{ID: "lamp", Quantity: 2, Price: 9.5, Facets: map[string][]string{"category": {"light"}}},
		{ID: "desk", Price: 120},
	}
	user   = data.IDs{User: "u1"}
	both   = data.IDs{User: "u1", Anonymous: "a1"}
	member = data.IDs{User: "u1", Group: "g1"}
	former = data.IDs{User: "u1", External: []data.ExternalID{{Type: "previous", ID: "old"}}}
)

// segmentShaped is what Segment's client and RudderStack's make of the same calls.
func segmentShaped() map[string]wanted {
	return map[string]wanted{
		"m-0": {data.Identify, "", both, nil, 0, map[string]any{"traits.plan": "gold", "traits.city": "Zürich"}},
		"m-1": {data.Track, "Order Completed", user, bought, 139, map[string]any{"props.order_id": "o1", "props.currency": "EUR"}},
		"m-2": {data.Track, "Größe 漢字 🛋️", data.IDs{Anonymous: "a1"}, nil, 0, map[string]any{"props.text": "„ß“\u2028\x00end"}},
		"m-3": {data.Page, "Page Viewed", user, nil, 0, map[string]any{"props.url": "https://shop.example/", "props.name": "Home"}},
		"m-4": {data.Screen, "Screen Viewed", user, nil, 0, nil},
		"m-5": {data.Group, "", member, nil, 0, map[string]any{"traits.seats": 5.0}},
		"m-6": {data.Alias, "", former, nil, 0, nil},
	}
}

// contract is what each client's calls (testdata/clients) become, by message id, or by
// type and name where the client chooses the id.
var contract = map[string]struct {
	library string // context.library, as name/version; "" is none
	calls   map[string]wanted
}{
	"segment":     {"@segment/analytics-node/3.1.0", segmentShaped()},
	"rudderstack": {"analytics-node/3.0.13", with(segmentShaped(), "m-8", wanted{data.Track, "Dated", user, nil, 0, nil})},
	"posthog": {"posthog-node/5.70.0", map[string]wanted{
		"identify ":                            {data.Identify, "", both, nil, 0, map[string]any{"traits.plan": "gold", "traits.city": "Zürich"}},
		"00000000-0000-4000-8000-000000000001": {data.Track, "Order Completed", user, bought, 139, map[string]any{"props.order_id": "o1", "props.currency": "EUR"}},
		"00000000-0000-4000-8000-000000000002": {data.Track, "Größe 漢字 🛋️", data.IDs{Anonymous: "a1"}, nil, 0, map[string]any{"props.text": "„ß“\u2028\x00end"}},
		"00000000-0000-4000-8000-000000000003": {data.Page, "Page Viewed", user, nil, 0, map[string]any{"ctx.page.url": "https://shop.example/", "props.title": "Home"}},
		"00000000-0000-4000-8000-000000000004": {data.Screen, "Screen Viewed", user, nil, 0, nil},
		"group ":                               {data.Group, "", member, nil, 0, map[string]any{"traits.seats": 5.0}},
		"alias ":                               {data.Alias, "", former, nil, 0, nil},
	}},
	"snowplow": {"snowplow/node-4.8.0", map[string]wanted{
		"track Product Added":   {data.Track, "Product Added", both, []data.EventItem{{ID: "lamp", Quantity: 2, Price: 9.5, Facets: map[string][]string{"category": {"light"}}}}, 0, map[string]any{"props.currency": "EUR"}},
		"track Order Completed": {data.Track, "Order Completed", both, []data.EventItem{bought[0], {ID: "desk", Quantity: 1, Price: 120}}, 139, map[string]any{"props.order_id": "o1", "props.currency": "EUR"}},
		"track Größe 漢字 🛋️":     {data.Track, "Größe 漢字 🛋️", both, nil, 0, map[string]any{"props.label": "„ß“\u2028end"}},
		"page Page Viewed":      {data.Page, "Page Viewed", both, nil, 0, map[string]any{"ctx.page.url": "https://shop.example/", "ctx.page.referrer": "https://search.example/"}},
		"screen Screen Viewed":  {data.Screen, "Screen Viewed", both, nil, 0, map[string]any{"props.screen_id": "s1"}},
		"track sofa_turned":     {data.Track, "sofa_turned", both, nil, 0, map[string]any{"props.degrees": 90.0}},
	}},
}

func with(calls map[string]wanted, id string, w wanted) map[string]wanted {
	calls[id] = w
	return calls
}

// TestEachClientsCallsArriveAsCanonicalEvents: a client whose clock is an hour and a half fast
// makes each of its calls, dated an hour ago by that clock where it lets the caller say so.
func TestEachClientsCallsArriveAsCanonicalEvents(t *testing.T) {
	t.Parallel()
	const fast = 90 * time.Minute
	eachClient(t, func(t *testing.T, c client) {
		s := serve(t, guarded(t)...)
		track := tapOn(t, s)
		began := time.Now()
		a := c.run(t, "calls", track.URL, writeKey, fmt.Sprintf("CLOCK_SHIFT_MS=%d", fast.Milliseconds()))
		a.until("= ")
		ended := time.Now()
		posts := c.posts(t, track)
		events, dead := s.taken("shop")
		events = distinct(events) // one that joins two people is forwarded to the other's partition
		want := contract[c.name]
		if len(posts) >= len(events) {
			t.Errorf("%d events came in %d requests; the client is known to send batches", len(events), len(posts))
		}
		// No client counts the 33 kB of the last call, Segment's not in spite of its check (it counts
		// what encodeURI escapes). The server puts that call, alone of its batch, among the dead letters.
		if len(a.lost) != 0 {
			t.Errorf("calls were given up: %v", a.lost)
		}
		if len(dead) != 1 || !strings.Contains(dead[0].Reason, "at most 32768") {
			t.Errorf("%d letters are dead, want one that is too large: %v", len(dead), dead)
		}
		if len(events) != len(want.calls) {
			t.Errorf("the log holds %d events, want %d", len(events), len(want.calls))
		}
		for _, e := range events {
			name := e.ID
			w, ok := want.calls[name]
			if !ok {
				name = string(e.Type) + " " + e.Name
				w, ok = want.calls[name]
			}
			if !ok {
				t.Errorf("the log holds a %s %q with the id %s, which nobody made", e.Type, e.Name, e.ID)
				continue
			}
			says := map[string]any{}
			for path := range w.Says {
				part, rest, _ := strings.Cut(path, ".")
				object := map[string]json.RawMessage{"props": e.Props, "traits": e.Traits, "ctx": e.Ctx}[part]
				says[path] = field(t, object, strings.Split(rest, ".")...)
			}
			if got := (wanted{e.Type, e.Name, e.IDs, e.Items, e.Value, says}); !cmp.Equal(got, w, cmpopts.EquateEmpty()) {
				t.Errorf("%s (-got +want):\n%s", name, cmp.Diff(got, w, cmpopts.EquateEmpty()))
			}
			if got := library(t, e); got != want.library {
				t.Errorf("%s came from the library %q, want %q", name, got, want.library)
			}
			skew := time.Duration(e.Times.SkewMS) * time.Millisecond
			if skew > fast || skew < fast-ended.Sub(began) {
				t.Errorf("%s: the client's clock is found to be %v fast, want %v", name, skew, fast)
			}
			if c.dated(e) {
				if early, late := began.Add(-time.Hour-time.Second), ended.Add(-time.Hour); e.Times.Event.Before(early) || e.Times.Event.After(late) {
					t.Errorf("%s happened at %v, want an hour before it was sent: %v to %v; said was %v", name, e.Times.Event, early, late, e.Times.Original)
				}
			} else if e.Times.Event.Before(began.Add(-time.Second)) || e.Times.Event.After(ended) {
				t.Errorf("%s happened at %v, want when it was made: %v to %v", name, e.Times.Event, began, ended)
			}
		}
	})
}

// dated reports whether the caller could say when it happened: PostHog's identify, group and
// alias take no time.
func (c client) dated(e data.Event) bool {
	return c.name != "posthog" || e.Type != data.Identify && e.Type != data.Group && e.Type != data.Alias
}

// library is who made the call, as name/version.
func library(t *testing.T, e data.Event) string {
	t.Helper()
	name, version := text(t, e.Ctx, "library", "name"), text(t, e.Ctx, "library", "version")
	return strings.Trim(name+"/"+version, "/")
}
