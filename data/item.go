package data

import (
	"encoding/json"
	"time"
)

// Item is one thing that can be recommended. ID is required; everything else
// makes recommendations better. Its JSON form is the API's.
type Item struct {
	ID         ItemID          `json:"id"`
	Title      string          `json:"title,omitempty"`
	Text       string          `json:"text,omitempty"`       // description or article body
	Categories []string        `json:"categories,omitempty"` // exact names; filters and affinities use them
	Tags       []string        `json:"tags,omitempty"`
	Brand      string          `json:"brand,omitempty"`
	Price      float64         `json:"price,omitempty"`
	Currency   string          `json:"currency,omitempty"` // ISO 4217
	URL        string          `json:"url,omitempty"`
	ImageURL   string          `json:"image_url,omitempty"`
	Hidden     bool            `json:"hidden,omitempty"` // never recommended while true
	Published  time.Time       `json:"published,omitzero"`
	Attributes json.RawMessage `json:"attributes,omitempty"` // a JSON object of the customer's own fields
	Updated    time.Time       `json:"updated,omitzero"`     // set by the catalog
}

// MaxFacetValues bounds how many values of one facet an event carries.
const MaxFacetValues = 8

// Facets are the item's attributes that affinities are kept for: at most
// MaxFacetValues of each of category, tag and brand. Nil when there are none.
func (it Item) Facets() map[string][]string {
	f := map[string][]string{}
	add := func(name string, values []string) {
		if len(values) > MaxFacetValues {
			values = values[:MaxFacetValues]
		}
		if len(values) > 0 {
			f[name] = values
		}
	}
	add("category", it.Categories)
	add("tag", it.Tags)
	if it.Brand != "" {
		add("brand", []string{it.Brand})
	}
	if len(f) == 0 {
		return nil
	}
	return f
}
