package event

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kindred/data"
)

// Append appends the canonical JSON of e to dst: the same event always gives the
// same bytes. Empty fields are absent; V 0 is written as data.EventVersion; a
// number that is not finite is written as null, which reads as absent; bytes of a
// string that are not UTF-8 become U+FFFD.
//
// The raw fields (Props, Traits, Ctx, Bot, Consent, Schema, Extra) must hold valid
// JSON: they are written without their white space and not looked into, so what is
// wrong in them makes Decode refuse the result. An Extra field with the name of a
// field of ours is left out.
func Append(dst []byte, e data.Event) []byte { return appendEvent(dst, &e, false) }

// appendEvent is Append. The caller may know that the raw fields are compact.
func appendEvent(dst []byte, e *data.Event, compacted bool) []byte {
	w := writer{dst, compacted}
	version := e.V
	if version == 0 {
		version = data.EventVersion
	}
	w.b = append(w.b, `{"v":`...)
	w.b = strconv.AppendInt(w.b, int64(version), 10)
	w.text(`"id":`, e.ID)
	w.text(`"source":`, e.Source)
	w.text(`"tenant":`, string(e.Space))
	w.text(`"env":`, e.Env)
	w.text(`"type":`, string(e.Type))
	w.text(`"name":`, e.Name)
	w.ids(e.IDs)
	w.text(`"profile":`, string(e.Profile))
	w.times(e.Times)
	if e.Session != (data.SessionRef{}) {
		w.open(`"session":`)
		w.text(`"id":`, e.Session.ID)
		w.int(`"index":`, int64(e.Session.Index))
		w.flag(`"first":`, e.Session.First)
		w.b = append(w.b, '}')
	}
	w.raw(`"props":`, e.Props)
	w.raw(`"traits":`, e.Traits)
	w.items(e.Items)
	w.float(`"value":`, e.Value)
	w.raw(`"ctx":`, e.Ctx)
	w.raw(`"bot":`, e.Bot)
	w.raw(`"consent":`, e.Consent)
	w.raw(`"schema":`, e.Schema)
	if r := e.Rec; r != nil {
		w.open(`"rec":`)
		w.text(`"request_id":`, r.Request)
		w.text(`"slot":`, r.Slot)
		w.int(`"position":`, int64(r.Position))
		w.text(`"model":`, r.Model)
		w.b = append(w.b, '}')
	}
	w.flag(`"imported":`, e.Imported)
	w.system(e)
	if len(e.Extra) > 0 {
		w.extra(e.Extra)
	}
	return append(w.b, '}')
}

// extra writes the fields unknown to us in the order of their names.
func (w *writer) extra(extra map[string]json.RawMessage) {
	var few [8]string
	names := few[:0]
	for name, v := range extra {
		if !known(name) && len(v) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		w.foreign(name)
		w.value(extra[name])
	}
}

// system writes the payloads of system events.
func (w *writer) system(e *data.Event) {
	if m := e.Marker; m != nil {
		w.open(`"marker":`)
		w.text(`"rules":`, m.Rules)
		w.text(`"models":`, m.Models)
		w.b = append(w.b, '}')
	}
	if a := e.Absorb; a != nil {
		w.open(`"absorb":`)
		w.text(`"from":`, string(a.From))
		if len(a.State) > 0 {
			w.name(`"state":`)
			w.b = append(w.b, '"')
			w.b = base64.StdEncoding.AppendEncode(w.b, a.State)
			w.b = append(w.b, '"')
		}
		if len(a.Dedup) > 0 {
			w.name(`"dedup":`)
			w.b = append(w.b, '"')
			w.b = base64.StdEncoding.AppendEncode(w.b, a.Dedup)
			w.b = append(w.b, '"')
		}
		w.b = append(w.b, '}')
	}
	if e.Skip != nil {
		w.name(`"skip":`)
		w.b = strconv.AppendInt(w.b, *e.Skip, 10)
	}
	if s := e.Shown; s != nil {
		w.open(`"shown":`)
		w.text(`"request_id":`, s.Request)
		w.text(`"slot":`, s.Slot)
		w.text(`"model":`, s.Model)
		w.text(`"arm":`, s.Arm)
		if len(s.Items) > 0 {
			w.list(`"items":`)
			for i := range s.Items {
				it := &s.Items[i]
				w.element()
				w.text(`"id":`, string(it.Item))
				w.int(`"position":`, int64(it.Position))
				w.float(`"score":`, it.Score)
				w.float(`"propensity":`, it.Propensity)
				w.b = append(w.b, '}')
			}
			w.b = append(w.b, ']')
		}
		w.b = append(w.b, '}')
	}
}

func (w *writer) ids(ids data.IDs) {
	if ids.User == "" && ids.Anonymous == "" && ids.Group == "" && ids.Device == "" && len(ids.External) == 0 {
		return
	}
	w.open(`"ids":`)
	w.text(`"user":`, string(ids.User))
	w.text(`"anon":`, string(ids.Anonymous))
	w.text(`"group":`, ids.Group)
	w.text(`"device":`, ids.Device)
	if len(ids.External) > 0 {
		w.list(`"ext":`)
		for _, x := range ids.External {
			w.element()
			w.text(`"type":`, x.Type)
			w.text(`"id":`, x.ID)
			w.b = append(w.b, '}')
		}
		w.b = append(w.b, ']')
	}
	w.b = append(w.b, '}')
}

