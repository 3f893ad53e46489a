package clean

import (
	"strconv"

	"kindred/data"
	"kindred/features/expr/rawjson"
)

// normalise gives dates, aliased values, measures and amounts one form each. What cannot
// be read stays as it is and is counted. items reports that something changed from which the
// event's items follow, as they do not from dates and added minor units.
func (r *rules) normalise(e *data.Event, counts *counts) (items bool) {
	changed := false
	rewrite := func(at field, fn func(v []byte) []byte) {
		object := room(e, at.room)
		if len(*object) == 0 {
			return
		}
		out := rawjson.Rewrite(*object, at.path, fn)
		if len(out) != len(*object) || &out[0] != &(*object)[0] {
			*object, changed = out, true
		}
	}
	for _, at := range r.dates {
		rewrite(at, func(v []byte) []byte {
			s, isText := rawjson.Text(v)
			if !isText {
				if rawjson.Kind(v) != "number" {
					return nil
				}
				s = string(v)
			}
			out, ok := date(s)
			if !ok {
				counts.add("normalise.failed", "date "+at.name())
				return nil
			}
			if isText && out == s {
				return nil
			}
			return rawjson.AppendText(nil, out)
		})
	}
	changed = false
	for _, a := range r.aliases {
		rewrite(a.field, func(v []byte) []byte { return a.replace(v) })
	}
	for _, u := range r.units {
		parent := field{u.room, u.path[:len(u.path)-1]}
		rewrite(parent, func(object []byte) []byte { return u.convert(object, counts) })
	}
	if len(r.money) > 0 && len(e.Props) > 0 {
		if out := r.amounts(e.Props, counts); out != nil {
			e.Props = out
		}
	}
	return changed
}

// name is the field's path as people write it.
func (f field) name() string {
	s := f.room
	for _, p := range f.path {
		if p == "[]" {
			s += p
		} else {
			s += "." + p
		}
	}
	return s
}

// replace is the canonical value of a text, or of each text in a list, or nil where it is that already.
func (a *aliased) replace(v []byte) []byte {
	if rawjson.Kind(v) == "array" {
		out := rawjson.Rewrite(v, []string{"[]"}, func(v []byte) []byte {
			if rawjson.Kind(v) == "array" {
				return nil
			}
			return a.replace(v)
		})
		if &out[0] == &v[0] {
			return nil
		}
		return out
	}
	s, ok := rawjson.Text(v)
	if to, known := a.to[fold(s)]; ok && known && to != s {
		return rawjson.AppendText(nil, to)
	}
	return nil
}

// convert rewrites the measure in the object that holds it, and the unit beside it.
func (u *conversion) convert(object []byte, counts *counts) []byte {
	last := u.path[len(u.path)-1]
	v := rawjson.Field(object, last)
	if rawjson.IsNull(v) {
		return nil
	}
	value, given := 0.0, ""
	if s, isText := rawjson.Text(v); isText {
		var ok bool
		if value, given, ok = measure(s); !ok {
			counts.add("normalise.failed", "unit "+u.name())
			return nil
		}
	} else if f, isNumber := rawjson.Number(v); isNumber {
		value = f
	} else {
		return nil
	}
	if given == "" && u.unitName != "" {
		given, _ = rawjson.Text(rawjson.Field(object, u.unitName))
	}
	from := u.from
	if given != "" {
		from, _ = unitOf(given)
	}
	out, ok := convert(value, from, u.to)
	if !ok {
		counts.add("normalise.failed", "unit "+u.name())
		return nil
	}
	changed := rawjson.Put(nil, object, last, strconv.AppendFloat(nil, out, 'f', -1, 64))
	if u.unitName != "" {
		changed = rawjson.Put(nil, changed, u.unitName, rawjson.AppendText(nil, u.toName))
	}
	return changed
}

// amounts adds price_minor to price, for every field of money in the properties and in each
// of their products. The amounts themselves stay: rules and models count in major units. nil means nothing to add.
func (r *rules) amounts(props []byte, counts *counts) []byte {
	currency, _ := rawjson.Text(rawjson.Field(props, "currency"))
	if currency == "" {
		currency = r.currency
	}
	out := r.addMinor(props, currency, counts)
	if products := rawjson.Field(props, "products"); rawjson.Kind(products) == "array" {
		list := rawjson.Rewrite(products, []string{"[]"}, func(v []byte) []byte {
			own, _ := rawjson.Text(rawjson.Field(v, "currency"))
			if own == "" {
				own = currency
			}
			return r.addMinor(v, own, counts)
		})
		if &list[0] != &products[0] {
			if out == nil {
				out = props
			}
			out = rawjson.Put(nil, out, "products", list)
		}
	}
	return out
}

func (r *rules) addMinor(object []byte, currency string, counts *counts) (out []byte) {
	for _, name := range r.money {
		v := rawjson.Field(object, name)
		if rawjson.IsNull(v) {
			continue
		}
		amount, ok := rawjson.Number(v)
		if s, isText := rawjson.Text(v); isText {
			amount, ok = plainNumber(s)
		}
		units, known := minorUnits(amount, currency)
		if !ok || !known {
			counts.add("normalise.failed", "money "+name)
			continue
		}
		if out == nil {
			out = object
		}
		out = rawjson.Put(nil, out, name+"_minor", strconv.AppendInt(nil, units, 10))
	}
	return out
}
