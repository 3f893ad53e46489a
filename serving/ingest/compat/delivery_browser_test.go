package compat

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kindred/data"
)

// onceEach reports any of the n events "Made 0", "Made 1", … that is not in the log exactly once.
func onceEach(t *testing.T, events []data.Event, n int) {
	t.Helper()
	times := map[string]int{}
	for _, e := range events {
		times[e.Name]++
	}
	for i := range n {
		if name := fmt.Sprintf("Made %d", i); times[name] != 1 {
			t.Errorf("%s is %d times in the log, want once", name, times[name])
		}
	}
}

const make40 = `for (let i = 0; i < 40; i++) kindred.track("Made " + i, {text: "ä".repeat(500)});`

func madeTaken(n int) func([]asked) bool {
	return func(all []asked) bool {
		names := taken(all)
		for i := range n {
			if !slices.Contains(names, fmt.Sprintf("Made %d", i)) {
				return false
			}
		}
		return true
	}
}

func failed(all []asked) bool {
	return slices.ContainsFunc(all, func(a asked) bool { return a.method == http.MethodPost && a.status != http.StatusOK })
}

func TestCallsOutliveAServerThatIsDownAndTheirPage(t *testing.T) {
	v, s, track, pages := setUp(t)
	track.set(unreachable)
	v.open(pages + "/quiet.html")
	v.run(make40)
	track.await("a try that fails", failed)
	v.until(`localStorage.kd_wait`) // or the closing page would try once more
	v.do(chromedp.Reload())
	if stored := read[int](v, `Object.keys(localStorage).filter(k => k.startsWith("kdq.")).length`); stored != 40 {
		t.Errorf("%d calls are stored after the page was loaded again, want 40", stored)
	}
	track.set(nil)
	track.await("all calls", madeTaken(40))
	v.until(`!Object.keys(localStorage).some(k => k.startsWith("kdq."))`)
	ids := map[string]string{} // of every call in every try, delivered or not
	for _, a := range track.requests("/v1/b") {
		for _, c := range a.calls {
			if ids[c.Event] == "" {
				ids[c.Event] = c.MessageID
			}
			if ids[c.Event] != c.MessageID {
				t.Errorf("%s was sent as %s and as %s", c.Event, ids[c.Event], c.MessageID)
			}
		}
	}
	onceEach(t, s.events("shop"), 40)
}

func TestAnOverloadedServerIsLeftInPeaceForAsLongAsItAsks(t *testing.T) {
	v, s, track, pages := setUp(t)
	track.set(overloaded("3"))
	v.open(pages + "/quiet.html")
	v.run(make40)
	track.await("a refusal", failed)
	v.until(`localStorage.kd_wait`) // until the page has heard of it, too
	track.set(nil)
	v.do(chromedp.Reload()) // does not make it forget
	v.run(`kindred.track("Later"); await kindred.flush()`)
	track.await("all calls", madeTaken(40))
	posts := track.requests("/v1/b")
	if pause := posts[1].at.Sub(posts[0].at); posts[0].status != http.StatusTooManyRequests || pause < 3*time.Second {
		t.Errorf("after a %d the next try came %v later, want 3 s at least", posts[0].status, pause)
	}
	onceEach(t, s.events("shop"), 40)
}

func TestWhatAClosingPageSendsArrives(t *testing.T) {
	v, s, track, pages := setUp(t)
	v.open(pages + "/shop.html")
	track.awaitTaken("page")
	before := len(track.requests("/v1/b"))
	// 130 kB and the page is gone in the same instant; a browser lets 64 kB out.
	v.run(`for (let i = 0; i < 100; i++) kindred.track("Made " + i, {text: "ä".repeat(400)});`)
	v.open("about:blank")
	track.await("a beacon", func(all []asked) bool { return madeTaken(9)(all) })
	for _, a := range track.requests("/v1/b")[before:] {
		if len(a.calls) == 0 {
			t.Errorf("a request without calls: %v", a.header)
		}
	}
	v.open(pages + "/quiet.html") // the rest waits for the next page
	track.await("all calls", func(all []asked) bool { return madeTaken(100)(all) && slices.Contains(taken(all), "Page Left") })
	events := distinct(s.events("shop"))
	if len(events) != 102 { // the page, the hundred, the leaving
		t.Errorf("the log holds %d message ids, want 102: a call that is sent again keeps its id", len(events))
	}
	onceEach(t, events, 100)
}

func TestTabsShareTheQueueWithoutSendingTwice(t *testing.T) {
	first, s, track, pages := setUp(t)
	first.open(pages + "/quiet.html")
	second := first.tab()
	second.open(pages + "/quiet.html")
	track.set(unreachable)
	first.run(`for (let i = 0; i < 20; i++) kindred.track("Made " + i);`)
	second.run(`for (let i = 20; i < 40; i++) kindred.track("Made " + i);`)
	track.await("a try that fails", failed)
	track.set(nil)
	track.await("all calls", madeTaken(40))
	onceEach(t, s.events("shop"), 40)
}

func TestWithoutStorageCallsStillArrive(t *testing.T) {
	v, s, track, pages := setUp(t)
	track.set(unreachable)
	v.open(pages + "/denied.html")
	v.run(make40)
	track.await("a try that fails", failed)
	track.set(nil)
	track.await("all calls", madeTaken(40))
	events := s.events("shop")
	onceEach(t, events, 40)
	if events[0].IDs.Anonymous == "" || events[0].IDs.Anonymous != events[len(events)-1].IDs.Anonymous {
		t.Errorf("the visitor is %+v, then %+v", events[0].IDs, events[len(events)-1].IDs)
	}
}

func TestOneBadCallDoesNotHoldUpTheOthers(t *testing.T) {
	v, s, track, pages := setUp(t)
	v.open(pages + "/quiet.html")
	track.refuse("Made 3")
	v.run(make40)
	v.until(`!Object.keys(localStorage).some(k => k.startsWith("kdq."))`)
	times := map[string]int{}
	for _, e := range s.events("shop") {
		times[e.Name]++
	}
	if len(times) != 39 || times["Made 3"] != 0 {
		t.Errorf("%d of 39 good calls arrived, and %d of the bad one", len(times)-min(times["Made 3"], 1), times["Made 3"])
	}
	for name, n := range times {
		if n != 1 {
			t.Errorf("%s is %d times in the log, want once", name, n)
		}
	}
}
