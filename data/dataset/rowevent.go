package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"
	"strconv"
	"time"

	"kindred/data"
	"kindred/data/event"
)

// event makes the event of an entry.
func (p *planner) event(x entry) (data.Event, error) {
	if p.ds.Events != nil {
		return p.message(p.ds.Events[x.i]), nil
	}
	e := data.Event{
		V: data.EventVersion, Source: p.in.Source, Space: p.in.Space, Env: p.in.Env, Imported: true,
		Times: data.Times{Original: time.UnixMilli(x.at).UTC(), Received: p.in.Now},
	}
	p.stamp(&e, e.Times.Original)
	if x.user {
		u := p.ds.Users[x.i]
		traits, err := json.Marshal(u.Traits)
		if err != nil {
			return e, fmt.Errorf("user %q: traits: %w", u.ID, err)
		}
		e.Type, e.Traits, e.IDs.User = data.Identify, traits, u.ID
		e.ID = p.name("identify", string(u.ID), string(traits))
		return e, nil
	}
	row := p.rows[x.i]
	if math.IsNaN(row.Value) || math.IsInf(row.Value, 0) {
		return e, fmt.Errorf("user %q, item %q: the value %v is not finite", row.User, row.Item, row.Value)
	}
	e.Type, e.Name, e.IDs.User, e.Session.ID = data.Track, event.Name(row.Kind), row.User, row.Session
	props, err := properties(row)
	if err != nil {
		return e, fmt.Errorf("user %q, item %q: %w", row.User, row.Item, err)
	}
	e.Props = props
	item := data.EventItem{ID: row.Item, Facets: p.facets[row.Item]}
	switch row.Kind {
	case data.Rating:
		e.Value = row.Value
	case data.Purchase:
		e.Value, item.Quantity, item.Price = row.Value, 1, row.Value
	}
	e.Items = []data.EventItem{item}
	ms := ""
	if !row.At.IsZero() {
		ms = strconv.FormatInt(row.At.UnixMilli(), 10)
	}
	e.ID = p.name(string(row.User), string(row.Item), row.Kind.String(), strconv.FormatFloat(row.Value, 'g', -1, 64), ms)
	return e, nil
}

// message is a jsonl message as part of this import.
func (p *planner) message(e data.Event) data.Event {
	if e.Source == "" {
		e.Source = p.in.Source
	}
	if e.Env == "" {
		e.Env = p.in.Env
	}
	if e.Times.Original.IsZero() {
		e.Times.Original = e.Times.Event
	}
	e.Space, e.Imported, e.Profile = p.in.Space, true, ""
	e.Times.Received, e.Times.Late = p.in.Now, false
	p.stamp(&e, e.Times.Event)
	return e
}

// stamp sets the event time: at, shifted, but never after the import.
func (p *planner) stamp(e *data.Event, at time.Time) {
	if e.Times.Event = at.Add(p.shift); e.Times.Event.After(p.in.Now) {
		e.Times.Event, e.Times.Clamped = p.in.Now, true
	}
}

// name is the message id of what the parts say: the first 128 bits of SHA-256 over
// source and parts, each behind its length, and the occurrence number among equal ones.
func (p *planner) name(parts ...string) string {
	h := sha256.New()
	writePart(h, p.in.Source)
	for _, part := range parts {
		writePart(h, part)
	}
	var same [16]byte
	copy(same[:], h.Sum(nil))
	n := p.copies[same]
	p.copies[same] = n + 1
	h.Write(binary.AppendUvarint(nil, uint64(n)))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func writePart(h hash.Hash, part string) {
	h.Write(binary.AppendUvarint(nil, uint64(len(part))))
	h.Write([]byte(part))
}

// properties are what a tracker would have sent with the row, as far as it is known.
// Where a kind is defined by a threshold and the row does not say how far beyond it,
// they hold the least whole value that means the kind.
func properties(row data.Interaction) (json.RawMessage, error) {
	props := map[string]any{"product_id": row.Item}
	switch row.Kind {
	case data.Rating:
		props["rating"] = row.Value
	case data.Scroll:
		if props["depth"] = row.Value; !(row.Value > 0.8 && row.Value <= 1) {
			props["depth"] = 1
		}
	case data.Dwell:
		if props["dwell_seconds"] = row.Value; !(row.Value > 30) {
			props["dwell_seconds"] = 31
		}
	case data.Hide:
		props["feedback"] = "hide"
	}
	return json.Marshal(props)
}
