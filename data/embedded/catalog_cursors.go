package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"kindred/data"
)

// maxCursorBytes bounds what one reader remembers.
const maxCursorBytes = 64 << 10

// LoadCursor returns what was saved last under the name, nil if nothing was.
func (c *Catalog) LoadCursor(ctx context.Context, name string) (state []byte, err error) {
	err = c.read(ctx, fmt.Sprintf("load cursor %q", name), func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT state FROM cursors WHERE space = $1 AND name = $2`, c.space, name).Scan(&state)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return state, err
}

// SaveCursor makes state durable under the name, for who holds the lease;
// data.ErrStale, and nothing saved, for anybody else.
func (c *Catalog) SaveCursor(ctx context.Context, name string, state []byte, lease data.Lease) error {
	return c.write(ctx, fmt.Sprintf("save cursor %q", name), func(tx *sql.Tx) error {
		if name == "" || len(state) == 0 || len(state) > maxCursorBytes {
			return fmt.Errorf("%d bytes: a name and 1 to %d bytes are required", len(state), maxCursorBytes)
		}
		if err := c.checkLease(ctx, tx, lease); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO cursors (space, name, state, saved) VALUES ($1, $2, $3, `+nowMS+`)
			ON CONFLICT (space, name) DO UPDATE SET state = excluded.state, saved = excluded.saved`, c.space, name, state)
		return err
	})
}
