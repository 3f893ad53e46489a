package lake

import (
	"kindred/data"
)

// ItemRow is an item as a row of an export.
type ItemRow struct {
	ID         string   `parquet:"id" json:"id"`
	Title      string   `parquet:"title" json:"title,omitempty"`
	Text       string   `parquet:"text" json:"text,omitempty"`
	Categories []string `parquet:"categories,list" json:"categories,omitempty"`
	Tags       []string `parquet:"tags,list" json:"tags,omitempty"`
	Brand      string   `parquet:"brand,dict" json:"brand,omitempty"`
	Price      float64  `parquet:"price" json:"price,omitempty"`
	Currency   string   `parquet:"currency,dict" json:"currency,omitempty"`
	URL        string   `parquet:"url" json:"url,omitempty"`
	ImageURL   string   `parquet:"image_url" json:"image_url,omitempty"`
	Hidden     bool     `parquet:"hidden" json:"hidden,omitempty"`
	Published  *Millis  `parquet:"published,timestamp(millisecond)" json:"published,omitempty"`
	Attributes Object   `parquet:"attributes,string" json:"attributes,omitempty"`
	Updated    *Millis  `parquet:"updated,timestamp(millisecond)" json:"updated,omitempty"`
}

// NewItemRow is the item's row. As a JSON line it is what the bulk upsert of items
// reads.
func NewItemRow(it data.Item) ItemRow {
	return ItemRow{
		ID: string(it.ID), Title: it.Title, Text: it.Text, Categories: it.Categories, Tags: it.Tags, Brand: it.Brand,
		Price: it.Price, Currency: it.Currency, URL: it.URL, ImageURL: it.ImageURL, Hidden: it.Hidden,
		Published: NewMillis(it.Published), Attributes: Object(it.Attributes), Updated: NewMillis(it.Updated),
	}
}

// Object is a JSON value: itself in JSON, a string in Parquet, where "" stands for none.
type Object []byte

// MarshalJSON writes the value as it is.
func (o Object) MarshalJSON() ([]byte, error) {
	if len(o) == 0 {
		return []byte("null"), nil
	}
	return o, nil
}

// UnmarshalJSON keeps the value as it is.
func (o *Object) UnmarshalJSON(b []byte) error {
	*o = append((*o)[:0], b...)
	return nil
}

// ProfileRow is a profile as a row of an export: what people analyse about it, not
// the state that the fold needs.
type ProfileRow struct {
	ID         string        `parquet:"id" json:"id"`
	Users      []string      `parquet:"users,list" json:"users,omitempty"`         // customer ids
	Anonymous  []string      `parquet:"anonymous,list" json:"anonymous,omitempty"` // tracker ids
	MergedInto string        `parquet:"merged_into" json:"merged_into,omitempty"`
	Deleted    bool          `parquet:"deleted" json:"deleted,omitempty"`
	Events     int64         `parquet:"events" json:"events"` // records folded
	FirstSeen  *Millis       `parquet:"first_seen,timestamp(millisecond)" json:"first_seen,omitempty"`
	LastSeen   *Millis       `parquet:"last_seen,timestamp(millisecond)" json:"last_seen,omitempty"`
	Sessions   int64         `parquet:"sessions" json:"sessions"`
	Cluster    int32         `parquet:"cluster" json:"cluster"` // of the first clusterer; -1 if none assigned yet
	Confidence float64       `parquet:"cluster_confidence" json:"cluster_confidence"`
	Traits     []TraitRow    `parquet:"traits,list" json:"traits,omitempty"`
	Affinities []AffinityRow `parquet:"affinities,list" json:"affinities,omitempty"`
	History    []HistoryRow  `parquet:"history,list" json:"history,omitempty"` // most recently used first
}

// TraitRow is one trait of a ProfileRow.
type TraitRow struct {
	Name  string `parquet:"name" json:"name"`
	Value Object `parquet:"value,string" json:"value"` // JSON
}

// AffinityRow is the decayed interest S, valued at its time, of a ProfileRow in a facet's value.
type AffinityRow struct {
	Facet string  `parquet:"facet" json:"facet"`
	Value string  `parquet:"value" json:"value"`
	S     float64 `parquet:"s" json:"s"`
	At    *Millis `parquet:"at,timestamp(millisecond)" json:"at,omitempty"`
}

// HistoryRow is the relation of a ProfileRow to one item.
type HistoryRow struct {
	Item   string  `parquet:"item" json:"item"`
	Count  int64   `parquet:"count" json:"count"`
	Rating float64 `parquet:"rating" json:"rating,omitempty"`
	Weight float64 `parquet:"weight" json:"weight"`
	Last   *Millis `parquet:"last,timestamp(millisecond)" json:"last,omitempty"`
}

// NewProfileRow is the profile's row.
func NewProfileRow(p data.Profile) ProfileRow {
	row := ProfileRow{
		ID: string(p.ID), MergedInto: string(p.Redirect), Deleted: p.Deleted, Events: int64(p.Version),
		FirstSeen: stamp(p.FirstSeen), LastSeen: stamp(p.LastSeen), Sessions: int64(p.Sessions), Cluster: -1,
	}
	for _, id := range p.Identity {
		switch id.Kind {
		case data.IDUser:
			row.Users = append(row.Users, id.ID)
		case data.IDAnonymous:
			row.Anonymous = append(row.Anonymous, id.ID)
		}
	}
	if len(p.Clusters) > 0 {
		row.Cluster, row.Confidence = p.Clusters[0].Cluster, p.Clusters[0].Confidence
	}
	for _, t := range p.Traits {
		row.Traits = append(row.Traits, TraitRow{Name: t.Name, Value: Object(t.Value)})
	}
	for _, a := range p.Affinities {
		row.Affinities = append(row.Affinities, AffinityRow{Facet: a.Facet, Value: a.Value, S: a.S, At: stamp(a.T)})
	}
	for _, h := range p.History {
		row.History = append(row.History, HistoryRow{
			Item: string(h.Item), Count: int64(h.Count), Rating: h.Value, Weight: h.Weight, Last: stamp(h.Last),
		})
	}
	return row
}

// stamp is a profile's time, where 0 means never.
func stamp(ms int64) *Millis {
	if ms == 0 {
		return nil
	}
	m := Millis(ms)
	return &m
}
