package door

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"kindred/data"
	"kindred/data/event"
)

// Table says what the rows of a table are.
type Table struct {
	// Name of the table as Debezium's source says it: table, schema.table or db.schema.table (MySQL: db.table).
	Name string `yaml:"name"`
	// Rows are users (their columns become traits) or items (the catalog's).
	Rows string `yaml:"rows"`
	// Key is the column that holds the user's or item's id.
	Key string `yaml:"key"`
	// Columns maps columns to traits or fields of items; empty takes all columns under their own names.
	Columns map[string]string `yaml:"columns"`
}

// The two kinds of rows.
const (
	RowsUsers = "users"
	RowsItems = "items"
)

// Validate names the field that cannot be.
func (t Table) Validate() error {
	switch {
	case t.Name == "":
		return fmt.Errorf("name: is missing; it is the table's, such as public.customers")
	case t.Rows != RowsUsers && t.Rows != RowsItems:
		return fmt.Errorf("rows: is %q; it must be %s or %s", t.Rows, RowsUsers, RowsItems)
	case t.Key == "":
		return fmt.Errorf("key: is missing; it is the column that holds the id")
	}
	return nil
}

// ItemChange is what a row says about the catalog.
type ItemChange struct {
	Position string    // of the change in the source, the same when it is delivered again
	Item     data.Item // only its ID where Deleted
	Deleted  bool
	Raw      []byte // the change event
}

// Changes are what a request of Debezium means, in its order.
type Changes struct {
	Batch                // identify calls
	Items   []ItemChange // upserts and deletes
	Deleted []string     // ids of users whose rows were deleted: whether to forget them is the operator's decision
	Skipped int          // changes of other tables, truncates, tombstones, messages
}

// Debezium reads change events: envelopes with or without their schema, one, many behind one another, or a list. Rows of
// the tables configured become identify calls or item changes (op c, u, r and d). With the schema
// its times, dates and decimals are read as what they are. A call is named by the position in
// the source, the table and the key, so that a change that is delivered again is a
// duplicate. Envelopes that cannot be read are rejects.
func Debezium(body []byte, tables []Table, l Limits) (Changes, error) {
	c := newCollector("Debezium", l)
	var out Changes
	if err := l.body(c.door, body); err != nil {
		return out, err
	}
	values, rest, bad := splitValues(body, l.Calls)
	if bad != nil && len(values) == 0 {
		return out, refuse(c.door, "the body %v", bad)
	}
	for _, v := range values {
		envelopes := []json.RawMessage{v}
		if v[0] == '[' {
			envelopes = listOf(v)
		}
		for _, raw := range envelopes {
			if out.Skipped+len(out.Items)+len(out.Deleted) >= l.Calls {
				return Changes{}, refuse(c.door, "more than %d changes; send fewer at a time", l.Calls)
			}
			call, reason := out.change(raw, tables)
			var err error
			if reason != "" {
				err = c.reject(raw, "%s", reason)
			} else if call != nil {
				err = c.add(call)
			}
			if err != nil {
				return Changes{}, err
			}
		}
	}
	if bad != nil {
		if err := c.reject(rest, "%v", bad); err != nil {
			return Changes{}, err
		}
	}
	out.Batch = c.Batch
	return out, nil
}

