package event

import (
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"

	"kindred/data"
)

// readContext moves what has a place of its own out of the context: rec, consent,
// the session, device and external ids. The rest stays as it came, under Ctx,
// timezone as tz.
func readContext(e *data.Event, ctx json.RawMessage) error {
	if len(ctx) == 0 {
		return nil
	}
	kept := []byte{'{'}
	keep := func(name string, v []byte) {
		if len(kept) > 1 {
			kept = append(kept, ',')
		}
		kept = append(append(appendString(kept, name), ':'), v...)
	}
	hasZone := property(ctx, "tz") != nil
	err := eachField(ctx, func(name string, v []byte) (err error) {
		switch {
		case name == "rec" && v[0] == '{':
			e.Rec, err = looseRec(v)
			return err
		case name == "consent" && v[0] == '{':
			e.Consent = compact(nil, v)
			return nil
		case name == "sessionId":
			if id, bad := looseID(v); bad == nil {
				e.Session.ID = id
			}
		case name == "sessionStart":
			e.Session.First = v[0] == 't'
		case name == "device" && v[0] == '{':
			if id, bad := looseID(property(v, "id")); bad == nil {
				e.IDs.Device = id
			}
		case (name == "externalIds" || name == "externalId") && v[0] == '[':
			e.IDs.External = append(e.IDs.External, externalIDs(v)...)
		case name == "traits" && v[0] == '{' && e.Type == data.Identify && len(e.Traits) == 0:
			e.Traits = compact(nil, v) // where RudderStack's clients put them
			return nil
		case name == "timezone" && !hasZone:
			name = "tz"
		}
		keep(name, v)
		return nil
	})
	if len(kept) > 1 {
		e.Ctx = append(kept, '}')
	}
	return inside("context", err)
}

// externalIDs reads [{"type":…,"id":…}, …], leaving out what is incomplete.
func externalIDs(raw []byte) (out []data.ExternalID) {
	_ = eachElement(raw, func(v []byte) error {
		if v[0] != '{' {
			return nil
		}
		kind, bad1 := looseID(property(v, "type"))
		id, bad2 := looseID(property(v, "id"))
		if bad1 == nil && bad2 == nil && kind != "" && id != "" {
			out = append(out, data.ExternalID{Type: kind, ID: id})
		}
		return nil
	})
	return out
}

