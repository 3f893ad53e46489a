package door

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"kindred/data"
	"kindred/data/event"
)

// columnType is what the schema of an envelope says about a column.
type columnType struct {
	name  string // the semantic type, such as io.debezium.time.Timestamp
	scale int
}

// columnTypes are the semantic types of the columns of before and after; empty without a schema.
func columnTypes(schema json.RawMessage) map[string]map[string]columnType {
	types := map[string]map[string]columnType{"before": {}, "after": {}}
	if len(schema) == 0 {
		return types
	}
	s, err := fieldsOf(schema)
	if err != nil {
		return types
	}
	for _, raw := range listOf(s.get("fields")) {
		part, err := fieldsOf(raw)
		if err != nil || types[part.text("field")] == nil {
			continue
		}
		for _, raw := range listOf(part.get("fields")) {
			if f, err := fieldsOf(raw); err == nil && f.text("name") != "" {
				scale, _ := strconv.Atoi(f.child("parameters").text("scale"))
				types[part.text("field")][f.text("field")] = columnType{f.text("name"), scale}
			}
		}
	}
	return types
}

// convert is a value as JSON people would write it: times and dates in RFC 3339, decimals as
// numbers, JSON as JSON. What does not fit its type stays as it came.
func (t columnType) convert(v json.RawMessage) json.RawMessage {
	switch t.name {
	case "io.debezium.time.Timestamp", "org.apache.kafka.connect.data.Timestamp":
		return instant(v, time.Millisecond)
	case "io.debezium.time.MicroTimestamp":
		return instant(v, time.Microsecond)
	case "io.debezium.time.NanoTimestamp":
		return instant(v, time.Nanosecond)
	case "io.debezium.time.Date", "org.apache.kafka.connect.data.Date":
		if days, err := strconv.ParseInt(string(v), 10, 32); err == nil {
			return quote(time.Unix(days*86400, 0).UTC().Format(time.DateOnly))
		}
	case "org.apache.kafka.connect.data.Decimal":
		return decimal(v, t.scale)
	case "io.debezium.data.VariableScaleDecimal":
		if len(v) > 0 && v[0] == '{' {
			if o, err := fieldsOf(v); err == nil {
				if scale, err := strconv.Atoi(o.text("scale")); err == nil && o.get("value") != nil {
					return decimal(o.get("value"), scale)
				}
			}
		}
	case "io.debezium.data.Json":
		if doc := []byte(textOf(v)); len(v) > 0 && v[0] == '"' && checkJSON(doc) == nil {
			return doc
		}
	}
	return v
}

// instant is a count of units since 1970 in RFC 3339.
func instant(v json.RawMessage, unit time.Duration) json.RawMessage {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		return v
	}
	per := int64(time.Second / unit)
	t := time.Unix(n/per, n%per*int64(unit)).UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return v
	}
	return quote(t.Format("2006-01-02T15:04:05.999999999Z07:00"))
}

// decimal is Base64 of a big-endian two's complement integer, times 10^-scale, as a number.
func decimal(v json.RawMessage, scale int) json.RawMessage {
	b, err := base64.StdEncoding.DecodeString(textOf(v))
	if len(v) == 0 || v[0] != '"' || err != nil || len(b) == 0 || len(b) > 64 || scale < 0 || scale > 64 {
		return v
	}
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	r := new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	return json.RawMessage(r.FloatString(scale))
}

// item is an item of a row: columns named as the fields of an item fill them, the others are its
// attributes.
func (t *Table) item(id string, row *object) (it data.Item, reason string) {
	fields, attributes := newObject(), newObject()
	for _, name := range row.names {
		to := t.column(name)
		switch to {
		case "":
		case "title", "text", "brand", "currency", "url", "image_url":
			fields.setText(to, row.text(name))
		case "price":
			fields.set(to, loose(row.get(name)))
		case "hidden":
			v := loose(row.get(name))
			switch string(v) {
			case "0":
				v = json.RawMessage("false")
			case "1":
				v = json.RawMessage("true")
			}
			fields.set(to, v)
		case "published":
			if at, err := event.ParseTime(row.text(name)); err == nil {
				fields.setText(to, at.Format(time.RFC3339Nano))
			}
		case "categories", "category", "tags":
			if to == "category" {
				to = "categories"
			}
			fields.set(to, texts(row.get(name)))
		case "id", "updated":
		default:
			if name != t.Key {
				attributes.set(to, row.get(name))
			}
		}
	}
	if err := json.Unmarshal(fields.bytes(), &it); err != nil {
		return it, "after: makes no item: " + err.Error()
	}
	if it.ID = data.ItemID(id); len(attributes.names) > 0 {
		it.Attributes = attributes.bytes()
	}
	if it.Price < 0 || it.Price > event.MaxNumber || math.IsNaN(it.Price) {
		return it, fmt.Sprintf("price: is %v; it must lie between 0 and %v", it.Price, float64(event.MaxNumber))
	}
	return it, ""
}

// loose is a number or a truth value, also where the database wrote it as text or as 0 and 1.
func loose(v json.RawMessage) json.RawMessage {
	if s := textOf(v); len(v) > 0 && v[0] == '"' {
		if n, ok := numberOf(s); ok {
			return n
		}
		if s == "true" || s == "false" {
			return json.RawMessage(s)
		}
	}
	return v
}

// texts is a list of strings: the list itself, one string, or JSON text of a list.
func texts(v json.RawMessage) json.RawMessage {
	s := textOf(v)
	if len(s) > 1 && s[0] == '[' && checkJSON([]byte(s)) == nil {
		v = json.RawMessage(s)
	} else if s != "" {
		return list(quote(s))
	}
	var out []json.RawMessage
	for _, e := range listOf(v) {
		if t := textOf(e); t != "" {
			out = append(out, quote(t))
		}
	}
	return list(out...)
}
