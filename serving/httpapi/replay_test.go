package httpapi_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/serving/ingest"
	"kindred/serving/ingest/clean"
)

const strictPlan = `
plan: shop
mode: quarantine
unknown_events: "off"
events:
  - name: Product Viewed
    properties: {properties: {product_id: {type: number}}}
`

// crashing is a store that goes away before it settles anything.
type crashing struct{ *embedded.Store }

func (crashing) SettleDead(context.Context, []uint64, []data.DeadLetter) error { return data.ErrClosed }

// replayed asks for a replay.
func (h *house) replayed(body string) (out ingest.Replayed) {
	h.t.Helper()
	h.do("POST", "/v1/dead-letters/replay", body).want(http.StatusOK).into(&out)
	return out
}

func TestADeadLetterOfAMendedPlanCountsOnceHoweverOftenItIsReplayed(t *testing.T) {
	stage, mend := planned(t, strictPlan)
	h := open(t, func(o *overrides) { o.plan = stage })
	// Of a route that implies the type, with the batch's context and clock, and without an id.
	at := func(d time.Duration) string { return h.clock.Now().Add(d).Format(time.RFC3339Nano) }
	h.do("POST", "/v1/batch", `{"batch":[`+call("Product Viewed", "ann", "", "lamp", "1")+`],"context":{"locale":"de-DE"},"sentAt":"`+at(time.Hour)+`"}`).want(http.StatusOK)
	h.do("POST", "/v1/t", `{"event":"Product Viewed","userId":"ann","properties":{"product_id":"desk"}}`).want(http.StatusOK)
	if n := len(h.letters()); n != 2 || len(h.events()) != 0 {
		t.Fatalf("%d dead letters, want both calls", n)
	}
	received := h.clock.Now()
	h.clock.Advance(time.Hour)

	again := h.replayed(`{}`)
	if again.Refused != 2 || again.Matched != 2 || len(again.Reasons) == 0 {
		t.Errorf("a replay before the fix: %+v, want two refused with their reasons", again)
	}
	mend(strings.Replace(strictPlan, "number", "integer", 1))
	h.replayed(`{}`)
	if list := h.letters(); len(list) != 2 || !strings.Contains(list[0], "want integer") {
		t.Errorf("dead letters %q, want the two with the new reason", list)
	}
	mend(strings.Replace(strictPlan, "number", "string", 1))
	if dry := h.replayed(`{"kind":"plan.quarantine","dry_run":true}`); dry.Accepted != 2 || len(h.events()) != 0 || len(h.letters()) != 2 {
		t.Errorf("a dry run: %+v, %d events, %d letters; want it to say two and to change nothing", dry, len(h.events()), len(h.letters()))
	}
	// A crash between the log and the letters: the events are there, and the letters, too.
	if _, err := h.ingest.Replay(t.Context(), crashing{h.store}, ingest.Which{}, 10, false); err == nil || len(h.events()) != 2 || len(h.letters()) != 2 {
		t.Errorf("Replay = %v with %d events and %d letters, want an error and two of both", err, len(h.events()), len(h.letters()))
	}
	if r := h.replayed(`{"limit":1}`); r.Accepted != 1 || r.Next == 0 {
		t.Errorf("a replay of one: %+v", r)
	} else if r = h.replayed(`{"after":` + "1" + `}`); r.Accepted != 1 || r.Next != 0 {
		t.Errorf("the rest: %+v", r)
	}
	if n := len(h.letters()); n != 0 {
		t.Errorf("%d dead letters are left", n)
	}
	// The client sends the fixed call again, too.
	h.do("POST", "/v1/batch", `{"batch":[`+call("Product Viewed", "ann", "", "lamp", "1")+`]}`).want(http.StatusOK)
	var profile struct {
		Counts map[string]int
		Items  int
	}
	h.do("GET", "/v1/profiles/ann", "").want(http.StatusOK).into(&profile)
	if profile.Counts["views_7d"] != 2 || profile.Items != 2 {
		t.Errorf("the profile counts %+v, want two views of two items", profile)
	}
	for _, e := range h.events() {
		if e.ID == "1" && e.Times.Received.Equal(received) && (!strings.Contains(string(e.Ctx), "de-DE") || e.Times.SkewMS != 3_600_000) {
			t.Errorf("the replayed event lacks what came with it: %s %+v", e.Ctx, e.Times)
		}
	}
	if m := h.do("GET", "/metrics", "").Body.String(); !strings.Contains(m, `kindred_dead_letters_replayed_total{result="accepted"} 2`) {
		t.Error("the replayed letters are not counted")
	}
}

func TestAReplayTakesWhatItsFilterNames(t *testing.T) {
	h := open(t, nil)
	send := func(source, body string) { h.do("POST", "/v1/t", body, "X-API-Key", source).want(http.StatusOK) }
	send("shop", `{"userId":"ann"}`)
	h.clock.Advance(time.Hour)
	noon := h.clock.Now().Format(time.RFC3339)
	send("shop", `{"event":"Seen"}`)
	send("app", `{"event":"Seen"}`)
	h.do("POST", "/v1/track", `{"event":"Seen"} x`).want(http.StatusBadRequest)
	for body, want := range map[string]int{
		`{}`: 3, `{"source":"shop"}`: 2, `{"kind":"call"}`: 3, `{"from":"` + noon + `"}`: 2, `{"before":"` + noon + `"}`: 1, `{"reason":"track call"}`: 1, `{"until":2}`: 2, `{"after":2}`: 1, `{"kind":"plan.reject"}`: 0,
	} {
		body = strings.Replace(body, "}", `,"dry_run":true}`, 1)
		if got := h.replayed(strings.Replace(body, "{,", "{", 1)); got.Matched != want || got.Refused != want {
			t.Errorf("%s: %+v, want %d", body, got, want)
		}
	}
	for _, body := range []string{`{"limit":0}`, `{"from":"yesterday"}`, `{"sauce":1}`} {
		h.do("POST", "/v1/dead-letters/replay", body).want(http.StatusUnprocessableEntity)
	}
	var list struct {
		DeadLetters []struct {
			Source, Kind string
			Replayable   bool
		} `json:"dead_letters"`
	}
	h.do("GET", "/v1/dead-letters?source=app&kind=call", "").want(http.StatusOK).into(&list)
	if len(list.DeadLetters) != 1 || list.DeadLetters[0].Source != "app" || !list.DeadLetters[0].Replayable {
		t.Errorf("filtered: %+v", list)
	}
	h.do("GET", "/v1/dead-letters?before=yesterday", "").want(http.StatusUnprocessableEntity)
}

