package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"kindred/data"
)

// requestHold is how long a request that began counts as being answered. After
// that its process is taken for dead and a retry may run it again.
const requestHold = time.Minute

// sweep bounds how many expired idempotency keys one request removes.
const sweep = 100

// BeginRequest claims an idempotency key. A nil answer without error means: go on,
// then call FinishRequest (or CancelRequest). Otherwise the answer is the one that
// was given before to the same key and body, for ttl after that.
// data.ErrConflict: the key was used with another body, or the first request is
// still being answered.
func (c *Catalog) BeginRequest(ctx context.Context, key, bodyHash string, ttl time.Duration) (stored *data.StoredResponse, err error) {
	what := fmt.Sprintf("begin request %q", key)
	if key == "" || ttl < time.Millisecond {
		return nil, fmt.Errorf("%s for %s: a key and at least 1ms are required", what, ttl)
	}
	err = c.write(ctx, what, func(tx *sql.Tx) error {
		at, err := now(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM requests WHERE space = $1 AND expires <= $2 AND key IN
			(SELECT key FROM requests WHERE space = $1 AND expires <= $2 ORDER BY key = $3 DESC LIMIT $4)`, c.space, at, key, sweep); err != nil {
			return err
		}
		var hash string
		var held int64
		var r data.StoredResponse
		err = tx.QueryRowContext(ctx, `SELECT body_hash, held_until, status, content_type, body FROM requests WHERE space = $1 AND key = $2`,
			c.space, key).Scan(&hash, &held, &r.Status, &r.ContentType, &r.Body)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case hash != bodyHash:
			return fmt.Errorf("the key was used with another body: %w", data.ErrConflict)
		case r.Status != 0:
			stored = &r
			return nil
		case held > at:
			return fmt.Errorf("the first request with this key is still being answered: %w", data.ErrConflict)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO requests (space, key, body_hash, expires, held_until, status, content_type, body)
			VALUES ($1, $2, $3, $4, $5, 0, '', NULL) ON CONFLICT (space, key) DO UPDATE SET expires = excluded.expires, held_until = excluded.held_until`,
			c.space, key, bodyHash, at+ttl.Milliseconds(), at+requestHold.Milliseconds())
		return err
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

// FinishRequest stores the answer that the key's later requests get. status is an
// HTTP status. data.ErrNotFound if the key was not begun or has run out.
func (c *Catalog) FinishRequest(ctx context.Context, key string, status int, contentType string, body []byte) error {
	return c.write(ctx, fmt.Sprintf("finish request %q", key), func(tx *sql.Tx) error {
		if status < 100 || status > 599 {
			return fmt.Errorf("status %d is none of HTTP's", status)
		}
		res, err := tx.ExecContext(ctx, `UPDATE requests SET status = $3, content_type = $4, body = $5
			WHERE space = $1 AND key = $2 AND status = 0`, c.space, key, status, contentType, body)
		return atLeastOne(res, err, data.ErrNotFound)
	})
}

// CancelRequest frees a key whose request failed without effect, so that a retry
// runs. Freeing what is not claimed changes nothing.
func (c *Catalog) CancelRequest(ctx context.Context, key string) error {
	return c.write(ctx, fmt.Sprintf("cancel request %q", key), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM requests WHERE space = $1 AND key = $2 AND status = 0`, c.space, key)
		return err
	})
}
