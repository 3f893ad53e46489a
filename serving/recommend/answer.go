package recommend

import (
	"encoding/json"
	"errors"
	"math"
	"time"

	"kindred/data"
)

// MaxN is the longest list that can be asked for, DefaultN the usual one.
const (
	MaxN     = 500
	DefaultN = 10
)

// ErrUnknownItem: neither the model nor the catalog has the item. Callers branch on
// it; an *live.UnknownComponentError may come too.
var ErrUnknownItem = errors.New("unknown item")

// Request asks for recommendations.
type Request struct {
	ID          string // request id, for impressions
	IDs         data.IDs
	Asked       data.UserID   // whom the answer says it is for; IDs.User where it is empty
	Recent      []data.ItemID // what the caller says was used just now, newest first
	N           int           // 1 to MaxN
	IncludeSeen bool          // show items that the person already used
	Exclude     []data.ItemID
	Categories  []string // any of them; none means all
	MinPrice    *float64
	MaxPrice    *float64
	Components  []string // a subset of the model's; none means all
	Slot        string   // where the list will be shown
	Context     json.RawMessage
}

// user is whom the answer says it is for.
func (r *Request) user() data.UserID {
	if r.Asked != "" {
		return r.Asked
	}
	return r.IDs.User
}

// Answer is a ranked list and where it comes from.
type Answer struct {
	RequestID   string        `json:"request_id" doc:"Send it back in events' rec.request_id to close the loop."`
	User        data.UserID   `json:"user,omitempty" doc:"Whom it was asked for."`
	Segments    []string      `json:"segments,omitempty" doc:"The segments that the person is in, by name."`
	Known       bool          `json:"known" doc:"Whether anything is known about the person."`
	Model       string        `json:"model" doc:"Version of the model, or none."`
	Components  []string      `json:"components" doc:"What contributed to the scores, in blending order."`
	Fallback    string        `json:"fallback,omitempty" doc:"Set when the list is popularity because nothing else could be said: no_model, or cold when the chosen components know nothing about the person."`
	Stale       bool          `json:"stale" doc:"The person's newest events are not reflected yet."`
	GeneratedAt time.Time     `json:"generated_at"`
	Items       []Recommended `json:"items"`
}

// Recommended is one position of a list.
type Recommended struct {
	ID         data.ItemID `json:"id"`
	Title      string      `json:"title,omitempty"`
	Position   int         `json:"position" doc:"1 is best."`
	Score      float32     `json:"score" doc:"Comparable within this answer only."`
	Categories []string    `json:"categories,omitempty"`
	URL        string      `json:"url,omitempty"`
	ImageURL   string      `json:"image_url,omitempty"`
	Price      float64     `json:"price,omitempty"`
	Currency   string      `json:"currency,omitempty"`
	Reasons    []Reason    `json:"reasons,omitempty"`
	Unknown    bool        `json:"unknown,omitempty" doc:"Rank only: neither the model nor the catalog has the item; not scored."`
	Closed     bool        `json:"closed,omitempty" doc:"Rank only: the item is hidden or deleted; not scored."`
}

// Reason is one component's part in an item's score.
type Reason struct {
	Component string   `json:"component"`
	Share     float32  `json:"share" doc:"Its part of the item's score, 0 to 1, to four places."`
	Because   []Cause  `json:"because,omitempty" doc:"Past items that speak for it, strongest first."`
	Terms     []string `json:"terms,omitempty" doc:"What the item has in common with past ones."`
}

// Cause is a past item's part in a reason.
type Cause struct {
	Item  data.ItemID `json:"item"`
	Title string      `json:"title,omitempty"`
	Share float32     `json:"share" doc:"Its part of the reason, 0 to 1, to four places."`
}

// finite is x as an answer can carry it: JSON has neither infinities nor NaN. What is
// beyond float32 becomes its largest number, NaN becomes 0.
func finite(x float64) float32 {
	if x != x {
		return 0
	}
	return float32(max(-math.MaxFloat32, min(math.MaxFloat32, x)))
}