func (w *writer) times(t data.Times) {
	if t == (data.Times{}) {
		return
	}
	w.open(`"t":`)
	w.time(`"event":`, t.Event)
	w.time(`"original":`, t.Original)
	w.time(`"sent":`, t.Sent)
	w.time(`"received":`, t.Received)
	w.int(`"skew_ms":`, t.SkewMS)
	w.flag(`"clamped":`, t.Clamped)
	w.flag(`"late":`, t.Late)
	w.b = append(w.b, '}')
}

func (w *writer) items(items []data.EventItem) {
	if len(items) == 0 {
		return
	}
	w.list(`"items":`)
	for i := range items {
		it := &items[i]
		w.element()
		w.text(`"id":`, string(it.ID))
		w.float(`"qty":`, it.Quantity)
		w.float(`"price":`, it.Price)
		if len(it.Facets) > 0 {
			w.facets(it.Facets)
		}
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

// facets writes lists of strings in the order of their names.
func (w *writer) facets(facets map[string][]string) {
	w.open(`"facets":`)
	type facet struct {
		name   string
		values []string
	}
	var few [8]facet // no event of ours has more
	sorted := few[:0]
	for name, values := range facets {
		if len(values) > 0 {
			sorted = append(sorted, facet{name, values})
		}
	}
	if len(sorted) > 1 {
		slices.SortFunc(sorted, func(a, b facet) int { return strings.Compare(a.name, b.name) })
	}
	for _, f := range sorted {
		w.foreign(f.name)
		open := byte('[')
		for _, v := range f.values {
			w.b = appendString(append(w.b, open), v)
			open = ','
		}
		w.b = append(w.b, ']')
	}
	w.b = append(w.b, '}')
}

// writer appends JSON fields to b, each absent when empty.
type writer struct {
	b         []byte
	compacted bool // raw values hold no white space between their tokens
}

// name writes the comma that is due and the name of a field of ours, which is given
// with quotes and colon, as to all methods.
func (w *writer) name(name string) {
	b := w.b
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	w.b = append(b, name...)
}

// foreign writes the comma that is due and a name that may need escapes.
func (w *writer) foreign(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(appendString(w.b, name), ':')
}

func (w *writer) open(name string) {
	w.name(name)
	w.b = append(w.b, '{')
}

// list opens an array; its elements are written with element and closed with close.
func (w *writer) list(name string) {
	w.name(name)
	w.b = append(w.b, '[')
}

// element writes the comma that is due before an element that is an object, and opens it.
func (w *writer) element() {
	if w.b[len(w.b)-1] == '}' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '{')
}

func (w *writer) text(name, s string) {
	if s != "" {
		w.name(name)
		w.b = appendString(w.b, s)
	}
}

func (w *writer) flag(name string, v bool) {
	if v {
		w.name(name)
		w.b = append(w.b, "true"...)
	}
}

func (w *writer) int(name string, n int64) {
	if n != 0 {
		w.name(name)
		w.b = strconv.AppendInt(w.b, n, 10)
	}
}

func (w *writer) float(name string, f float64) {
	if f != 0 {
		w.name(name)
		w.b = appendFloat(w.b, f)
	}
}

func (w *writer) time(name string, t time.Time) {
	if !t.IsZero() {
		w.name(name)
		w.b = appendInstant(w.b, t)
	}
}

func (w *writer) raw(name string, raw json.RawMessage) {
	if len(raw) > 0 {
		w.name(name)
		w.value(raw)
	}
}

// value writes a raw value.
func (w *writer) value(raw json.RawMessage) {
	if w.compacted {
		w.b = append(w.b, raw...)
	} else {
		w.b = compact(w.b, raw)
	}
}

// appendFloat writes the shortest decimal that reads back as f, with an exponent
// for very small and very large numbers, as encoding/json does.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	format := byte('f')
	if a := math.Abs(f); a < 1e-6 || a >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

// appendString writes s in double quotes, escaping only what JSON requires.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		n := i + plain(s[i:])
		dst = append(dst, s[i:n]...)
		if i = n; i == len(s) {
			break
		}
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c == '\n':
			dst = append(dst, '\\', 'n')
			i++
		case c == '\t':
			dst = append(dst, '\\', 't')
			i++
		case c == '\r':
			dst = append(dst, '\\', 'r')
			i++
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		}
	}
	return append(dst, '"')
}

// plain is the number of bytes before the first that a JSON string cannot hold as
// it is or that is not ASCII.
func plain(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		if m := (((x ^ quotes) - ones) | ((x ^ backslashes) - ones) | (x - blanks) | x) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c == '"' || c == '\\' || c < ' ' || c >= utf8.RuneSelf {
			return i
		}
	}
	return i
}
