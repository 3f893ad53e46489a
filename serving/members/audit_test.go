package members_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/event"
	"kindred/features"
	"kindred/features/segment"
	"kindred/features/stream"
	"kindred/serving/members"
)

// TestAuditFindsWhatTheLogDoesNotSay compares with what was folded, and with the rules changed behind it.
func TestAuditFindsWhatTheLogDoesNotSay(t *testing.T) {
	store, err := embedded.Open(t.TempDir(), embedded.Options{Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rules := func(n int) features.Rules {
		return func(context.Context, string) (*segment.Set, error) {
			return segment.Compile(segment.Rules{Segments: []segment.Rule{
				{Segment: "viewers", When: fmt.Sprintf(`events("Product Viewed").within("2h").count() > %d`, n)}}}, segment.Default())
		}
	}
	w, err := stream.New(stream.Options{Log: store, State: store, Partitions: 1, Rules: rules(1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.PublishRules(t.Context(), "r-1"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range 200 {
		user := fmt.Sprint("u", i%50)
		id := data.NewProfileID(data.IDUser, user)
		e := data.Event{V: 1, ID: fmt.Sprint("m", i), Source: "test", Type: data.Track, Name: "Product Viewed", Profile: id, IDs: data.IDs{User: data.UserID(user)}}
		e.Times.Event, e.Times.Received = now, now
		if err := store.Append(t.Context(), []data.Record{{Value: event.Seal(e)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]int{1: 0, 100: 50} {
		got, err := members.Audit(t.Context(), 0, members.AuditOptions{Log: store, Folded: w.Folded, Profile: store.Profile,
			Features: features.Default(), Rules: rules(n), Chosen: func(data.ProfileID) bool { return true }})
		if err != nil || got.People != 50 || len(got.Mismatches) != want {
			t.Errorf("with %d: %d people, %d mismatches, %v; want 50 and %d", n, got.People, len(got.Mismatches), err, want)
		}
	}
}
