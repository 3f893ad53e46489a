package training

import (
	"context"
	"fmt"

	"kindred/data"
	"kindred/data/lake"
	"kindred/training/assemble"
)

// Items is what a run reads of the catalog's items.
type Items interface {
	Items(ctx context.Context, after data.ItemID, limit int) ([]data.Item, error)
	ItemsVersion(ctx context.Context) (int64, error)
}

// itemPage is how many items are read at a time.
const itemPage = 1000

// FromLake makes a source of a snapshot: every interaction of a person who was not
// deleted, merged profiles as one person, repeated messages once, and all items of
// the catalog. items may be nil when only interactions matter.
//
// Memory is 32 bytes an interaction, and the catalogue's tokens.
func FromLake(ctx context.Context, snap *lake.Snapshot, items Items, progress Progress) (*Source, error) {
	if progress == nil {
		progress = func(string, int, int) {}
	}
	var merged []data.Link
	if err := snap.Links(ctx, func(l data.Link) error { merged = append(merged, l); return nil }); err != nil {
		return nil, fmt.Errorf("read the lake: %w", err)
	}
	links := assemble.NewLinks(merged)
	b := assemble.NewBuilder()
	src := &Source{Watermark: snap.Watermark()}
	total, read := int(snap.Rows(lake.Interactions)), 0
	if err := snap.Interactions(ctx, func(i data.Interaction) error {
		if read++; read%10_000 == 0 {
			progress("read interactions", read, total)
		}
		person, ok := links.Person(i)
		if !ok {
			src.Deleted++
			return nil
		}
		b.Add(string(person), i)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read the lake: %w", err)
	}
	progress("read interactions", total, total)
	catalog, err := allItems(ctx, items)
	if err != nil {
		return nil, err
	}
	for _, it := range catalog {
		b.Item(it.ID)
	}
	if src.Table, err = b.Table(); err != nil {
		return nil, fmt.Errorf("assemble the lake: %w", err)
	}
	src.Repeated = int64(src.Table.DropRepeats())
	src.Docs = documents(src.Table, catalog)
	return src, nil
}

// allItems reads the whole catalogue, page by page.
func allItems(ctx context.Context, items Items) ([]data.Item, error) {
	if items == nil {
		return nil, nil
	}
	var all []data.Item
	var after data.ItemID
	for {
		page, err := items.Items(ctx, after, itemPage)
		if err != nil {
			return nil, fmt.Errorf("read the catalog's items: %w", err)
		}
		all = append(all, page...)
		if len(page) < itemPage {
			return all, nil
		}
		after = page[len(page)-1].ID
	}
}
