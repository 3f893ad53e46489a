package door

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// kind makes type, name and properties of the event.
func (e *spEvent) kind(kind string, lines map[string]*spLines) error {
	p := e.params
	switch kind {
	case "pv":
		e.call.setText("type", "page")
		e.call.setText("name", p.text("page"))
	case "pp":
		e.track("Page Pinged")
		for _, name := range []string{"pp_mix", "pp_max", "pp_miy", "pp_may"} {
			e.props.setNumber(strings.TrimPrefix(name, "pp_"), p.takeText(name))
		}
		e.depth()
	case "se":
		action := p.takeText("se_ac")
		if action == "" {
			return fmt.Errorf("se_ac: is missing or empty; a structured event is named by its action")
		}
		e.track(action)
		e.props.setText("category", p.takeText("se_ca"))
		e.props.setText("label", p.takeText("se_la"))
		e.props.setText("property", p.takeText("se_pr"))
		e.props.setNumber("value", p.takeText("se_va"))
	case "ue":
		d, err := e.described("ue_pr", "ue_px")
		if err != nil {
			return err
		}
		e.selfDescribing(d)
	case "tr":
		e.order(lines)
	case "ti":
		e.track("Order Completed")
		e.props.setText("order_id", p.text("ti_id"))
		e.props.set("products", list(line(p)))
		e.props.setText("currency", p.takeText("ti_cu"))
		e.props.set("order_line", json.RawMessage("true"))
		takeAll(p, "ti_")
	case "":
		return fmt.Errorf("e: is missing; it says what the event is")
	default:
		return fmt.Errorf("e: %q is no event of the protocol; pv, pp, se, ue, tr and ti are", clip(kind))
	}
	return nil
}

func (e *spEvent) track(name string) {
	e.call.setText("type", "track")
	e.call.setText("event", name)
}

// depth is how much of the document has come into view, by the sizes that the tracker tells.
func (e *spEvent) depth() {
	part := func(s string) float64 {
		_, h, _ := strings.Cut(s, "x")
		f, err := strconv.ParseFloat(h, 64)
		if err != nil || !(f > 0 && f < 1e9) {
			return 0
		}
		return f
	}
	view, document := part(e.params.text("vp")), part(e.params.text("ds"))
	bottom, ok := numberOf(e.props.text("may"))
	if !ok || view == 0 || document == 0 {
		return
	}
	f, _ := strconv.ParseFloat(string(bottom), 64)
	share := max(0, min(1, (f+view)/document))
	e.props.set("depth", json.RawMessage(strconv.FormatFloat(share, 'f', 3, 64)))
}

// parameter is the object that a parameter holds as JSON or, under its other name, in
// Base64; nil where there is neither.
func (e *spEvent) parameter(plain, encoded string) (*object, error) {
	raw := []byte(e.params.takeText(plain))
	name := plain
	if coded := e.params.takeText(encoded); len(raw) == 0 && coded != "" {
		name = encoded
		var ok bool
		if raw, ok = unbase64(coded); !ok {
			return nil, fmt.Errorf("%s: is not Base64", encoded)
		}
	}
	if len(raw) == 0 {
		return nil, nil
	}
	o, err := parseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return o, nil
}

// described is the event of a ue, out of its wrapper.
func (e *spEvent) described(plain, encoded string) (described, error) {
	o, err := e.parameter(plain, encoded)
	if err != nil {
		return described{}, err
	}
	if o == nil {
		return described{}, fmt.Errorf("%s: is missing, and so is %s", plain, encoded)
	}
	if strings.Contains(o.text("schema"), "/unstruct_event/") {
		o = o.child("data")
	}
	return describe(o)
}

// describe reads {schema, data}.
func describe(o *object) (described, error) {
	schema := schemaName(o.text("schema"))
	if schema == "" {
		return described{}, fmt.Errorf("schema: %q is not iglu:vendor/name/jsonschema/version", clip(o.text("schema")))
	}
	return described{schema, o.child("data")}, nil
}

// schemaName is vendor/name of iglu:vendor/name/format/version, or "".
func schemaName(iglu string) string {
	rest, ok := strings.CutPrefix(iglu, "iglu:")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 3 || parts[0] == "" || parts[1] == "" {
		return ""
	}
	return parts[0] + "/" + parts[1]
}

// entities are the contexts of the event (co or cx).
func (e *spEvent) entities() (out []described, err error) {
	o, err := e.parameter("co", "cx")
	if o == nil || err != nil {
		return nil, err
	}
	for _, raw := range listOf(o.get("data")) {
		o, err := fieldsOf(raw)
		if err != nil {
			continue // says nothing that could be kept under a name
		}
		if d, err := describe(o); err == nil {
			out = append(out, d)
		}
	}
	return out, nil
}

// list is a JSON array.
func list(values ...json.RawMessage) json.RawMessage {
	b := []byte{'['}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, v...)
	}
	return append(b, ']')
}

// takeAll drops the fields with a prefix.
func takeAll(p *object, prefix string) {
	p.names = slices.DeleteFunc(p.names, func(name string) bool {
		gone := strings.HasPrefix(name, prefix)
		if gone {
			delete(p.values, name)
		}
		return gone
	})
}
