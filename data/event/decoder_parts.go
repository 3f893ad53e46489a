package event

import "kindred/data"

// The objects of a canonical event that are ours, read as decode_parts.go reads
// them. Unknown fields, null and duplicates are given up on.

// fields calls field for every field of the object that comes next, whose nesting
// level must be one of ours, and so below MaxDepth. field returns the field's bit.
func (d *Decoder) fields(field func(name string) (bit int, ok bool)) bool {
	s := &d.scan
	if s.at() != '{' {
		return false
	}
	s.i++
	if s.at() == '}' {
		s.i++
		return true
	}
	for seen := 0; ; {
		from, to, ok := s.name()
		if !ok {
			return false
		}
		bit, ok := field(alias(s.b[from:to]))
		if !ok || bit == 0 || seen&bit != 0 {
			return false
		}
		seen |= bit
		if again, ok := s.more('}'); !again {
			return ok
		}
	}
}

// elements calls element for every element of the array that comes next.
func (d *Decoder) elements(element func() bool) bool {
	s := &d.scan
	if s.at() != '[' {
		return false
	}
	s.i++
	if s.at() == ']' {
		s.i++
		return true
	}
	for {
		if !element() {
			return false
		}
		if again, ok := s.more(']'); !again {
			return ok
		}
	}
}

func (d *Decoder) ids(ids *data.IDs) bool {
	s := &d.scan
	return d.fields(func(name string) (bit int, ok bool) {
		var id string
		switch name {
		case "user":
			id, ok = s.id()
			ids.User = data.UserID(id)
			return 1, ok
		case "anon":
			id, ok = s.id()
			ids.Anonymous = data.AnonymousID(id)
			return 2, ok
		case "group":
			ids.Group, ok = s.id()
			return 4, ok
		case "device":
			ids.Device, ok = s.id()
			return 8, ok
		case "ext":
			from := d.arena.external.begin()
			ok = d.elements(func() bool {
				var x data.ExternalID
				ok := d.fields(func(name string) (bit int, ok bool) {
					switch name {
					case "type":
						x.Type, ok = s.id()
						return 1, ok
					case "id":
						x.ID, ok = s.id()
						return 2, ok
					}
					return 0, false
				})
				from = d.arena.external.push(from, x)
				return ok
			})
			ids.External = d.arena.external.run(from)
			return 16, ok
		}
		return 0, false
	})
}

func (d *Decoder) times(t *data.Times) bool {
	s := &d.scan
	return d.fields(func(name string) (bit int, ok bool) {
		switch name {
		case "event":
			t.Event, ok = s.time()
			return 1, ok
		case "original":
			t.Original, ok = s.time()
			return 2, ok
		case "sent":
			t.Sent, ok = s.time()
			return 4, ok
		case "received":
			t.Received, ok = s.time()
			return 8, ok
		case "skew_ms":
			t.SkewMS, ok = s.whole()
			return 16, ok
		case "clamped":
			t.Clamped, ok = s.flag()
			return 32, ok
		case "late":
			t.Late, ok = s.flag()
			return 64, ok
		}
		return 0, false
	})
}

func (d *Decoder) session(ref *data.SessionRef) bool {
	s := &d.scan
	return d.fields(func(name string) (bit int, ok bool) {
		switch name {
		case "id":
			ref.ID, ok = s.id()
			return 1, ok
		case "index":
			var n int64
			n, ok = s.whole()
			ref.Index = int(n)
			return 2, ok
		case "first":
			ref.First, ok = s.flag()
			return 4, ok
		}
		return 0, false
	})
}

func (d *Decoder) items() ([]data.EventItem, bool) {
	s := &d.scan
	from := d.arena.items.begin()
	ok := d.elements(func() bool {
		var it data.EventItem
		ok := d.fields(func(name string) (bit int, ok bool) {
			switch name {
			case "id":
				var id string
				id, ok = s.id()
				it.ID = data.ItemID(id)
				return 1, ok
			case "qty":
				it.Quantity, ok = s.float()
				return 2, ok
			case "price":
				it.Price, ok = s.float()
				return 4, ok
			case "facets":
				it.Facets, ok = d.facets()
				return 8, ok
			}
			return 0, false
		})
		from = d.arena.items.push(from, it)
		return ok && it.ID != ""
	})
	return d.arena.items.run(from), ok
}

// facets reads an object of lists of strings; it has few names, told apart by the map.
func (d *Decoder) facets() (facets map[string][]string, ok bool) {
	s := &d.scan
	if s.at() != '{' {
		return nil, false
	}
	s.i++
	for {
		from, to, ok := s.name()
		if !ok {
			return nil, false // also of {}, which Append does not write
		}
		name := facetName(alias(s.b[from:to]))
		texts := &d.arena.texts
		first := texts.begin()
		ok = d.elements(func() bool {
			text, ok := s.string()
			first = texts.push(first, text)
			return ok
		})
		values := texts.run(first)
		if !ok || len(values) == 0 {
			return nil, false
		}
		if facets == nil {
			facets = d.arena.facets.take()
		}
		if _, twice := facets[name]; twice {
			return nil, false
		}
		facets[name] = values
		if again, ok := s.more('}'); !again {
			return facets, ok
		}
	}
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
	s := &d.scan
	var r data.RecRef
	ok := d.fields(func(name string) (bit int, ok bool) {
		switch name {
		case "request_id":
			r.Request, ok = s.id()
			return 1, ok
		case "slot":
			r.Slot, ok = s.id()
			return 2, ok
		case "position":
			var n int64
			n, ok = s.whole()
			r.Position = int(n)
			return 4, ok
		case "model":
			r.Model, ok = s.id()
			return 8, ok
		}
		return 0, false
	})
	if !ok {
		return nil, false
	}
	from := d.arena.recs.begin()
	from = d.arena.recs.push(from, r)
	return &d.arena.recs.buf[from], true
}

func (d *Decoder) shown() (*data.Shown, bool) {
	s := &d.scan
	var w data.Shown
	ok := d.fields(func(name string) (bit int, ok bool) {
		switch name {
		case "request_id":
			w.Request, ok = s.id()
			return 1, ok
		case "slot":
			w.Slot, ok = s.id()
			return 2, ok
		case "model":
			w.Model, ok = s.id()
			return 4, ok
		case "arm":
			w.Arm, ok = s.id()
			return 8, ok
		case "items":
			from := d.arena.places.begin()
			ok = d.elements(func() bool {
				it, ok := d.shownItem()
				from = d.arena.places.push(from, it)
				return ok
			})
			w.Items = d.arena.places.run(from)
			return 16, ok
		}
		return 0, false
	})
	if !ok {
		return nil, false
	}
	from := d.arena.shown.begin()
	from = d.arena.shown.push(from, w)
	return &d.arena.shown.buf[from], true
}

func (d *Decoder) shownItem() (it data.ShownItem, ok bool) {
	s := &d.scan
	ok = d.fields(func(name string) (bit int, ok bool) {
		switch name {
		case "id":
			var id string
			id, ok = s.id()
			it.Item = data.ItemID(id)
			return 1, ok
		case "position":
			var n int64
			n, ok = s.whole()
			it.Position = int(n)
			return 2, ok
		case "score":
			it.Score, ok = s.float()
			return 4, ok
		case "propensity":
			it.Propensity, ok = s.float()
			return 8, ok
		}
		return 0, false
	})
	return it, ok
}
