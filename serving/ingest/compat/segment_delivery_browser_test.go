package compat

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// online is the browser's connection to everybody, and what it tells pages of it.
func (v *visitor) online(yes bool) {
	v.t.Helper()
	v.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if err := t.Call(ctx, "Network.enable", map[string]any{}, nil); err != nil {
			return err
		}
		return t.Call(ctx, "Network.emulateNetworkConditions", map[string]any{"offline": !yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}, nil)
	}))
	v.until(fmt.Sprintf("navigator.onLine == %t", yes))
}

// made lets the page's analytics make n calls, the first of them number from, and waits until the library has them.
func (v *visitor) made(from, n int) {
	v.t.Helper()
	v.until(`analytics.initialized`)
	v.run(fmt.Sprintf(`for (let i = %d; i < %d; i++) analytics.track("Made " + i); await new Promise(f => setTimeout(f, 50))`, from, from+n))
}

// deliveries are how analytics.js can be told to send: each call by itself, which is the default, or in batches.
var deliveries = map[string][]string{"one by one": nil, "in batches": {"--set", "snippet.batch_size=10"}}

func TestSegmentsLibraryKeepsCallsWhileTheBrowserIsOffline(t *testing.T) {
	for name, args := range deliveries {
		t.Run(name, func(t *testing.T) {
			v, s, track, pages := setUp(t, args...)
			v.open(pages + "/segment-quiet.html")
			v.until(`analytics.initialized`)
			v.online(false)
			v.made(0, 5)
			for _, a := range track.requests("") {
				if a.method == http.MethodPost {
					t.Errorf("a post to %s left the browser while it was offline", a.path)
				}
			}
			v.open("about:blank")
			v.online(true)
			v.open(pages + "/segment-quiet.html")
			v.made(5, 1)
			track.await("all calls", madeTaken(6))
			onceEach(t, distinct(s.events("shop")), 6) // the emulation ends for a page that is being closed
		})
	}
}

func TestSegmentsLibraryKeepsCallsOverAReloadWhileTheServerIsAway(t *testing.T) {
	v, s, track, pages := setUp(t)
	track.set(unreachable)
	v.open(pages + "/segment-quiet.html")
	v.made(0, 10)
	track.await("a try that fails", failed)
	v.do(chromedp.Reload())
	v.until(`analytics.initialized`)
	track.set(nil)
	v.made(10, 1)
	track.await("all calls", madeTaken(11))
	onceEach(t, s.events("shop"), 11)
}

func TestSegmentsLibraryWaitsAsLongAsAnOverloadedServerAsks(t *testing.T) {
	for name, args := range deliveries {
		t.Run(name, func(t *testing.T) {
			v, s, track, pages := setUp(t, args...)
			track.set(overloaded("3"))
			v.open(pages + "/segment-quiet.html")
			v.made(0, 5)
			refusals := 5
			if name == "in batches" {
				refusals = 1
			}
			posts := func(all []asked) []asked {
				return slices.DeleteFunc(slices.Clone(all), func(a asked) bool { return a.method != http.MethodPost || a.status == 0 })
			}
			track.await("the refusals", func(all []asked) bool { return len(posts(all)) == refusals })
			track.set(nil)
			track.await("all calls", madeTaken(5))
			first := map[string]time.Time{}
			for _, a := range posts(track.requests("")) {
				for _, c := range a.calls {
					if at, again := first[c.MessageID]; !again {
						first[c.MessageID] = a.at
					} else if pause := a.at.Sub(at); pause < 3*time.Second {
						t.Errorf("%s was sent again %v after its refusal, want 3 s at least", c.Event, pause)
					}
				}
			}
			if len(first) != 5 {
				t.Errorf("%d message ids were sent, want 5: a call keeps its own", len(first))
			}
			onceEach(t, s.events("shop"), 5)
		})
	}
}

func TestWhatSegmentsLibraryHoldsArrivesFromAClosingPage(t *testing.T) {
	v, s, track, pages := setUp(t, "--set", "snippet.batch_size=10", "--set", "snippet.batch_wait=60s")
	v.open(pages + "/segment-quiet.html")
	v.until(`analytics.initialized`)
	v.run(`await Promise.all([0, 1, 2, 3, 4].map(i => analytics.track("Made " + i)))`)
	if n := len(track.requests("/v1/b")); n != 0 {
		t.Errorf("%d requests while the batch is not full", n)
	}
	v.open("about:blank")
	track.await("all calls", madeTaken(5)) // of a page that is gone
	onceEach(t, distinct(s.events("shop")), 5)
}

func TestSegmentsLibraryLosesNothingToAPageThatIsLeftAtOnce(t *testing.T) {
	v, s, track, pages := setUp(t)
	v.open(pages + "/segment-quiet.html")
	v.until(`analytics.initialized`)
	v.run(`for (let i = 0; i < 20; i++) analytics.track("Made " + i)`)
	v.open("about:blank")
	v.open(pages + "/segment-quiet.html") // sends what did not leave
	track.await("all calls", madeTaken(20))
	onceEach(t, distinct(s.events("shop")), 20)
}
