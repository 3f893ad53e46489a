package analytics

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/data/event"
	"kindred/data/lake"
	"kindred/features"
)

var monday = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// after is so many hours behind monday.
func after(hours int) time.Time { return monday.Add(time.Duration(hours) * time.Hour) }

// did is an event of somebody.
func did(n int, user data.UserID, name string, hours int, props string) data.Event {
	at := after(hours)
	e := data.Event{V: data.EventVersion, ID: fmt.Sprint("m", n), Source: "test", Space: data.DefaultSpace, Type: data.Track, Name: name, IDs: data.IDs{User: user},
		Profile: data.NewProfileID(data.IDUser, string(user)), Times: data.Times{Event: at, Original: at, Received: at}}
	if props != "" {
		e.Props = []byte(props)
	}
	return e
}

// of reads a history from a lake that holds the events.
func of(t *testing.T, events ...data.Event) *History {
	t.Helper()
	l, err := lake.Open(t.TempDir(), data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	b := lake.Block{Last: int64(len(events)) - 1}
	for i, e := range events {
		b.Records = append(b.Records, data.Record{Offset: int64(i), Value: event.Seal(e)})
	}
	if err := l.WriteBlock(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	snap, err := l.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h, err := Read(t.Context(), snap, features.Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const day = 24

func shop(t *testing.T) *History {
	campaign := did(1, "ann", "Product Viewed", 1, "")
	campaign.Ctx = []byte(`{"campaign":{"name":"autumn"}}`)
	twice := did(2, "ann", "Product Added", 2, "")
	return of(t, campaign, twice, twice, // a retry counts once
		did(3, "ann", "Order Completed", 3, `{"revenue":30}`),
		did(4, "bob", "Product Viewed", 4, ""),
		did(5, "bob", "Product Added", 5, ""),
		did(6, "ann", "Product Viewed", 8*day, ""),
		did(7, "cat", "Product Viewed", 8*day+1, ""),
		did(8, "bob", "Order Completed", 15*day, `{"revenue":5}`),
		did(9, "ann", "Order Completed", 15*day+1, `{"revenue":12.5}`),
	)
}

func TestCohortsCountWhoCameBack(t *testing.T) {
	got, err := shop(t).Cohorts(CohortOptions{Periods: 4})
	if err != nil {
		t.Fatal(err)
	}
	want := []Cohort{
		{Cohort: "2026-11-02", People: 2, Returned: []int{2, 1, 2, 0}, Complete: 2},
		{Cohort: "2026-11-09", People: 1, Returned: []int{0, 0, 0, 0}, Complete: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cohorts (-want +got):\n%s", diff)
	}
}

func TestCohortsOfCampaignsEventsAndEntries(t *testing.T) {
	h := shop(t)
	got, err := h.Cohorts(CohortOptions{Campaign: true, Return: "Order Completed", Period: Day, Periods: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := []Cohort{{Cohort: "", People: 2, Returned: []int{0, 0}, Complete: 2}, {Cohort: "autumn", People: 1, Returned: []int{1, 0}, Complete: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("campaigns (-want +got):\n%s", diff)
	}
	entries := map[string]int64{string(data.NewProfileID(data.IDUser, "bob")): after(10).UnixMilli()}
	got, err = h.Cohorts(CohortOptions{Entries: entries, Period: Month, Periods: 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Cohort{{Cohort: "2026-11-01", People: 1, Returned: []int{1}}}, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestFunnelsAreInOrderAndInTime(t *testing.T) {
	got, err := shop(t).Funnel([]string{"Product Viewed", "Product Added", "Order Completed"}, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	want := []Step{
		{Event: "Product Viewed", People: 3, Share: 1},
		{Event: "Product Added", People: 2, Share: 2. / 3, Median: time.Hour},
		{Event: "Order Completed", People: 1, Share: .5, Median: time.Hour},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("funnel (-want +got):\n%s", diff)
	}
}

func TestRFMRanksBuyers(t *testing.T) {
	buyers, groups, err := shop(t).RFM("Order Completed")
	if err != nil {
		t.Fatal(err)
	}
	byID := map[data.ProfileID]Buyer{}
	for _, b := range buyers {
		byID[b.ID] = b
	}
	ann, bob := byID[data.NewProfileID(data.IDUser, "ann")], byID[data.NewProfileID(data.IDUser, "bob")]
	if ann.Purchases != 2 || ann.Revenue != 42.5 || ann.R != 3 || ann.F != 3 || ann.M != 3 || ann.Group != "loyal" {
		t.Errorf("ann is %+v", ann)
	}
	if bob.R != 1 || bob.F != 1 || bob.M != 1 || bob.Group != "lost" || len(buyers) != 2 {
		t.Errorf("bob is %+v, of %d buyers", bob, len(buyers))
	}
	if diff := cmp.Diff([]Group{{"lost", 1, 5}, {"loyal", 1, 42.5}}, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestWhoIsErasedIsNotCounted(t *testing.T) {
	e := did(3, "ann", data.SysDelete, 3, "")
	e.Type = data.System
	h := of(t, did(1, "ann", "Product Viewed", 1, ""), did(2, "bob", "Product Viewed", 2, ""), e, did(4, "ann", "Product Viewed", 5, ""))
	acts := 0
	for _, p := range h.People {
		acts += len(p.Acts)
	}
	if len(h.People) != 2 || acts != 2 {
		t.Errorf("%d people with %d acts, want bob's one and ann's one since", len(h.People), acts)
	}
}

func TestQuestionsThatCannotBeAnsweredSayWhy(t *testing.T) {
	h := shop(t)
	_, cohorts := h.Cohorts(CohortOptions{First: "Product Veiwed"})
	_, period := h.Cohorts(CohortOptions{Period: "year"})
	_, one := h.Funnel([]string{"Product Viewed"}, time.Hour)
	_, _, rfm := h.RFM("Sale")
	for want, err := range map[string]error{`did you mean "Product Viewed"`: cohorts, "use day, week or month": period, "2 to 20": one, `nobody did "Sale"`: rfm} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

func TestOneMomentIsNoTwoSteps(t *testing.T) {
	h := of(t, did(1, "ann", "Product Viewed", 1, ""), did(2, "ann", "Product Added", 1, ""))
	got, err := h.Funnel([]string{"Product Viewed", "Product Added"}, time.Hour)
	if err != nil || got[1].People != 0 {
		t.Errorf("%+v, %v; want nobody at the second step", got, err)
	}
}

func TestFiveBuyersAreInFiveFifths(t *testing.T) {
	var events []data.Event
	for i := range 5 {
		for range i + 1 {
			n := len(events)
			events = append(events, did(n, data.UserID(fmt.Sprint("u", i)), "Order Completed", n, `{"total":10}`))
		}
	}
	buyers, _, err := of(t, events...).RFM("Order Completed")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range buyers {
		if b.R != b.Purchases || b.F != b.Purchases || b.M != b.Purchases {
			t.Errorf("%d purchases: R %d, F %d, M %d", b.Purchases, b.R, b.F, b.M)
		}
	}
}
