package event

import "kindred/data"

// The objects of a canonical event that are ours, in the order that Append gives
// their fields. At a field, b[i] is the bracket or comma before its name.

// field passes the separator and the name of a field (given with quotes and colon)
// if they come next, and then expects a comma before the fields that follow.
func (s *scan) field(separator *byte, name string) bool {
	if i := s.i + 1; len(s.b)-i >= len(name) && s.b[i-1] == *separator && string(s.b[i:i+len(name)]) == name {
		s.i = i + len(name)
		*separator = ','
		return true
	}
	return false
}

// end passes the end of an object that had a field.
func (s *scan) end(separator byte) bool { return separator == ',' && s.comes('}') }

func (d *Decoder) ids(ids *data.IDs) (ok bool) {
	s, separator := &d.scan, byte('{')
	if s.field(&separator, `"user":`) {
		id, ok := s.id()
		if ids.User = data.UserID(id); !ok {
			return false
		}
	}
	if s.field(&separator, `"anon":`) {
		id, ok := s.id()
		if ids.Anonymous = data.AnonymousID(id); !ok {
			return false
		}
	}
	if s.field(&separator, `"group":`) {
		if ids.Group, ok = s.id(); !ok {
			return false
		}
	}
	if s.field(&separator, `"device":`) {
		if ids.Device, ok = s.id(); !ok {
			return false
		}
	}
	if s.field(&separator, `"ext":`) {
		if ids.External, ok = d.external(); !ok {
			return false
		}
	}
	return s.end(separator)
}

func (d *Decoder) external() ([]data.ExternalID, bool) {
	s, from := &d.scan, d.arena.external.begin()
	for open := byte('['); s.comes(open); open = ',' {
		var x data.ExternalID
		var ok bool
		separator := byte('{')
		if s.field(&separator, `"type":`) {
			if x.Type, ok = s.id(); !ok {
				return nil, false
			}
		}
		if s.field(&separator, `"id":`) {
			if x.ID, ok = s.id(); !ok {
				return nil, false
			}
		}
		if !s.end(separator) {
			return nil, false
		}
		from = d.arena.external.push(from, x)
	}
	list := d.arena.external.run(from)
	return list, len(list) > 0 && s.comes(']')
}

func (d *Decoder) times(t *data.Times) (ok bool) {
	s, separator := &d.scan, byte('{')
	if s.field(&separator, `"event":`) {
		if t.Event, ok = s.instant(); !ok {
			return false
		}
	}
	if s.field(&separator, `"original":`) {
		if t.Original, ok = s.instant(); !ok {
			return false
		}
	}
	if s.field(&separator, `"sent":`) {
		if t.Sent, ok = s.instant(); !ok {
			return false
		}
	}
	if s.field(&separator, `"received":`) {
		if t.Received, ok = s.instant(); !ok {
			return false
		}
	}
	if s.field(&separator, `"skew_ms":`) {
		if t.SkewMS, ok = s.whole(); !ok {
			return false
		}
	}
	t.Clamped = s.field(&separator, `"clamped":true`)
	t.Late = s.field(&separator, `"late":true`)
	return s.end(separator)
}

func (d *Decoder) session(ref *data.SessionRef) (ok bool) {
	s, separator := &d.scan, byte('{')
	if s.field(&separator, `"id":`) {
		if ref.ID, ok = s.id(); !ok {
			return false
		}
	}
	if s.field(&separator, `"index":`) {
		n, ok := s.whole()
		if ref.Index = int(n); !ok {
			return false
		}
	}
	ref.First = s.field(&separator, `"first":true`)
	return s.end(separator)
}

func (d *Decoder) items() ([]data.EventItem, bool) {
	s, from := &d.scan, d.arena.items.begin()
	for open := byte('['); s.comes(open); open = ',' {
		var it data.EventItem
		separator := byte('{')
		if !s.field(&separator, `"id":`) {
			return nil, false
		}
		id, ok := s.id()
		if it.ID = data.ItemID(id); !ok || id == "" {
			return nil, false
		}
		if s.field(&separator, `"qty":`) {
			if it.Quantity, ok = s.float(); !ok {
				return nil, false
			}
		}
		if s.field(&separator, `"price":`) {
			if it.Price, ok = s.float(); !ok {
				return nil, false
			}
		}
		if s.field(&separator, `"facets":`) {
			if it.Facets, ok = d.facets(); !ok {
				return nil, false
			}
		}
		if !s.end(separator) {
			return nil, false
		}
		from = d.arena.items.push(from, it)
	}
	list := d.arena.items.run(from)
	return list, len(list) > 0 && s.comes(']')
}

