package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/data/event"
)

// What is appended just before the end makes the fold append more: the lake has
// both when the server is gone.
func TestTheArchivedTailHoldsWhatTheFoldAppendsLast(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	n, err := newNode(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	s := &server{node: n}
	archivers := newStage(t.Context(), func(err error) { t.Error(err) })
	for _, a := range n.archivers {
		archivers.run("archive", func(ctx context.Context) error { return s.archive(ctx, a) })
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	e := data.Event{
		V: 1, ID: "m1", Source: "web", Space: c.Space, Type: data.Identify, Times: data.Times{Event: now, Received: now},
		IDs: data.IDs{User: "ann", Anonymous: "d1"}, Profile: data.NewProfileID(data.IDAnonymous, "d1"),
	}
	r := data.Record{Partition: data.PartitionOf(string(e.Profile), n.store.Partitions()), Value: event.Seal(e)}
	if err := n.store.Append(t.Context(), []data.Record{r}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.archiveTail(t.Context()), archivers.stop()); err != nil {
		t.Fatal(err)
	}
	snapshot, err := n.lake.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var links []data.Link
	if err := snapshot.Links(t.Context(), func(l data.Link) error { links = append(links, l); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(links) != 1 || links[0].From != e.Profile {
		t.Errorf("links %+v, want the one from the device to ann", links)
	}
}
