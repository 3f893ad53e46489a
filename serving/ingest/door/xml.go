package door

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Feed says what of an XML document becomes which JSON objects.
type Feed struct {
	// Record is the path of the element that is one object, such as rss/channel/item. Names are without namespace prefixes.
	Record string `yaml:"record"`
	// Fields of the object; empty takes every child as text.
	Fields []FeedField `yaml:"fields"`
	// MaxRecordBytes bounds one record.
	MaxRecordBytes int `yaml:"max_record_bytes"`
}

// FeedField is one field of a feed's object.
type FeedField struct {
	// Path below the record: child, child/grandchild, @attribute, child/@attribute; "." is the record's own text.
	Path string `yaml:"path"`
	// Name of the field in the object.
	Name string `yaml:"name"`
	// Type: text (the default), number (of "19.99 EUR" the number), bool, or list, which collects all elements of the path.
	Type string `yaml:"type"`
}

// DefaultFeed is for Google Shopping's feeds, as items of the catalog.
func DefaultFeed() Feed {
	return Feed{Record: "rss/channel/item", MaxRecordBytes: 256 << 10, Fields: []FeedField{
		{"id", "id", "text"}, {"title", "title", "text"}, {"description", "text", "text"}, {"link", "url", "text"},
		{"image_link", "image_url", "text"}, {"brand", "brand", "text"}, {"product_type", "categories", "list"}, {"price", "price", "number"},
	}}
}

// Validate names the field that cannot be.
func (f Feed) Validate() error {
	if f.Record == "" || strings.Contains("/"+f.Record+"/", "//") || strings.Contains(f.Record, "@") {
		return fmt.Errorf("record: is %q; it must be a path of elements such as rss/channel/item", f.Record)
	}
	if f.MaxRecordBytes < 1 {
		return fmt.Errorf("max_record_bytes: is %d; it must be at least 1", f.MaxRecordBytes)
	}
	names := map[string]bool{}
	for i, field := range f.Fields {
		switch {
		case field.Path == "" || field.Name == "":
			return fmt.Errorf("fields[%d]: needs path and name", i)
		case names[field.Name] && field.Type != "list":
			return fmt.Errorf("fields[%d]: the name %q occurs twice; only lists collect", i, field.Name)
		}
		switch field.Type {
		case "", "text", "number", "bool", "list":
		default:
			return fmt.Errorf("fields[%d]: type is %q; it must be text, number, bool or list", i, field.Type)
		}
		names[field.Name] = true
	}
	return nil
}

// XML reads a document element by element and gives each record to yield, whose error ends
// the reading. At most l.Calls records and l.Bytes bytes are read, and maxDepth levels; entities
// of a DTD are not expanded. The error is a *BodyError, which names the line, or yield's.
// Records before the mistake have been given. Schemas (XSD) are not checked: see docs/doors.md.
func XML(r io.Reader, f Feed, l Limits, yield func(json.RawMessage) error) error {
	const door = "XML"
	bounded := &io.LimitedReader{R: r, N: int64(l.Bytes) + 1}
	d := xml.NewDecoder(bounded)
	d.CharsetReader = latin1
	x := feedReader{feed: f, levels: strings.Count(f.Record, "/") + 1}
	fail := func(format string, args ...any) error {
		line, _ := d.InputPos()
		return refuse(door, "line %d: %s", line, fmt.Sprintf(format, args...))
	}
	for records := 0; ; {
		token, err := d.Token()
		switch {
		case bounded.N <= 0:
			return fail("more than %d bytes", l.Bytes)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fail("%v", err)
		}
		done, err := x.take(token)
		if err != nil {
			return fail("%v", err)
		}
		if !done {
			continue
		}
		if records++; records > l.Calls {
			return fail("more than %d records", l.Calls)
		}
		if err := yield(x.object()); err != nil {
			return err
		}
	}
}

// feedReader follows the elements of a document.
type feedReader struct {
	feed   Feed
	levels int      // of the record's element
	path   []string // of open elements
	in     int      // depth of the record's element, 0 outside
	texts  [][]byte // of open elements inside the record
	paths  []string // below the record that have values, in their order
	found  map[string][]string
	size   int
}

