package compat

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

func TestSegmentsSnippetWorksByChangingItsHost(t *testing.T) {
	v, s, track, pages := setUp(t, "--set", "snippet.batch_size=10")
	v.open(pages + "/segment.html")
	track.awaitTaken("page", "identify", "Product Viewed")

	// The library took our settings: one batch, allowed by a preflight of the browser's.
	if n := len(track.requests("/v1/projects/segment-shop/settings")); n != 1 {
		t.Errorf("the settings were asked for %d times, want once", n)
	}
	var preflights, posts []asked
	for _, a := range track.requests("/v1/b") {
		if a.method == http.MethodOptions {
			preflights = append(preflights, a)
		} else {
			posts = append(posts, a)
		}
	}
	if len(preflights) != 1 || !strings.Contains(preflights[0].header.Get("Access-Control-Request-Headers"), "authorization") {
		t.Errorf("the browser sent %d preflights, want one that asks for the header authorization", len(preflights))
	}
	if len(posts) != 1 || len(posts[0].calls) != 3 || posts[0].header.Get("Content-Type") != "text/plain" {
		t.Errorf("got %d requests, want one text/plain batch of 3 calls", len(posts))
	}
	for _, url := range read[[]string](v, `performance.getEntriesByType("resource").map(r => r.name)`) {
		if !strings.HasPrefix(url, track.URL) && !strings.HasPrefix(url, pages) {
			t.Errorf("the page asked somebody else: %s", url)
		}
	}

	events := byName(s.events("segment-shop"))
	page, identify, viewed := events["Page Viewed"], events[""], events["Product Viewed"]
	if page == nil || identify == nil || viewed == nil || len(events) != 3 {
		t.Fatalf("the log holds %v", events)
	}
	if page.IDs.Anonymous == "" || page.IDs.Anonymous != viewed.IDs.Anonymous {
		t.Errorf("the page's visitor is %+v, the viewer %+v; want the same anonymous id", page.IDs, viewed.IDs)
	}
	if identify.IDs.User != "u1" || text(t, identify.Traits, "plan") != "gold" || viewed.IDs.User != "u1" {
		t.Errorf("identify arrived as %+v with traits %s", identify.IDs, identify.Traits)
	}
	if got, want := viewed.Items, []data.EventItem{{ID: "lamp", Price: 9.5}}; !cmp.Equal(got, want) {
		t.Errorf("items (-got +want):\n%s", cmp.Diff(got, want))
	}
	if got := text(t, viewed.Ctx, "library", "name"); got != "analytics.js" {
		t.Errorf("the library calls itself %q", got)
	}
	if got := text(t, page.Ctx, "page", "title"); got != "Segment" {
		t.Errorf("the page's title arrived as %q", got)
	}
}