// facets reads an object of lists of strings, in the order of their names.
func (d *Decoder) facets() (map[string][]string, bool) {
	s, texts := &d.scan, &d.arena.texts
	facets, last := d.arena.facets.take(), ""
	for open := byte('{'); s.comes(open); open = ',' {
		from, to, ok := s.name()
		name := facetName(alias(s.b[from:to]))
		if !ok || name <= last && len(facets) > 0 {
			return nil, false
		}
		first := texts.begin()
		for open := byte('['); s.comes(open); open = ',' {
			text, ok := s.string()
			if !ok {
				return nil, false
			}
			first = texts.push(first, text)
		}
		values := texts.run(first)
		if len(values) == 0 || !s.comes(']') {
			return nil, false
		}
		facets[name], last = values, name
	}
	return facets, len(facets) > 0 && s.comes('}')
}

// facetName is the name in memory of its own where it is one of ours.
func facetName(name string) string {
	switch name {
	case "category":
		return "category"
	case "tag":
		return "tag"
	case "brand":
		return "brand"
	}
	return name
}

func (d *Decoder) rec() (*data.RecRef, bool) {
	s, separator := &d.scan, byte('{')
	var r data.RecRef
	var ok bool
	if s.field(&separator, `"request_id":`) {
		if r.Request, ok = s.id(); !ok {
			return nil, false
		}
	}
	if s.field(&separator, `"slot":`) {
		if r.Slot, ok = s.id(); !ok {
			return nil, false
		}
	}
	if s.field(&separator, `"position":`) {
		n, ok := s.whole()
		if r.Position = int(n); !ok {
			return nil, false
		}
	}
	if s.field(&separator, `"model":`) {
		if r.Model, ok = s.id(); !ok {
			return nil, false
		}
	}
	from := d.arena.recs.begin()
	from = d.arena.recs.push(from, r)
	return &d.arena.recs.buf[from], s.end(separator)
}

func (d *Decoder) shown() (*data.Shown, bool) {
	s, separator := &d.scan, byte('{')
	var w data.Shown
	var ok bool
	if s.field(&separator, `"request_id":`) {
		if w.Request, ok = s.id(); !ok {
			return nil, false
		}
	}
	if s.field(&separator, `"slot":`) {
		if w.Slot, ok = s.id(); !ok {
			return nil, false
		}
	}
	if s.field(&separator, `"model":`) {
		if w.Model, ok = s.id(); !ok {
			return nil, false
		}
	}
	if s.field(&separator, `"arm":`) {
		if w.Arm, ok = s.id(); !ok {
			return nil, false
		}
	}
	if s.field(&separator, `"items":`) {
		if w.Items, ok = d.shownItems(); !ok {
			return nil, false
		}
	}
	from := d.arena.shown.begin()
	from = d.arena.shown.push(from, w)
	return &d.arena.shown.buf[from], s.end(separator)
}

func (d *Decoder) shownItems() ([]data.ShownItem, bool) {
	s, from := &d.scan, d.arena.places.begin()
	for open := byte('['); s.comes(open); open = ',' {
		var it data.ShownItem
		var ok bool
		separator := byte('{')
		if s.field(&separator, `"id":`) {
			id, ok := s.id()
			if it.Item = data.ItemID(id); !ok {
				return nil, false
			}
		}
		if s.field(&separator, `"position":`) {
			n, ok := s.whole()
			if it.Position = int(n); !ok {
				return nil, false
			}
		}
		if s.field(&separator, `"score":`) {
			if it.Score, ok = s.float(); !ok {
				return nil, false
			}
		}
		if s.field(&separator, `"propensity":`) {
			if it.Propensity, ok = s.float(); !ok {
				return nil, false
			}
		}
		if !s.end(separator) {
			return nil, false
		}
		from = d.arena.places.push(from, it)
	}
	list := d.arena.places.run(from)
	return list, len(list) > 0 && s.comes(']')
}
