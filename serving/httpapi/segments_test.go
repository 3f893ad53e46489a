package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/segments"
)

type memberships struct {
	Version  string
	Segments []struct {
		Segment string
		Since   time.Time
	}
}

// in are the segments of a person, as profile, route and recommendations say: they must agree.
func (h *house) in(user string) string {
	h.t.Helper()
	var m, p memberships
	h.do("GET", "/v1/profiles/"+user+"/segments", "").want(http.StatusOK).into(&m)
	h.do("GET", "/v1/profiles/"+user, "").want(http.StatusOK).into(&p)
	var names, again []string
	for i, s := range m.Segments {
		names = append(names, s.Segment)
		if i < len(p.Segments) {
			again = append(again, p.Segments[i].Segment)
		}
	}
	for range 2 { // the second one is kept
		if got := h.do("GET", "/v1/recommendations/"+user, "").list().Segments; !slices.Equal(got, names) || !slices.Equal(again, names) {
			h.t.Errorf("%s is in %v, by the profile in %v, by recommendations in %v", user, names, again, got)
		}
	}
	return strings.Join(names, " ")
}

// backfilled waits until the version has its backfill and it is folded.
func (h *house) backfilled(version string) {
	h.t.Helper()
	for range 1000 {
		if r, err := h.catalog.RulesByVersion(h.t.Context(), version); err != nil || r.Backfill != data.BackfillWanted {
			if err != nil {
				h.t.Fatal(err)
			}
			if err := h.worker.CatchUp(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.t.Fatal("no backfill within 10 s")
}

func (h *house) does(user, event, id string) {
	h.t.Helper()
	h.do("POST", "/v1/batch", batch(call(event, user, "", "p1", id))).want(http.StatusOK)
}

// TestTheLifeOfARule goes from the starter pack to a purchase, an edit and the way back.
func TestTheLifeOfARule(t *testing.T) {
	h := open(t, nil)
	h.does("ann", "Product Viewed", "1") // before there are any rules
	h.do("POST", "/v1/segments/publish", `{}`).want(http.StatusNotFound)
	h.do("GET", "/v1/profiles/ann/explain", "").want(http.StatusNotFound)
	h.do("POST", "/v1/segments/rollback", "").want(http.StatusNotFound)

	h.do("POST", "/v1/segments/starter", "").want(http.StatusOK)
	var first data.RuleSet
	h.do("POST", "/v1/segments/publish", `{}`).want(http.StatusOK).into(&first)
	h.backfilled(first.Version)
	if got := h.in("ann"); got != "browsers" {
		t.Fatalf("who looked at something before the rules were published is in %q, want browsers", got)
	}
	h.does("ann", "Product Added", "2")
	if got := h.in("ann"); got != "interested_buyers" {
		t.Errorf("with something in the cart: %q", got)
	}
	var why struct {
		Segments []struct {
			Segment string
			Member  bool
			Next    *struct {
				At     time.Time
				Enters bool
			}
		}
	}
	h.do("GET", "/v1/profiles/ann/explain?segment=cart_abandonners", "").want(http.StatusUnprocessableEntity)
	h.do("GET", "/v1/profiles/ann/explain?segment=cart_abandoners", "").want(http.StatusOK).into(&why)
	if s := why.Segments; len(s) != 1 || s[0].Member || s[0].Next == nil || !s[0].Next.Enters || s[0].Next.At.Sub(h.clock.Now()) != 24*time.Hour {
		t.Errorf("the cart will be abandoned in 24 h: %+v", s)
	}

	var draft struct{ Version, Live string }
	h.do("PUT", "/v1/segments/viewers", `{"when":"events(\"Product Viewed\").ever().count() >= 2"}`).want(http.StatusOK).into(&draft)
	var diff segments.Diff
	h.do("POST", "/v1/segments/diff", `{}`).want(http.StatusOK).into(&diff)
	h.does("ann", "Product Viewed", "3")
	var preview segments.Preview
	h.do("POST", "/v1/segments/preview", `{"segment":"viewers"}`).want(http.StatusOK).into(&preview)
	if len(preview.Sample) != 1 || !preview.Folded || preview.People != 1 || preview.Segments[len(preview.Segments)-1] != (segments.PreviewSize{Segment: "viewers", Size: 1}) {
		t.Errorf("the preview is %+v", preview)
	}
	h.do("POST", "/v1/segments/diff", `{}`).want(http.StatusOK).into(&diff)
	if i := slices.IndexFunc(diff.Segments, func(d segments.DiffSegment) bool { return d.Segment == "viewers" }); i < 0 || diff.Segments[i].Enter != 1 || diff.Segments[i].Leave != 0 {
		t.Errorf("the diff is %+v", diff)
	}
	var second data.RuleSet
	h.do("POST", "/v1/segments/publish", `{}`).want(http.StatusOK).into(&second)
	h.backfilled(second.Version)
	if got := h.in("ann"); got != "interested_buyers viewers" {
		t.Errorf("after an edit: %q; nothing that was counted may be lost", got)
	}
	h.does("ann", "Order Completed", "4")
	if got := h.in("ann"); got != "recent_converters viewers" {
		t.Errorf("after a purchase: %q", got)
	}
	var back data.RuleSet
	h.do("POST", "/v1/segments/rollback", "").want(http.StatusOK).into(&back)
	h.backfilled(back.Version)
	if got := h.in("ann"); got != "recent_converters" || back.Source != first.Version || back.Previous != second.Version {
		t.Errorf("after a rollback to %s: %q", back.Source, got)
	}
	var history struct{ Versions []data.RuleSet }
	h.do("GET", "/v1/segments/history", "").want(http.StatusOK).into(&history)
	if len(history.Versions) != 3 || history.Versions[0].Version != back.Version {
		t.Errorf("the history is %+v", history)
	}
	h.do("DELETE", "/v1/segments/lapsed", "").want(http.StatusOK)
	h.do("GET", "/v1/segments/lapsed", "").want(http.StatusNotFound)
	h.do("GET", "/v1/segments/engaged", "").want(http.StatusOK)
	h.do("GET", "/v1/segments?version=live", "").want(http.StatusOK)
}

func TestABacktestIsAJobWithAReport(t *testing.T) {
	h := open(t, nil)
	h.does("ann", "Product Viewed", "1")
	h.clock.Advance(48 * time.Hour)
	h.does("bob", "Product Viewed", "2")
	h.do("POST", "/v1/segments/starter", "").want(http.StatusOK)
	var j data.Job
	h.do("POST", "/v1/segments/backtest", `{"days":3}`).want(http.StatusAccepted).into(&j)
	for range 1000 {
		if h.do("GET", "/v1/jobs/"+j.ID, "").want(http.StatusOK).into(&j); j.State != data.JobRunning {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	var e struct{ Report segments.Backtest }
	h.do("GET", "/v1/evaluations/"+j.ID, "").want(http.StatusOK).into(&e)
	if s := e.Report.Segments; len(s) != 7 || !slices.Equal(s[0].Entries, []int{1, 0, 1}) || !slices.Equal(s[0].Size, []int{1, 1, 2}) || j.State != data.JobDone {
		t.Errorf("%+v of %+v", e.Report, j)
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	h := open(t, nil)
	var check struct {
		OK       bool
		Slots    int
		Mistakes []struct {
			Rule, Field, Message, Suggestion string
			Line, Column                     int
		}
	}
	h.do("POST", "/v1/segments/check", `{"rule":{"segment":"a","when":"evnts(\"X\").ever().count() > 1"}}`).want(http.StatusOK).into(&check)
	if m := check.Mistakes; check.OK || len(m) != 1 || m[0].Rule != "a" || m[0].Field != "when" || m[0].Line != 1 || m[0].Column < 1 || m[0].Suggestion == "" {
		t.Errorf("the check says %+v", check)
	}
	h.do("PUT", "/v1/segments/a", `{"when":"traits.age >"}`).want(http.StatusUnprocessableEntity)
	h.do("PUT", "/v1/segments/a", `{"when":"traits.age > 3","for":"soon"}`).want(http.StatusUnprocessableEntity)
	h.do("PUT", "/v1/segments", `{"text":"segments: ["}`).want(http.StatusUnprocessableEntity)
	h.do("POST", "/v1/segments/preview", `{"text":"segments:\n- segment: a\n  when: 3"}`).want(http.StatusUnprocessableEntity)
	h.do("GET", "/v1/segments?version=r-9-0", "").want(http.StatusNotFound)
	var draft struct{ Version string }
	h.do("PUT", "/v1/segments", `{"text":"segments:\n- segment: a\n  when: traits.age > 3"}`).want(http.StatusOK).into(&draft)
	h.do("PUT", "/v1/segments", `{"text":"segments: []","base":"`+draft.Version+`"}`).want(http.StatusOK)
	h.do("PUT", "/v1/segments", `{"text":"scores: []","base":"`+draft.Version+`"}`).want(http.StatusConflict)
}
