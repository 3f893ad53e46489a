package compat

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

// startedWith is the query that adds options to those that a page of testdata starts its tracker with.
func startedWith(options string) string { return "?" + url.Values{"with": {options}}.Encode() }

// preflighted reports unless a preflight went before the posts to a path that begins so.
func preflighted(t *testing.T, track *tap, path string) {
	t.Helper()
	all := track.requests("")
	before := slices.IndexFunc(all, func(a asked) bool { return a.method == http.MethodOptions && strings.HasPrefix(a.path, path) })
	sent := slices.IndexFunc(all, func(a asked) bool { return a.method == http.MethodPost && strings.HasPrefix(a.path, path) })
	if before < 0 || sent < before {
		t.Errorf("the browser's preflight is request %d, its first post %d; want both in this order", before, sent)
	}
}

func TestRudderStacksBrowserClientWorksByItsDataPlaneAlone(t *testing.T) {
	needPackages(t)
	v, s, track, pages := setUp(t)
	v.open(pages + "/rudder.html")
	track.awaitTaken("page", "identify", "Product Viewed")
	preflighted(t, track, "/v1/")
	for _, url := range read[[]string](v, `performance.getEntriesByType("resource").map(r => r.name)`) {
		if !strings.HasPrefix(url, track.URL) && !strings.HasPrefix(url, pages) {
			t.Errorf("the page asked somebody else: %s", url)
		}
	}
	all := distinct(s.events("shop")) // the fold sends what was too early for its person on, under the same id
	events := byName(all)
	page, identify, viewed := events["Page Viewed"], events[""], events["Product Viewed"]
	if page == nil || identify == nil || viewed == nil || len(all) != 3 {
		t.Fatalf("the log holds %v, want three events once", all)
	}
	if text(t, identify.Traits, "plan") != "gold" || text(t, page.Props, "name") != "Home" || text(t, page.Ctx, "library", "name") != "RudderLabs JavaScript SDK" {
		t.Errorf("traits %s, the page's properties %s and context %s", identify.Traits, page.Props, page.Ctx)
	}
	if page.IDs.Anonymous == "" || page.IDs.Anonymous != viewed.IDs.Anonymous || viewed.IDs.User != "u1" {
		t.Errorf("the page's visitor is %+v, the viewer %+v; want the same, who is u1", page.IDs, viewed.IDs)
	}
	if got, want := viewed.Items, []data.EventItem{{ID: "lamp", Price: 9.5}}; !cmp.Equal(got, want) {
		t.Errorf("items (-got +want):\n%s", cmp.Diff(got, want))
	}
}

func TestRudderStacksBeaconsArriveFromAClosingPage(t *testing.T) {
	needPackages(t)
	v, s, track, pages := setUp(t)
	v.open(pages + "/rudder.html" + startedWith(", useBeacon: true"))
	v.until(`rudder.getAnonymousId()`)
	v.run(`rudder.track("Made 0"); rudder.track("Made 1")`)
	v.open("about:blank")
	track.await("the beacon", madeTaken(2))
	for _, a := range track.requests("/beacon/v1/batch") {
		if a.method != http.MethodPost || a.header.Get("Origin") != pages {
			t.Errorf("got a %s from %q, want a post from the page", a.method, a.header.Get("Origin"))
		}
	}
	onceEach(t, distinct(s.events("shop")), 2) // nobody hears a beacon's answer
}

// Snowplow's tracker sends with credentials, and again whatever it cannot read the answer of.
func TestSnowplowsBrowserTrackerSendsEachEventOnce(t *testing.T) {
	needPackages(t)
	for name, options := range map[string]string{
		"as it is": "", "two in one body": ", bufferSize: 2", "by GET": `, eventMethod: "get"`,
		"anonymous": ", anonymousTracking: {withServerAnonymisation: true}",
	} {
		t.Run(name, func(t *testing.T) {
			v, s, track, pages := setUp(t)
			v.open(pages + "/snowplow.html" + startedWith(options))
			v.until(`Object.keys(localStorage).filter(k => k.startsWith("snowplowOutQueue_sp")).every(k => JSON.parse(localStorage[k]).length == 0)`)
			if name == "by GET" {
				if n := len(track.requests("/i")); n != 2 {
					t.Errorf("%d requests for an image, want 2", n)
				}
			} else {
				preflighted(t, track, "/com.snowplowanalytics.snowplow/tp2")
			}
			all, dead := s.taken("shop")
			all = distinct(all)
			if name == "anonymous" { // an event that is nobody's cannot be folded into anybody
				if len(all) != 0 || len(dead) != 2 || !strings.Contains(dead[0].Reason, "anonymousId") || strings.Contains(string(dead[0].Raw), "127.0.0.") {
					t.Errorf("the log holds %v; want two dead letters that name nobody: %v", all, dead)
				}
				return
			}
			if len(all) != 2 || len(dead) != 0 {
				t.Fatalf("the log holds %d events, want the page view and the view: %v", len(all), all)
			}
			events := byName(all)
			page, viewed := events["Page Viewed"], events["View"]
			if page == nil || viewed == nil {
				t.Fatalf("the log holds %q and %q, want Page Viewed and View", all[0].Name, all[1].Name)
			}
			if number(t, viewed.Props, "value") != 9.5 || text(t, viewed.Props, "label") != "lamp" || text(t, page.Ctx, "page", "title") != "Snowplow" {
				t.Errorf("the view has properties %s, the page context %s", viewed.Props, page.Ctx)
			}
			if page.IDs.User != "u1" || page.IDs.Anonymous == "" || viewed.IDs.Anonymous != page.IDs.Anonymous {
				t.Errorf("the page's visitor is %+v, the viewer %+v; want the same, who is u1", page.IDs, viewed.IDs)
			}
		})
	}
}