// looseRec reads {request_id, slot, position, model}; other fields are left out.
func looseRec(raw []byte) (*data.RecRef, error) {
	var r data.RecRef
	err := strictFields(raw, func(name string, v []byte) (err error) {
		switch name {
		case "request_id":
			r.Request, err = looseID(v)
		case "slot":
			r.Slot, err = looseID(v)
		case "position":
			f, ok := looseFloat(v)
			if r.Position = int(f); !ok || f != float64(int32(f)) {
				err = refuse("", "must be a whole number, the 1-based rank in the list")
			}
		case "model":
			r.Model, err = looseID(v)
		}
		return err
	})
	if err == nil && r.Request == "" {
		err = refuse("request_id", "is missing or empty; without it nothing is known about the recommendation")
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// readProperties derives items, value and rec from the properties, which stay.
func readProperties(e *data.Event) error {
	if len(e.Props) == 0 {
		return nil
	}
	if rec := property(e.Props, "rec"); e.Rec == nil && len(rec) > 0 && rec[0] == '{' {
		var err error
		if e.Rec, err = looseRec(rec); err != nil {
			return inside("properties.rec", err)
		}
	}
	if err := readItems(e); err != nil {
		return inside("properties", err)
	}
	var err error
	switch name := lower(e.Name); {
	case kindOfName(name) == data.Rating:
		e.Value, err = firstNumber(e.Props, "rating", "value")
	case strings.HasPrefix(name, "order "):
		e.Value, err = firstNumber(e.Props, "revenue", "total", "value")
	}
	return inside("properties", err)
}

// readItems fills Items from products or, where there are none, from the
// properties themselves. Products without an id are left out.
func readItems(e *data.Event) error {
	if e.Type != data.Track && e.Type != data.Page && e.Type != data.Screen {
		return nil
	}
	if list := property(e.Props, "products"); len(list) > 0 && list[0] == '[' {
		err := eachElement(list, func(v []byte) error {
			it, ok, err := readItem(v, true)
			if ok {
				e.Items = append(e.Items, it)
			}
			return err
		})
		if err != nil {
			return inside("products", err)
		}
	}
	if len(e.Items) > 0 {
		return nil
	}
	it, ok, err := readItem(e.Props, false)
	if ok {
		e.Items = []data.EventItem{it}
	}
	return err
}

// readItem reads one product: an object, or in a list a bare id. In a list its id
// may be called id, as in the specification's first edition.
func readItem(raw []byte, listed bool) (it data.EventItem, ok bool, err error) {
	if raw[0] != '{' {
		if kind := kindOf(raw); kind != "a string" && kind != "a number" {
			return it, false, nil
		}
		id, err := looseID(raw)
		return data.EventItem{ID: data.ItemID(id)}, err == nil && id != "", err
	}
	for _, name := range [...]string{"product_id", "productId", "item_id", "itemId", "article_id", "sku", "id"} {
		v := property(raw, name)
		if v == nil || name == "id" && !listed {
			continue
		}
		id, err := looseID(v)
		if err != nil {
			return it, false, inside(name, err)
		}
		if id != "" {
			it.ID = data.ItemID(id)
			break
		}
	}
	if it.ID == "" {
		return it, false, nil
	}
	if it.Quantity, err = firstNumber(raw, "quantity", "qty"); err != nil {
		return it, false, err
	}
	if it.Price, err = firstNumber(raw, "price"); err != nil {
		return it, false, err
	}
	it.Quantity, it.Price = max(0, it.Quantity), max(0, it.Price)
	it.Facets = readFacets(raw)
	return it, true, nil
}

// readFacets takes category, brand and tags, each a string or an array of strings.
func readFacets(raw []byte) map[string][]string {
	var facets map[string][]string
	for _, from := range [...][2]string{
		{"category", "category"}, {"categories", "category"}, {"brand", "brand"}, {"tags", "tag"},
	} {
		values := stringsOf(property(raw, from[0]))
		if len(values) == 0 || facets[from[1]] != nil {
			continue
		}
		if facets == nil {
			facets = make(map[string][]string)
		}
		facets[from[1]] = values
	}
	return facets
}

// MaxFacetBytes bounds a facet's value: a profile keeps dozens of them, and a text that
// differs only behind so many bytes names no category, brand or tag. Longer ones are cut.
const MaxFacetBytes = 256

// facetValue is a facet's value as events carry it.
func facetValue(s string) string {
	if s = strings.TrimSpace(s); len(s) <= MaxFacetBytes {
		return s
	}
	n := MaxFacetBytes
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}

// stringsOf are the distinct non-empty facet values of a value that is one or a list,
// at most data.MaxFacetValues.
func stringsOf(v []byte) (out []string) {
	add := func(v []byte) error {
		if v[0] != '"' || len(out) == data.MaxFacetValues {
			return nil
		}
		s := facetValue(unquote(v))
		for _, other := range out {
			if other == s {
				return nil
			}
		}
		if s != "" {
			out = append(out, s)
		}
		return nil
	}
	switch {
	case len(v) == 0:
	case v[0] == '[':
		_ = eachElement(v, add)
	default:
		_ = add(v)
	}
	return out
}

// MaxNumber bounds prices, quantities, revenues and ratings, either way: far more
// than anything costs, and little enough for sums to stay finite.
const MaxNumber = 1e12

// firstNumber is the first of the properties that holds a number, or 0. A number
// beyond MaxNumber is refused.
func firstNumber(object []byte, names ...string) (float64, error) {
	for _, name := range names {
		if f, ok := number(object, name); ok {
			if math.Abs(f) > MaxNumber {
				return 0, refuse(name, "is %v; at most %v is allowed", f, MaxNumber)
			}
			return f, nil
		}
	}
	return 0, nil
}

// withText is object with the field name set to text, unless it has that field
// already or text is empty.
func withText(object json.RawMessage, name, text string) json.RawMessage {
	if text == "" {
		return object
	}
	field := append(append([]byte{'{'}, appendString(nil, name)...), ':')
	return mergeObjects(object, append(appendString(field, text), '}'))
}

// mergeObjects is first with the fields of second that it lacks; either may be nil.
// second may hold anything: what is not a JSON object adds nothing.
func mergeObjects(first, second json.RawMessage) json.RawMessage {
	if len(second) == 0 || check(second, callLevel) != nil {
		return first
	}
	if second = second[skipSpace(second, 0):]; second[0] != '{' {
		return first
	}
	if len(first) == 0 {
		return compact(nil, second)
	}
	out := append([]byte(nil), first[:len(first)-1]...)
	_ = eachField(second, func(name string, v []byte) error {
		if hasField(first, name) {
			return nil
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(appendString(out, name), ':'), compact(nil, v)...)
		return nil
	})
	return append(out, '}')
}

// hasField reports whether the object has a field of that name, null or not.
func hasField(object []byte, name string) (has bool) {
	_ = eachField(object, func(n string, _ []byte) error {
		has = has || n == name
		return nil
	})
	return has
}
