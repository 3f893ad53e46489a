package dataset

import (
	"context"
	"fmt"
	"strings"

	"kindred/data"
)

const helpRetailRocket = `retailrocket: events.csv, or any .csv or .tsv, with a header that names timestamp, visitorid (or user, userid),
itemid (or item) and event, in any order; transactionid is passed over, any other column is refused. event is view,
addtocart or transaction; timestamp is Unix milliseconds. Repetitions are kept: seeing an item twice is two views.`

// readRetailRocket reads the one file.
func readRetailRocket(ctx context.Context, r *reader) error {
	m, ok := member{}, false
	if r.files.file == "" {
		m, ok = r.files.find("events.csv")
	}
	if !ok {
		var err error
		if m, err = r.files.one(".csv", ".tsv"); err != nil {
			return err
		}
	}
	return r.columns(ctx, m, map[string]string{
		"timestamp": "time", "visitorid": "user", "user": "user", "userid": "user",
		"itemid": "item", "item": "item", "event": "kind", "transactionid": "",
	}, []string{"time", "user", "item", "kind"}, parseRetailRocket)
}

// parseRetailRocket makes a row of a line's cells.
func parseRetailRocket(c cells) (w row, reason string) {
	w = row{user: c.get("user"), item: c.get("item")}
	if reason = w.names(); reason != "" {
		return w, reason
	}
	switch event := c.get("kind"); event {
	case "view":
		w.kind = data.View
	case "addtocart":
		w.kind = data.AddToCart
	case "transaction":
		w.kind = data.Purchase
	default:
		return w, fmt.Sprintf("event %q is not view, addtocart or transaction", clip(event))
	}
	if c.get("time") == "" {
		return w, "timestamp is empty"
	}
	w.at, reason = parseDate(c.get("time"))
	return w, reason
}

// cells are the fields of a line by the meaning of their column.
type cells struct {
	column map[string]int
	fields []string
}

// get is the cell of that meaning, or "" where the file has no such column.
func (c cells) get(meaning string) string {
	if i, ok := c.column[meaning]; ok {
		return strings.TrimSpace(c.fields[i])
	}
	return ""
}

// parseHeader finds out what each column of a header means: known maps a column's
// name, in lower case, to its meaning, "" for one to be passed over.
func parseHeader(line string, known map[string]string, required []string) (column map[string]int, separator byte, err error) {
	separator = separatorOf(line)
	names, reason := splitCSV(nil, line, separator)
	if reason != "" {
		return nil, 0, fmt.Errorf("the header cannot be read: %s", reason)
	}
	column = make(map[string]int)
	for i, name := range names {
		meaning, ok := known[strings.ToLower(strings.TrimSpace(name))]
		if !ok {
			return nil, 0, fmt.Errorf("the header has the unknown column %q; it must name %s", clip(name), strings.Join(required, ", "))
		}
		if _, twice := column[meaning]; twice && meaning != "" {
			return nil, 0, fmt.Errorf("the header has two columns for %s", meaning)
		}
		if meaning != "" {
			column[meaning] = i
		}
	}
	for _, meaning := range required {
		if _, ok := column[meaning]; !ok {
			return nil, 0, fmt.Errorf("the header %q lacks a column for %s", clip(line), meaning)
		}
	}
	return column, separator, nil
}

// columns reads a table whose header says what its columns mean.
func (r *reader) columns(
	ctx context.Context, m member, known map[string]string, required []string, parse func(cells) (row, string),
) error {
	var c cells
	var separator byte
	width := 0
	err := r.lines(ctx, m, lineStyle{}, func(line string) error {
		if c.column == nil {
			var err error
			if c.column, separator, err = parseHeader(line, known, required); err != nil {
				return fmt.Errorf("%s:%d: %w", m.name, r.line.Line, err)
			}
			names, _ := splitCSV(nil, line, separator)
			width = len(names)
			return nil
		}
		w, reason := row{}, ""
		if c.fields, reason = splitCSV(c.fields[:0], line, separator); reason == "" && len(c.fields) != width {
			reason = fmt.Sprintf("%d fields; the header has %d", len(c.fields), width)
		}
		if reason == "" {
			w, reason = parse(c)
		}
		if reason != "" {
			return r.reject(reason)
		}
		r.add(&r.ds.Interactions, w)
		return nil
	})
	if err == nil && c.column == nil {
		err = fmt.Errorf("%s: is empty; it must begin with a header", m.name)
	}
	return err
}
