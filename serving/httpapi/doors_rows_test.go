package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/serving/ingest/clean"
)

// field is a value inside a JSON object, nil where there is none.
func field(t testing.TB, object json.RawMessage, path ...string) (v any) {
	t.Helper()
	if len(object) > 0 {
		if err := json.Unmarshal(object, &v); err != nil {
			t.Fatalf("%v in %s", err, object)
		}
	}
	for _, name := range path {
		fields, _ := v.(map[string]any)
		v = fields[name]
	}
	return v
}

// named is the event of that id. One that joins two people is in the log of both.
func (o *opened) named(id string) data.Event {
	o.t.Helper()
	events := o.events()
	i := slices.IndexFunc(events, func(e data.Event) bool { return e.ID == id })
	if i < 0 {
		o.t.Fatalf("no event has the id %s; the dead letters are %q", id, o.letters())
	}
	return events[i]
}

func TestMobileKitsPostHere(t *testing.T) {
	files, err := filepath.Glob("../ingest/door/testdata/mobile/*.json")
	if err != nil || len(files) != 3 {
		t.Fatalf("fixtures: %v, %v", files, err)
	}
	for _, path := range files {
		o := openDoors(t, true)
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Batch []struct{ MessageID, UserID, Type string }
		}
		if err := json.Unmarshal(body, &sent); err != nil || len(sent.Batch) == 0 {
			t.Fatal(path, err)
		}
		o.want(401, "/v1/b", string(body)) // the key is in the body, and there is no such key
		o.want(200, "/v1/b", strings.Replace(string(body), `"writeKey":"WK"`, `"writeKey":"ingest-secret"`, 1))
		for _, call := range sent.Batch {
			if e := o.named(call.MessageID); string(e.Type) != call.Type || string(e.IDs.User) != call.UserID || e.Source != "site" || e.Times.Event.After(o.clock.Now()) {
				t.Errorf("%s: %+v, want the %s of %s, in the past", path, e, call.Type, call.UserID)
			}
		}
		if got, answer := o.send("GET", "/v1/projects/ingest-secret/settings", ""); got != 200 || !strings.Contains(answer, "Segment.io") {
			t.Errorf("settings: %d %s", got, answer)
		}
	}
}

func TestAnOpenedMailIsCountedByItsPixel(t *testing.T) {
	o := openDoors(t, true)
	for _, key := range []string{"ingest-secret", "ingest-secret", "nobody"} { // a mail proxy fetches twice; a wrong key is no broken image
		r, err := http.Get(o.base + "/pixel/v1/track?writeKey=" + key + "&event=Email%20Opened&userId=ann&campaign_id=7")
		if err != nil {
			t.Fatal(err)
		}
		image, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != 200 || len(image) != 43 || r.Header.Get("Content-Type") != "image/gif" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the pixel: %d, %d bytes, %v, %v", r.StatusCode, len(image), r.Header, err)
		}
	}
	if p := o.person("ann"); p.Session.Events != 1 {
		t.Errorf("the profile is %+v, want one event", p)
	}
	if e := o.events()[0]; e.Name != "Email Opened" || field(t, e.Props, "campaign_id") != "7" {
		t.Errorf("the event is %+v", e)
	}
}

func TestACallSaysWhoWhenWhereAndWithWhat(t *testing.T) {
	o := openDoors(t, true, func(o *overrides) { o.clean = cleaner(t, func(*clean.Config) {}) })
	at := o.clock.Now().Add(-time.Minute)
	o.want(200, "/v1/batch", batch(fmt.Sprintf(`{"type":"page","userId":"ann","anonymousId":"a1","messageId":"1","timestamp":%q,
		"context":{"page":{"url":"https://shop.example/lamp","referrer":"https://search.example/"},"timezone":"Europe/Berlin","locale":"de-DE","sessionId":"s1"}}`, at.Format(time.RFC3339))),
		append([]string{"X-API-Key", "ingest-secret"}, chrome...)...)
	e := o.named("1")
	if e.IDs.User != "ann" || e.IDs.Anonymous != "a1" || e.Session.ID != "s1" || !e.Times.Event.Equal(at) || e.Name != "Page Viewed" {
		t.Errorf("the event is %+v", e)
	}
	for path, want := range map[string]any{"page.url": "https://shop.example/lamp", "page.referrer": "https://search.example/", "device.browser": "Chrome", "device.type": "desktop", "device.os": "Linux", "tz": "Europe/Berlin", "locale": "de-DE"} {
		if got := field(t, e.Ctx, strings.Split(path, ".")...); got != want {
			t.Errorf("%s = %v, want %v, in %s", path, got, want, e.Ctx)
		}
	}
}