func TestWhatIsTooOldByNowOrNoCallStaysAmongTheDeadLetters(t *testing.T) {
	stage, mend := planned(t, strictPlan)
	h := open(t, func(o *overrides) { o.plan = stage })
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "lamp", "1"))).want(http.StatusOK)
	h.do("POST", "/com.snowplowanalytics.snowplow/tp2", `{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4","data":[{"e":"xx"}]}`).want(http.StatusOK)
	mend(strings.Replace(strictPlan, "number", "string", 1))
	h.clock.Advance(8 * 24 * time.Hour)
	if r := h.replayed(`{}`); r.Matched != 2 || r.Late != 1 || r.Unable != 1 || len(h.letters()) != 2 || len(h.events()) != 0 {
		t.Errorf("Replay = %+v with %d letters left, want neither and both", r, len(h.letters()))
	}
}

func TestAQuarantinedProgramIsReplayedByTheListOfToday(t *testing.T) {
	agents := file(t, "agents.txt", "^ShopMonitor\n")
	c := cleaner(t, func(c *clean.Config) { c.Bot.QuarantineAt, c.Bot.UserAgents, c.Bot.PersonRate = .8, agents, 2 })
	h := open(t, func(o *overrides) { o.clean = c })
	h.do("POST", "/v1/t", call("Product Viewed", "ann", "", "lamp", "1"), "User-Agent", "ShopMonitor/1", "Origin", "https://shop.example").want(http.StatusOK)
	for _, id := range []string{"2", "3", "4"} { // the third is faster than a person
		h.do("POST", "/v1/t", call("Product Viewed", "bob", "", "lamp", id), chrome...).want(http.StatusOK)
	}
	if n := len(h.letters()); n != 2 {
		t.Fatalf("%d dead letters %q, want the monitor's and the fast one's", n, h.letters())
	}
	if r := h.replayed(`{"kind":"bot.quarantine"}`); r.Refused != 2 {
		t.Errorf("before the fix: %+v", r)
	}
	rewrite(t, agents, "!^ShopMonitor\n")
	if changed, err := c.Refresh(); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if r := h.replayed(`{"kind":"bot.quarantine"}`); r.Accepted != 1 || r.Refused != 1 {
		t.Errorf("after the fix: %+v, want the monitor's alone", r)
	}
}

func TestAPlanIsTriedAndDrafted(t *testing.T) {
	stage, _ := planned(t, strictPlan)
	h := open(t, func(o *overrides) { o.plan = stage })
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "lamp", "1"), call("Signed Up", "ann", "", "x", "2"))).want(http.StatusOK)
	var got struct {
		Events  int
		Fit     int
		Unfit   int
		Results []struct{ Status, Mode, Error string }
	}
	mended := strings.ReplaceAll(strings.ReplaceAll(strings.Replace(strictPlan, "number", "string", 1), `"`, `\"`), "\n", `\n`)
	h.do("POST", "/v1/schema/check", `{"plan":"`+mended+`","dead_letters":"plan.quarantine","calls":[{"type":"track","event":"Product Viewed","userId":"a","properties":{"product_id":7}},{"type":"page"}]}`).want(http.StatusOK).into(&got)
	if got.Events != 1 || got.Fit != 1 || got.Unfit != 0 || len(got.Results) != 2 || got.Results[0].Status != "invalid" || got.Results[1].Error == "" {
		t.Errorf("the mended plan: %+v", got)
	}
	got.Fit = 0
	h.do("POST", "/v1/schema/check", `{"dead_letters":"plan.quarantine"}`).want(http.StatusOK).into(&got)
	if got.Fit != 0 || got.Unfit != 1 {
		t.Errorf("the plan in force: %+v", got)
	}
	for _, body := range []string{`{"plan":{"events":[{"name":""}]}}`, `{"plan":{"evnts":[]}}`, `{"plan":3}`} {
		h.do("POST", "/v1/schema/check", body).want(http.StatusUnprocessableEntity)
	}
	if r := h.do("GET", "/v1/schema/inferred", "").want(http.StatusOK).Body.String(); !strings.Contains(r, `"Signed Up"`) || !strings.Contains(r, `"product_id"`) {
		t.Errorf("the draft is %s", r)
	}
	none := open(t, nil)
	none.do("GET", "/v1/schema/report", "").want(http.StatusNotFound)
	none.do("POST", "/v1/schema/check", `{}`).want(http.StatusUnprocessableEntity)
}

func TestTheCheckInTheDocsIsTaken(t *testing.T) {
	doc, err := os.ReadFile("../../docs/tracking-plan.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```json check\n")
	body, _, _ := strings.Cut(rest, "```")
	if r := open(t, nil).do("POST", "/v1/schema/check", body).want(http.StatusOK); !strings.Contains(r.Body.String(), "is missing; the plan requires it") {
		t.Errorf("the answer is %s", r.Body)
	}
}
