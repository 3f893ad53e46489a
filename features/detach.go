package features

import (
	"bytes"
	"encoding/json"
	"strings"

	"kindred/data"
)

// detached is the event in memory of its own, for what outlives the record: an event
// may alias the bytes that it was read from (event.Decoder).
func detached(e *data.Event) data.Event {
	out := *e
	out.ID, out.Source, out.Env, out.Name = strings.Clone(e.ID), strings.Clone(e.Source), strings.Clone(e.Env), strings.Clone(e.Name)
	out.Space, out.Type = data.Space(strings.Clone(string(e.Space))), data.EventType(strings.Clone(string(e.Type)))
	out.Profile = data.ProfileID(strings.Clone(string(e.Profile)))
	out.Session.ID = strings.Clone(e.Session.ID)
	out.IDs = detachedIDs(e.IDs)
	for _, raw := range []*json.RawMessage{&out.Props, &out.Traits, &out.Ctx, &out.Bot, &out.Consent, &out.Schema} {
		*raw = bytes.Clone(*raw)
	}
	if e.Items != nil {
		out.Items = make([]data.EventItem, len(e.Items))
	}
	for i, it := range e.Items {
		it.ID = data.ItemID(strings.Clone(string(it.ID)))
		if it.Facets != nil {
			facets := make(map[string][]string, len(it.Facets))
			for name, values := range it.Facets {
				own := make([]string, len(values))
				for k, v := range values {
					own[k] = strings.Clone(v)
				}
				facets[strings.Clone(name)] = own
			}
			it.Facets = facets
		}
		out.Items[i] = it
	}
	if r := e.Rec; r != nil {
		out.Rec = &data.RecRef{Request: strings.Clone(r.Request), Slot: strings.Clone(r.Slot), Position: r.Position, Model: strings.Clone(r.Model)}
	}
	if m := e.Marker; m != nil {
		out.Marker = &data.Marker{Rules: strings.Clone(m.Rules), Models: strings.Clone(m.Models)}
	}
	if a := e.Absorb; a != nil {
		out.Absorb = &data.Absorb{From: data.ProfileID(strings.Clone(string(a.From))), State: bytes.Clone(a.State), Dedup: bytes.Clone(a.Dedup)}
	}
	if e.Extra != nil {
		out.Extra = make(map[string]json.RawMessage, len(e.Extra))
		for name, v := range e.Extra {
			out.Extra[strings.Clone(name)] = bytes.Clone(v)
		}
	}
	return out
}

func detachedIDs(ids data.IDs) data.IDs {
	out := data.IDs{User: data.UserID(strings.Clone(string(ids.User))), Anonymous: data.AnonymousID(strings.Clone(string(ids.Anonymous))),
		Group: strings.Clone(ids.Group), Device: strings.Clone(ids.Device)}
	for _, x := range ids.External {
		out.External = append(out.External, data.ExternalID{Type: strings.Clone(x.Type), ID: strings.Clone(x.ID)})
	}
	return out
}
