package event

import (
	"strings"

	"kindred/data"
)

// propParts is what readProperties looks for in the properties, noted in passing.
// Values are nil where they are absent or null.
type propParts struct {
	product                       productParts // of the properties themselves
	rating, value, revenue, total []byte
	rec                           []byte
	items                         []data.EventItem // of products
	hasName, hasCategory          bool             // there are such fields, null or not
}

// productParts is what readItem looks for in one product.
type productParts struct {
	ids                               [7][]byte // in the order of preference
	quantity, qty, price              []byte
	category, categories, brand, tags []byte
}

// take notes a field that is not null.
func (c *productParts) take(name string, v []byte) {
	switch name {
	case "product_id":
		c.ids[0] = v
	case "productId":
		c.ids[1] = v
	case "item_id":
		c.ids[2] = v
	case "itemId":
		c.ids[3] = v
	case "article_id":
		c.ids[4] = v
	case "sku":
		c.ids[5] = v
	case "id":
		c.ids[6] = v
	case "quantity":
		c.quantity = v
	case "qty":
		c.qty = v
	case "price":
		c.price = v
	case "category":
		c.category = v
	case "categories":
		c.categories = v
	case "brand":
		c.brand = v
	case "tags":
		c.tags = v
	}
}

// properties passes the properties, an object at this depth, and notes their parts.
func (p *Parser) properties(depth int) bool {
	s, c := &p.scan, &p.call.props
	return p.object(depth, func(name string) bool {
		if name == "products" && s.b[s.i] == '[' {
			return p.products(depth + 1)
		}
		from := s.i
		if !s.value(depth + 1) {
			return false
		}
		v := s.b[from:s.i:s.i]
		c.hasName = c.hasName || name == "name"
		c.hasCategory = c.hasCategory || name == "category"
		if v[0] == 'n' {
			return true
		}
		switch name {
		case "rating":
			c.rating = v
		case "value":
			c.value = v
		case "revenue":
			c.revenue = v
		case "total":
			c.total = v
		case "rec":
			c.rec = v
		default:
			c.product.take(name, v)
		}
		return true
	})
}

// object passes an object at this depth; field passes the value of each field.
func (p *Parser) object(depth int, field func(name string) bool) bool {
	s := &p.scan
	if s.at() != '{' || depth > MaxDepth {
		return false
	}
	s.i++
	if s.at() == '}' {
		s.i++
		return true
	}
	first := len(s.keys)
	for sketch := uint64(0); ; {
		from, to, ok := s.name()
		if !ok || !s.unique(first, &sketch, from, to) || s.at() == 0 || !field(alias(s.b[from:to])) {
			return false
		}
		again, ok := s.more('}')
		if !again {
			s.keys = s.keys[:first]
			return ok
		}
	}
}

// products passes a list of products, an array at this depth, and keeps its items.
func (p *Parser) products(depth int) bool {
	s := &p.scan
	if depth > MaxDepth {
		return false
	}
	s.i++
	if s.at() == ']' {
		s.i++
		return true
	}
	from := p.arena.items.begin()
	for {
		var it data.EventItem
		var has, ok bool
		if s.at() == '{' {
			var c productParts
			ok = p.object(depth+1, func(name string) bool {
				from := s.i
				ok := s.value(depth + 2)
				if v := s.b[from:s.i:s.i]; ok && v[0] != 'n' {
					c.take(name, v)
				}
				return ok
			})
			if ok {
				it, has, ok = p.item(&c, true)
			}
		} else {
			start := s.i
			if ok = s.value(depth + 1); ok && (s.b[start] == '"' || kindOf(s.b[start:]) == "a number") {
				var id string
				id, ok = idOf(s.b[start:s.i:s.i]) // gives up on what readItem leaves out: ids that are none
				it.ID, has = data.ItemID(id), id != ""
			}
		}
		if !ok {
			return false
		}
		if has {
			from = p.arena.items.push(from, it)
		}
		again, ok := s.more(']')
		if !again {
			p.call.props.items = p.arena.items.run(from)
			return ok
		}
	}
}