// change notes one change event; it gives the call, if it is one, or why it cannot be read.
func (out *Changes) change(raw json.RawMessage, tables []Table) (call json.RawMessage, reason string) {
	if string(raw) == "null" { // the tombstone behind a delete
		out.Skipped++
		return nil, ""
	}
	change := raw
	o, err := fieldsOf(raw)
	if err != nil {
		return nil, "the change " + err.Error()
	}
	types := columnTypes(nil)
	if payload, has := o.values["payload"]; has && o.get("op") == nil {
		types = columnTypes(o.get("schema"))
		if string(payload) == "null" {
			out.Skipped++
			return nil, ""
		}
		if o, err = fieldsOf(payload); err != nil {
			return nil, "payload: " + err.Error()
		}
	}
	source := o.child("source")
	op := o.text("op")
	switch op {
	case "c", "u", "r", "d":
	case "t", "m":
		out.Skipped++
		return nil, ""
	default:
		return nil, fmt.Sprintf("op: is %q; c, u, r and d change rows. A flattened record has none: send the envelope", clip(op))
	}
	table := tableOf(source, tables)
	if table == nil {
		out.Skipped++
		return nil, ""
	}
	side := "after"
	if op == "d" {
		side = "before"
	}
	v := o.get(side)
	if v == nil {
		return nil, side + ": is missing; for deletes the table's replica identity must include the key"
	}
	if v[0] == '"' { // MongoDB's are documents in a string
		v = json.RawMessage(textOf(v))
		if err := checkJSON(v); err != nil {
			return nil, side + ": " + err.Error()
		}
	}
	row, err := fieldsOf(v)
	if err != nil {
		return nil, side + ": " + err.Error()
	}
	for _, name := range row.names {
		row.set(name, types[side][name].convert(row.get(name)))
	}
	id := row.text(table.Key)
	if id == "" || len(id) > event.MaxIDBytes || !utf8.ValidString(id) {
		return nil, fmt.Sprintf("%s.%s: holds no id (text or a number of at most %d bytes)", side, table.Key, event.MaxIDBytes)
	}
	position := sourcePosition(source, o, op, id)
	switch {
	case table.Rows == RowsItems && op == "d":
		out.Items = append(out.Items, ItemChange{Position: position, Item: data.Item{ID: data.ItemID(id)}, Deleted: true, Raw: change})
	case table.Rows == RowsItems:
		it, reason := table.item(id, row)
		if reason != "" {
			return nil, reason
		}
		out.Items = append(out.Items, ItemChange{Position: position, Item: it, Raw: change})
	case op == "d":
		out.Deleted = append(out.Deleted, id)
	default:
		return table.identify(id, position, source, o, row), ""
	}
	return nil, ""
}

// identify is the call of a user's row.
func (t *Table) identify(id, position string, source, o, row *object) json.RawMessage {
	call := newObject()
	call.setText("type", "identify")
	call.setText("messageId", position)
	call.setText("userId", id)
	at := source.text("ts_ms")
	if at == "" || at == "0" {
		at = o.text("ts_ms")
	}
	call.setText("timestamp", at)
	traits := newObject()
	for _, name := range row.names {
		if to := t.column(name); to != "" && name != t.Key {
			traits.set(to, row.get(name))
		}
	}
	call.setObject("traits", traits)
	ctx := newObject()
	library := newObject()
	library.setText("name", "debezium")
	library.setText("version", source.text("version"))
	ctx.setObject("library", library)
	call.setObject("context", ctx)
	return call.bytes()
}

// column is what a column becomes, "" for none.
func (t *Table) column(name string) string {
	if len(t.Columns) == 0 {
		return name
	}
	return t.Columns[name]
}

// tableOf is the configured table that the source names, or nil. The longest name wins.
func tableOf(source *object, tables []Table) *Table {
	name := source.text("table")
	if name == "" {
		name = source.text("collection")
	}
	schema, db := source.text("schema"), source.text("db")
	for _, full := range []string{db + "." + schema + "." + name, schema + "." + name, db + "." + name, name} {
		for i := range tables {
			if strings.EqualFold(tables[i].Name, full) && name != "" {
				return &tables[i]
			}
		}
	}
	return nil
}

// sourcePosition names a change by its place in the source's log, its table and its key. All rows
// of a snapshot have one place, therefore the key. Stamps of Debezium's own clock, and its version,
// are not part of it.
func sourcePosition(source, o *object, op, id string) string {
	parts := []string{"debezium", op, id}
	placed := false
	for _, name := range []string{"name", "db", "schema", "table", "collection", "snapshot",
		"lsn", "txId", "file", "pos", "row", "change_lsn", "commit_lsn", "event_serial_no", "scn", "ssn", "rs_id", "ord"} {
		v := source.text(name)
		if parts = append(parts, name, v); v != "" {
			placed = placed || name != "name" && name != "db" && name != "schema" && name != "table" && name != "collection" && name != "snapshot"
		}
	}
	if !placed || source.text("ord") != "" { // MongoDB: a counter within the second
		parts = append(parts, source.text("ts_ms"))
	}
	if !placed {
		parts = append(parts, string(o.get("before")), string(o.get("after")))
	}
	return identity(parts...)
}