// take reads one token; done says that a record has ended.
func (x *feedReader) take(token xml.Token) (done bool, err error) {
	switch t := token.(type) {
	case xml.StartElement:
		if x.path = append(x.path, t.Name.Local); len(x.path) > maxDepth {
			return false, fmt.Errorf("nests deeper than %d levels", maxDepth)
		}
		if x.in == 0 && len(x.path) == x.levels && strings.Join(x.path, "/") == x.feed.Record {
			x.in, x.found, x.paths, x.texts, x.size = len(x.path), map[string][]string{}, nil, nil, 0
		}
		if x.in == 0 {
			return false, nil
		}
		x.texts = append(x.texts, nil)
		for _, a := range t.Attr {
			if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
				path := append(append([]string(nil), x.path[x.in:]...), "@"+a.Name.Local)
				if err := x.add(strings.Join(path, "/"), a.Value); err != nil {
					return false, err
				}
			}
		}
	case xml.CharData:
		if x.in > 0 {
			if x.size += len(t); x.size > x.feed.MaxRecordBytes {
				return false, fmt.Errorf("the record has more than %d bytes", x.feed.MaxRecordBytes)
			}
			x.texts[len(x.texts)-1] = append(x.texts[len(x.texts)-1], t...)
		}
	case xml.EndElement:
		if x.in > 0 {
			text := strings.TrimSpace(string(x.texts[len(x.texts)-1]))
			x.texts = x.texts[:len(x.texts)-1]
			path := "."
			if done = len(x.path) == x.in; done {
				x.in = 0
			} else {
				path = strings.Join(x.path[x.in:], "/")
			}
			if err := x.add(path, text); err != nil {
				return false, err
			}
		}
		x.path = x.path[:len(x.path)-1]
	}
	return done, nil
}

// add notes a value of the record; empty ones are none.
func (x *feedReader) add(path, text string) error {
	if text == "" {
		return nil
	}
	if x.size += len(path) + len(text); x.size > x.feed.MaxRecordBytes {
		return fmt.Errorf("the record has more than %d bytes", x.feed.MaxRecordBytes)
	}
	if x.found[path] == nil {
		x.paths = append(x.paths, path)
	}
	x.found[path] = append(x.found[path], text)
	return nil
}

// object is the record that has ended.
func (x *feedReader) object() json.RawMessage {
	o := newObject()
	if len(x.feed.Fields) == 0 {
		for _, path := range x.paths {
			if path != "." {
				o.set(path, quote(x.found[path][0]))
			}
		}
	}
	lists := map[string][]json.RawMessage{}
	for _, f := range x.feed.Fields {
		for _, text := range x.found[f.Path] {
			if f.Type == "list" {
				lists[f.Name] = append(lists[f.Name], quote(text))
				o.set(f.Name, json.RawMessage("[]"))
			} else if o.get(f.Name) == nil {
				o.set(f.Name, feedValue(f.Type, text))
			}
		}
	}
	for name, values := range lists {
		o.set(name, list(values...))
	}
	return o.bytes()
}

// feedValue is a text as its type, or as text where it does not fit.
func feedValue(typ, text string) json.RawMessage {
	switch typ {
	case "number":
		word, _, _ := strings.Cut(text, " ")
		if n, ok := numberOf(word); ok {
			return n
		}
	case "bool":
		switch strings.ToLower(text) {
		case "true", "1", "yes":
			return json.RawMessage("true")
		case "false", "0", "no":
			return json.RawMessage("false")
		}
	}
	return quote(text)
}

// latin1 reads the two encodings besides UTF-8 that feeds are still written in.
func latin1(label string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "utf8", "us-ascii":
		return r, nil
	case "iso-8859-1", "latin1":
		return &latin1Reader{r: r}, nil
	}
	return nil, fmt.Errorf("the encoding %q is not read here; use UTF-8 or ISO-8859-1", clip(label))
}

// latin1Reader makes UTF-8 of ISO-8859-1, byte by byte.
type latin1Reader struct {
	r    io.Reader
	rest []byte
}

func (l *latin1Reader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		var b [512]byte
		n, err := l.r.Read(b[:])
		for _, c := range b[:n] {
			l.rest = utf8.AppendRune(l.rest, rune(c))
		}
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