// item is readItem of what was noted.
func (p *Parser) item(c *productParts, listed bool) (it data.EventItem, has, ok bool) {
	ids := c.ids[:]
	if !listed {
		ids = ids[:6]
	}
	for _, v := range ids {
		if v == nil {
			continue
		}
		id, ok := idOf(v)
		if !ok {
			return it, false, false
		}
		if id != "" {
			it.ID = data.ItemID(id)
			break
		}
	}
	if it.ID == "" {
		return it, false, true
	}
	if it.Quantity, ok = firstOf(c.quantity, c.qty); !ok {
		return it, false, false
	}
	if it.Price, ok = firstOf(c.price, nil); !ok {
		return it, false, false
	}
	it.Quantity, it.Price = max(0, it.Quantity), max(0, it.Price)
	for _, from := range [...]struct {
		values []byte
		facet  string
	}{{c.category, "category"}, {c.categories, "category"}, {c.brand, "brand"}, {c.tags, "tag"}} {
		if from.values == nil || it.Facets[from.facet] != nil {
			continue
		}
		if values := p.strings(from.values); len(values) > 0 {
			if it.Facets == nil {
				it.Facets = p.arena.facets.take()
			}
			it.Facets[from.facet] = values
		}
	}
	return it, true, true
}

// firstOf is firstNumber of two values, either nil where there is none.
func firstOf(first, second []byte) (float64, bool) {
	f, ok := looseFloat(first)
	if !ok {
		f, _ = looseFloat(second)
	}
	return f, f >= -MaxNumber && f <= MaxNumber
}

// strings is stringsOf.
func (p *Parser) strings(v []byte) []string {
	texts := &p.arena.texts
	first := texts.begin()
	add := func(v []byte) error {
		if v[0] != '"' || len(texts.run(first)) == data.MaxFacetValues {
			return nil
		}
		text := facetValue(textOf(v))
		for _, other := range texts.run(first) {
			if other == text {
				return nil
			}
		}
		if text != "" {
			first = texts.push(first, text)
		}
		return nil
	}
	if v[0] == '[' {
		_ = eachElement(v, add)
	} else {
		_ = add(v)
	}
	return texts.run(first)
}

// deriveFromProps is readProperties.
func (p *Parser) deriveFromProps(e *data.Event) bool {
	if len(e.Props) == 0 {
		return true
	}
	c := &p.call.props
	var ok bool
	if e.Rec == nil && len(c.rec) > 0 && c.rec[0] == '{' {
		if e.Rec, ok = p.rec(c.rec); !ok {
			return false
		}
	}
	if e.Type == data.Track || e.Type == data.Page || e.Type == data.Screen {
		if e.Items = c.items; len(e.Items) == 0 {
			it, has, ok := p.item(&c.product, false)
			if !ok {
				return false
			}
			if has {
				from := p.arena.items.begin()
				from = p.arena.items.push(from, it)
				e.Items = p.arena.items.run(from)
			}
		}
	}
	ok = true
	switch {
	case kindOfName(e.Name) == data.Rating:
		e.Value, ok = firstOf(c.rating, c.value)
	case len(e.Name) >= len("order ") && strings.EqualFold(e.Name[:len("order ")], "order "):
		if f, is := looseFloat(c.revenue); is {
			e.Value, ok = f, f >= -MaxNumber && f <= MaxNumber
		} else {
			e.Value, ok = firstOf(c.total, c.value)
		}
	}
	return ok
}

// rec is looseRec of a checked object.
func (p *Parser) rec(raw []byte) (*data.RecRef, bool) {
	var r data.RecRef
	var ok bool
	if v := property(raw, "request_id"); v != nil {
		if r.Request, ok = idOf(v); !ok {
			return nil, false
		}
	}
	if v := property(raw, "slot"); v != nil {
		if r.Slot, ok = idOf(v); !ok {
			return nil, false
		}
	}
	if v := property(raw, "position"); v != nil {
		f, ok := looseFloat(v)
		if r.Position = int(f); !ok || f != float64(int32(f)) {
			return nil, false
		}
	}
	if v := property(raw, "model"); v != nil {
		if r.Model, ok = idOf(v); !ok {
			return nil, false
		}
	}
	from := p.arena.recs.begin()
	from = p.arena.recs.push(from, r)
	return &p.arena.recs.buf[from], r.Request != ""
}
