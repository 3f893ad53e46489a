package door

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"kindred/data"
)

// GIF is the answer to every pixel: one transparent dot, 43 bytes.
const GIF = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// pixelFields are the parameters that are fields of the call; all others are properties.
var pixelFields = []string{"messageId", "userId", "anonymousId", "event", "name", "category", "timestamp", "originalTimestamp", "sentAt", "channel", "type"}

// maxSteps bounds the dots in a parameter's name.
const maxSteps = 16

// Pixel makes the call of /pixel/v1/{track,page}: typ is the route's. Parameters named
// properties.x, context.x.y and traits.x go where their names say, properties={…} is JSON, data=… a
// whole call in Base64 as Segment's pixel takes it; what is unknown becomes a property.
//
// Without messageId the query names the call, so that an image that is fetched again, by a mail
// proxy for example, is one event. Who wants each fetch counted adds a parameter that changes.
func Pixel(typ data.EventType, query url.Values, l Limits) (Batch, error) {
	c := newCollector("pixel", l)
	size := 0
	for name, values := range query {
		for _, v := range values {
			if size += len(name) + len(v) + 2; !utf8.ValidString(name) || !utf8.ValidString(v) {
				return Batch{}, refuse(c.door, "the parameter %q is not UTF-8", clip(strings.ToValidUTF8(name, "?")))
			}
		}
	}
	if size > l.Bytes {
		return Batch{}, refuse(c.door, "%d bytes; at most %d are taken", size, l.Bytes)
	}
	c.WriteKey = query.Get("writeKey")
	call, err := pixelCall(query)
	if err != nil {
		return Batch{}, refuse(c.door, "%v", err)
	}
	if c.WriteKey == "" {
		c.WriteKey = call.takeText("writeKey")
	}
	call.set("type", quote(string(typ)))
	if call.text("messageId") == "" {
		call.set("messageId", quote(pixelID(typ, query)))
	}
	err = c.add(call.bytes())
	return c.Batch, err
}

// pixelCall is the call of a query, without type and id.
func pixelCall(query url.Values) (*object, error) {
	call := newObject()
	if text := query.Get("data"); text != "" {
		if doc, ok := unbase64(text); ok && doc[0] == '{' {
			o, err := parseObject(doc)
			if err != nil {
				return nil, &BodyError{"pixel", "data: " + err.Error()}
			}
			return o, nil
		}
	}
	parts := map[string]map[string]any{}
	for _, name := range sortedKeys(query) {
		value := query.Get(name)
		first, rest, dotted := strings.Cut(name, ".")
		isPart := first == "properties" || first == "context" || first == "traits"
		switch {
		case name == "writeKey":
		case slices.Contains(pixelFields, name):
			call.setText(name, value)
		case isPart && !dotted && checkJSON([]byte(value)) == nil && strings.HasPrefix(value, "{"):
			o, err := fieldsOf([]byte(value))
			if err != nil {
				return nil, err
			}
			for _, n := range o.names {
				put(parts, first, []string{n}, o.values[n])
			}
		case isPart && dotted && rest != "":
			put(parts, first, strings.SplitN(rest, ".", maxSteps), value)
		case name != "":
			put(parts, "properties", []string{name}, value)
		}
	}
	for _, name := range []string{"properties", "context", "traits"} {
		if parts[name] != nil {
			b, err := json.Marshal(parts[name]) // sorted, so that the same query gives the same bytes
			if err != nil {
				return nil, err
			}
			call.set(name, b)
		}
	}
	return call, nil
}

// put puts v at the path below part. Where a value stands in the way the rest of the path
// becomes one name.
func put(parts map[string]map[string]any, part string, path []string, v any) {
	at := parts[part]
	if at == nil {
		at = map[string]any{}
		parts[part] = at
	}
	for len(path) > 1 {
		next, isMap := at[path[0]].(map[string]any)
		if !isMap {
			if _, taken := at[path[0]]; taken {
				path = []string{strings.Join(path, ".")}
				break
			}
			next = map[string]any{}
			at[path[0]] = next
		}
		at, path = next, path[1:]
	}
	if _, taken := at[path[0]]; !taken {
		at[path[0]] = v
	}
}

// pixelID names a call by its query.
func pixelID(typ data.EventType, query url.Values) string {
	parts := []string{"pixel", string(typ)}
	for _, name := range sortedKeys(query) {
		parts = append(parts, name)
		parts = append(parts, query[name]...)
	}
	return identity(parts...)
}

// sortedKeys are the names of a query in order.
func sortedKeys(q url.Values) []string {
	names := make([]string, 0, len(q))
	for name := range q {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
