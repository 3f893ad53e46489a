package dataset

import (
	"context"

	"kindred/data"
)

const helpCSV = `csv: a .csv or .tsv file (comma, semicolon or tab, as in its header) with the columns user and item and, if
wanted, kind, value and time, in any order; user_id, userid, item_id, itemid, event, rating and timestamp are
understood too, any other column is refused. kind is view, click, scroll, dwell, wishlist, add_to_cart, purchase,
rating or hide; where it is empty or absent a row with a value is a rating and one without a view. value is a rating's
value, a purchase's amount, a dwell's seconds or a scroll's depth. time is RFC 3339, a date, or Unix milliseconds or
seconds; empty means unknown. Repetitions are kept.`

// readCSV reads the one file.
func readCSV(ctx context.Context, r *reader) error {
	m, err := r.files.one(".csv", ".tsv")
	if err != nil {
		return err
	}
	return r.columns(ctx, m, map[string]string{
		"user": "user", "user_id": "user", "userid": "user", "item": "item", "item_id": "item", "itemid": "item",
		"kind": "kind", "event": "kind", "value": "value", "rating": "value", "time": "time", "timestamp": "time",
	}, []string{"user", "item"}, parseCSVRow)
}

// parseCSVRow makes a row of a line's cells.
func parseCSVRow(c cells) (w row, reason string) {
	w = row{user: c.get("user"), item: c.get("item"), kind: data.View}
	if reason = w.names(); reason != "" {
		return w, reason
	}
	if value := c.get("value"); value != "" {
		w.kind = data.Rating
		if w.value, reason = parseNumber("value", value); reason != "" {
			return w, reason
		}
	}
	if kind := c.get("kind"); kind != "" {
		var err error
		if w.kind, err = data.ParseKind(kind); err != nil {
			return w, err.Error()
		}
		if w.kind == data.Rating && c.get("value") == "" {
			return w, "a rating without a value"
		}
	}
	if w.kind == data.Purchase && w.value < 0 {
		return w, "a purchase with a negative value"
	}
	w.at, reason = parseDate(c.get("time"))
	return w, reason
}
