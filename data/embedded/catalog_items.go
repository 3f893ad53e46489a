package embedded

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"kindred/data"
)

// itemsCounter is the named number that every write of items moves.
const itemsCounter = "items"

// PutItems inserts or replaces items, all of them or none, and sets their Updated
// to the database's time. Of several with one id the last stands.
func (c *Catalog) PutItems(ctx context.Context, items []data.Item) error {
	if len(items) == 0 {
		return nil
	}
	bodies := make([]string, len(items))
	for i, it := range items {
		if it.ID == "" {
			return fmt.Errorf("put items: item %d has no id", i+1)
		}
		it.Updated = time.Time{} // kept in its own column
		b, err := json.Marshal(it)
		if err != nil {
			return fmt.Errorf("put item %q: %w", it.ID, err)
		}
		bodies[i] = string(b)
	}
	return c.write(ctx, fmt.Sprintf("put %d items", len(items)), func(tx *sql.Tx) error {
		version, err := c.bump(ctx, tx, itemsCounter)
		if err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, `INSERT INTO items (space, id, version, updated, body) VALUES ($1, $2, $3, `+nowMS+`, $4)
			ON CONFLICT (space, id) DO UPDATE SET version = excluded.version, updated = excluded.updated, body = excluded.body`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for i, it := range items {
			if _, err := stmt.ExecContext(ctx, c.space, it.ID, version, bodies[i]); err != nil {
				return fmt.Errorf("%q: %w", it.ID, err)
			}
		}
		return nil
	})
}

// Item returns one item, or data.ErrNotFound.
func (c *Catalog) Item(ctx context.Context, id data.ItemID) (it data.Item, err error) {
	err = c.read(ctx, fmt.Sprintf("item %q", id), func(tx *sql.Tx) error {
		it, err = scanItem(tx.QueryRowContext(ctx,
			`SELECT id, updated, body FROM items WHERE space = $1 AND id = $2 AND body IS NOT NULL`, c.space, id))
		return err
	})
	return it, err
}

// ItemsByID returns those of the items that there are, in the order of ids.
func (c *Catalog) ItemsByID(ctx context.Context, ids []data.ItemID) (items []data.Item, err error) {
	err = c.read(ctx, fmt.Sprintf("read %d items", len(ids)), func(tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, `SELECT id, updated, body FROM items WHERE space = $1 AND id = $2 AND body IS NOT NULL`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, id := range ids {
			it, err := scanItem(stmt.QueryRowContext(ctx, c.space, id))
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%q: %w", id, err)
			}
			items = append(items, it)
		}
		return nil
	})
	return items, err
}

// DeleteItem removes one item; data.ErrNotFound if there is none.
func (c *Catalog) DeleteItem(ctx context.Context, id data.ItemID) error {
	return c.write(ctx, fmt.Sprintf("delete item %q", id), func(tx *sql.Tx) error {
		version, err := c.bump(ctx, tx, itemsCounter)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE items SET body = NULL, version = $3, updated = `+nowMS+`
			WHERE space = $1 AND id = $2 AND body IS NOT NULL`, c.space, id, version)
		return atLeastOne(res, err, data.ErrNotFound)
	})
}

// Items returns at most limit items with an id greater than after, by id (bytewise).
func (c *Catalog) Items(ctx context.Context, after data.ItemID, limit int) (items []data.Item, err error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("list items: %w", err)
	}
	err = c.read(ctx, "list items", func(tx *sql.Tx) error {
		items, err = list(ctx, tx, scanItem, `SELECT id, updated, body FROM items
			WHERE space = $1 AND id > $2 AND body IS NOT NULL ORDER BY id LIMIT $3`, c.space, after, limit)
		return err
	})
	return items, err
}

// ItemsVersion is a number that grows with every write of items; 0 before the
// first. Reading it is cheap: poll it, and call ItemsSince when it moved.
func (c *Catalog) ItemsVersion(ctx context.Context) (version int64, err error) {
	err = c.read(ctx, "items version", func(tx *sql.Tx) error {
		version, err = c.counter(ctx, tx, itemsCounter)
		return err
	})
	return version, err
}

// ItemsSince returns the items written and the ids deleted after version, both by
// id, and the version they lead to: 0 gives the whole catalog. An item is in at
// most one of the two, as it is now.
func (c *Catalog) ItemsSince(ctx context.Context, version int64) (put []data.Item, deleted []data.ItemID, now int64, err error) {
	err = c.read(ctx, fmt.Sprintf("items since version %d", version), func(tx *sql.Tx) error {
		if now, err = c.counter(ctx, tx, itemsCounter); err != nil {
			return err
		}
		_, err = list(ctx, tx, func(r row) (struct{}, error) {
			var body sql.NullString
			var id data.ItemID
			var updated int64
			if err := r.Scan(&id, &updated, &body); err != nil {
				return struct{}{}, err
			}
			if !body.Valid {
				deleted = append(deleted, id)
				return struct{}{}, nil
			}
			it, err := decodeItem(id, updated, body.String)
			put = append(put, it)
			return struct{}{}, err
		}, `SELECT id, updated, body FROM items WHERE space = $1 AND version > $2 ORDER BY id`, c.space, version)
		return err
	})
	return put, deleted, now, err
}

func scanItem(r row) (data.Item, error) {
	var id data.ItemID
	var updated int64
	var body string
	if err := r.Scan(&id, &updated, &body); err != nil {
		return data.Item{}, err
	}
	return decodeItem(id, updated, body)
}

func decodeItem(id data.ItemID, updated int64, body string) (it data.Item, err error) {
	if err := json.NewDecoder(strings.NewReader(body)).Decode(&it); err != nil {
		return data.Item{}, fmt.Errorf("item %q: %w", id, err)
	}
	it.ID, it.Updated = id, fromMS(updated)
	return it, nil
}

// atLeastOne is the outcome of a conditional write: missing when no row met its
// condition.
func atLeastOne(res sql.Result, err error, missing error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return missing
	}
	return err
}
