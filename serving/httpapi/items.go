package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"
	"unicode/utf8"

	"kindred/data"
)

const tagItems = "Items"

func (a *api) itemRoutes() {
	register(a, operation{id: "list-items", method: http.MethodGet, path: "/v1/items", tag: tagItems,
		summary: "List items by id", scope: ScopeRead}, a.listItems)
	register(a, operation{id: "get-item", method: http.MethodGet, path: "/v1/items/{id}", tag: tagItems,
		summary: "Read an item", scope: ScopeRead, errors: []int{404}}, a.getItem)
	register(a, operation{id: "put-item", method: http.MethodPut, path: "/v1/items/{id}", tag: tagItems,
		summary: "Create or replace an item; the next answer knows it", scope: ScopeAdmin}, a.putItem)
	register(a, operation{id: "delete-item", method: http.MethodDelete, path: "/v1/items/{id}", tag: tagItems,
		summary: "Delete an item; it is never shown again", scope: ScopeAdmin, status: http.StatusNoContent, errors: []int{404}}, a.deleteItem)
	register(a, operation{id: "bulk-items", method: http.MethodPost, path: "/v1/items/bulk", tag: tagItems,
		summary: "Create or replace many items: one JSON object per line, all or nothing", scope: ScopeAdmin, maxBody: a.cfg.MaxBulkBytes}, a.bulkItems)
}

// itemBody is an item without its id, as PUT takes it.
type itemBody struct {
	Title      string          `json:"title,omitempty" maxLength:"1000"`
	Text       string          `json:"text,omitempty" maxLength:"200000" doc:"Description or article body."`
	Categories []string        `json:"categories,omitempty" maxItems:"100" doc:"Exact names; filters and affinities use them."`
	Tags       []string        `json:"tags,omitempty" maxItems:"200"`
	Brand      string          `json:"brand,omitempty" maxLength:"256"`
	Price      float64         `json:"price,omitempty" minimum:"0"`
	Currency   string          `json:"currency,omitempty" maxLength:"8" doc:"ISO 4217."`
	URL        string          `json:"url,omitempty" maxLength:"2048"`
	ImageURL   string          `json:"image_url,omitempty" maxLength:"2048"`
	Hidden     bool            `json:"hidden,omitempty" doc:"Never recommended while true."`
	Published  time.Time       `json:"published,omitzero"`
	Attributes json.RawMessage `json:"attributes,omitempty" doc:"An object of your own fields."`
}

// itemLine is a line of a bulk upload.
type itemLine struct {
	ID string `json:"id"`
	itemBody
}

func (l itemLine) item() data.Item {
	return data.Item{
		ID: data.ItemID(l.ID), Title: l.Title, Text: l.Text, Categories: l.Categories, Tags: l.Tags, Brand: l.Brand,
		Price: l.Price, Currency: l.Currency, URL: l.URL, ImageURL: l.ImageURL, Hidden: l.Hidden,
		Published: l.Published, Attributes: l.Attributes,
	}
}

// check refuses what the catalog should not hold; PUT's schema says the same.
func (l *itemLine) check() *lineError {
	for _, f := range []struct {
		name, value string
		max         int
	}{
		{"id", l.ID, 256}, {"title", l.Title, 1000}, {"text", l.Text, 200_000}, {"brand", l.Brand, 256},
		{"currency", l.Currency, 8}, {"url", l.URL, 2048}, {"image_url", l.ImageURL, 2048},
	} {
		if n := utf8.RuneCountInString(f.value); n > f.max {
			return &lineError{f.name, fmt.Sprintf("%d characters; at most %d are taken", n, f.max)}
		}
	}
	switch {
	case l.ID == "":
		return &lineError{"id", "is missing or empty"}
	case l.Price < 0 || math.IsNaN(l.Price) || math.IsInf(l.Price, 0):
		return &lineError{"price", "must be 0 or more"}
	}
	if e := checkNames("categories", l.Categories, 100); e != nil {
		return e
	}
	if e := checkNames("tags", l.Tags, 200); e != nil {
		return e
	}
	if c := bytes.TrimSpace(l.Attributes); string(c) == "null" {
		l.Attributes = nil
	} else if len(c) > 0 && c[0] != '{' {
		return &lineError{"attributes", "must be an object"}
	}
	return nil
}

func checkNames(name string, values []string, most int) *lineError {
	if len(values) > most {
		return &lineError{name, fmt.Sprintf("%d entries; at most %d are taken", len(values), most)}
	}
	for i, v := range values {
		if v == "" || len(v) > 256 {
			return &lineError{fmt.Sprintf("%s[%d]", name, i), "must be 1 to 256 bytes long"}
		}
	}
	return nil
}

// ItemPath is the item that a route is about.
type ItemPath struct {
	ID string `path:"id" minLength:"1" maxLength:"256"`
}

type itemAnswer struct{ Body data.Item }

func (a *api) getItem(ctx context.Context, in *ItemPath) (*itemAnswer, error) {
	it, err := a.deps.Catalog.Item(ctx, data.ItemID(in.ID))
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	return &itemAnswer{it}, nil
}

type putItemInput struct {
	ItemPath
	Body itemBody
}

func (a *api) putItem(ctx context.Context, in *putItemInput) (*itemAnswer, error) {
	line := itemLine{ID: in.ID, itemBody: in.Body}
	if err := errorOrNil(line.check(), "body"); err != nil {
		return nil, err
	}
	if err := a.putItems(ctx, []data.Item{line.item()}); err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	return a.getItem(ctx, &in.ItemPath)
}

// putItems stores items and brings them into the snapshot.
func (a *api) putItems(ctx context.Context, items []data.Item) error {
	if err := a.deps.Catalog.PutItems(ctx, items); err != nil {
		return fmt.Errorf("store %d items: %w", len(items), err)
	}
	return a.deps.Live.Refresh(ctx)
}

func (a *api) deleteItem(ctx context.Context, in *ItemPath) (*struct{}, error) {
	err := a.deps.Catalog.DeleteItem(ctx, data.ItemID(in.ID))
	if err == nil {
		err = a.deps.Live.Refresh(ctx)
	}
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	return nil, nil
}

type bulkInput struct {
	RawBody []byte `contentType:"application/x-ndjson"`
}

type bulkAnswer struct {
	Body struct {
		Stored int `json:"stored"`
	}
}

func stored(n int) *bulkAnswer {
	out := &bulkAnswer{}
	out.Body.Stored = n
	return out
}

func (a *api) bulkItems(ctx context.Context, in *bulkInput) (*bulkAnswer, error) {
	lines, err := readLines(in.RawBody, (*itemLine).check)
	if err != nil {
		return nil, err
	}
	items := make([]data.Item, len(lines))
	for i, l := range lines {
		items[i] = l.item()
	}
	if err := a.putItems(ctx, items); err != nil {
		return nil, a.fail(ctx, err, "body")
	}
	return stored(len(items)), nil
}

type itemsAnswer struct {
	Body struct {
		Items      []data.Item `json:"items"`
		NextCursor string      `json:"next_cursor,omitempty"`
	}
}

func (a *api) listItems(ctx context.Context, in *page) (*itemsAnswer, error) {
	after, err := in.after(cursorItems)
	if err != nil {
		return nil, err
	}
	items, err := a.deps.Catalog.Items(ctx, data.ItemID(after), in.Limit+1)
	if err != nil {
		return nil, a.fail(ctx, err, "query.cursor")
	}
	out := &itemsAnswer{}
	out.Body.Items, out.Body.NextCursor = cut(cursorItems, items, in.Limit, func(it data.Item) string { return string(it.ID) })
	return out, nil
}