// Every kind of act, by its canonical name, is what counts as such.
func TestEveryKindOfActArrives(t *testing.T) {
	o := openDoors(t, true)
	for i, test := range []struct {
		event, properties string
		kind              data.Kind
		value             float64
	}{
		{"Product Viewed", `"product_id":"lamp"`, data.View, 0},
		{"Clicked", `"product_id":"lamp","tag":"a"`, data.Click, 0},
		{"Product Clicked", `"product_id":"lamp"`, data.Click, 0},
		{"Page Scrolled", `"product_id":"lamp","depth":0.9`, data.Scroll, 0},
		{"Page Scrolled", `"product_id":"lamp","depth":0.5`, data.KindNone, 0},
		{"Element Hovered", `"product_id":"lamp","hover_seconds":1`, data.KindNone, 0},
		{"Page Pinged", `"product_id":"lamp","dwell_seconds":31`, data.Dwell, 0},
		{"Page Left", `"product_id":"lamp","dwell_seconds":29`, data.KindNone, 0},
		{"Product Added", `"product_id":"lamp"`, data.AddToCart, 0},
		{"Products Searched", `"query":"lamps"`, data.KindNone, 0},
		{"Checkout Started", `"order_id":"o1","products":[{"product_id":"lamp"}]`, data.KindNone, 0},
		{"Checkout Step Viewed", `"step":2`, data.KindNone, 0},
		{"Order Completed", `"order_id":"o1","products":[{"product_id":"lamp","price":9.5,"quantity":2}]`, data.Purchase, 19},
		{"Signed Up", `"method":"mail"`, data.KindNone, 0},
		{"Item Rated", `"product_id":"lamp","rating":4`, data.Rating, 4},
		{"Product Added to Wishlist", `"product_id":"lamp"`, data.Wishlist, 0},
	} {
		id := fmt.Sprint("k", i)
		o.want(200, "/v1/t", fmt.Sprintf(`{"type":"track","event":%q,"userId":"ann","messageId":%q,"properties":{%s}}`, test.event, id, test.properties), "X-API-Key", "ingest-secret")
		e := o.named(id)
		acts := event.Interactions(e)
		if e.Name != test.event || (len(acts) == 1) != (test.kind != data.KindNone) || len(acts) == 1 && (acts[0].Kind != test.kind || acts[0].Value != test.value || acts[0].Item != "lamp") {
			t.Errorf("%s {%s}: event %q with acts %+v, want %v of %v", test.event, test.properties, e.Name, acts, test.kind, test.value)
		}
	}
	if p := o.person("ann"); p.Counts["views_7d"] != 1 || p.Counts["clicks_7d"] != 2 || p.Counts["carts_7d"] != 1 || p.Counts["purchases_7d"] != 1 || p.Session.Events != 16 {
		t.Errorf("the profile is %+v", p)
	}
}

// What a person likes stays among the candidates; what they dislike or hide never comes back.
func TestFeedbackChangesWhatIsRecommended(t *testing.T) {
	o := openDoors(t, false)
	o.house.stock().publish("m-1", 1)
	list := func() []string {
		status, answer := o.send("GET", "/v1/recommendations/ann?n=20&exclude_seen=false", "")
		var a struct{ Items []struct{ ID string } }
		if err := json.Unmarshal([]byte(answer), &a); status != 200 || err != nil {
			t.Fatal(status, answer)
		}
		var ids []string
		for _, it := range a.Items {
			ids = append(ids, it.ID)
		}
		return ids
	}
	o.want(200, "/v1/t", call("Product Viewed", "ann", "", "space-1", "1"))
	all := list()
	for i, test := range []struct {
		feedback, item string
		stays          bool
	}{{"like", "space-2", true}, {"hide", "space-3", false}, {"dislike", "space-4", false}, {"why am I seeing this", "space-5", true}} {
		if !slices.Contains(all, test.item) {
			t.Fatalf("%s is not recommended before: %v", test.item, all)
		}
		o.want(200, "/v1/t", fmt.Sprintf(`{"type":"track","event":"Feedback Given","userId":"ann","messageId":"f%d","properties":{"product_id":%q,"feedback":%q}}`, i, test.item, test.feedback))
		if now := list(); slices.Contains(now, test.item) != test.stays {
			t.Errorf("after %q about %s: %v", test.feedback, test.item, now)
		}
		if e := o.named(fmt.Sprint("f", i)); field(t, e.Props, "feedback") != test.feedback {
			t.Errorf("the log has %s", e.Props)
		}
	}
}
