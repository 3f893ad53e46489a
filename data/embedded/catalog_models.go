package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"kindred/data"
)

const modelColumns = `version, status, created, artifact, checksum, bytes, watermark, interactions, metrics, config, reason`

// PutModel adds a model version, published or refused (an empty Status means
// published). An empty Created is set to the database's time. Versions are
// immutable: data.ErrConflict if the version is there.
func (c *Catalog) PutModel(ctx context.Context, m data.Model) error {
	what := fmt.Sprintf("put model %q", m.Version)
	if m.Status == "" {
		m.Status = data.ModelPublished
	}
	switch {
	case m.Version == "":
		return errors.New("put model: it has no version")
	case m.Status != data.ModelPublished && m.Status != data.ModelRefused:
		return fmt.Errorf("%s: status %q; a new model is %q or %q, promote it afterwards", what, m.Status, data.ModelPublished, data.ModelRefused)
	}
	metrics, err := toJSON(m.Metrics)
	if err != nil {
		return fmt.Errorf("%s: metrics: %w", what, err)
	}
	config, err := toJSON(m.Config)
	if err != nil {
		return fmt.Errorf("%s: config: %w", what, err)
	}
	return c.write(ctx, what, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO models (space, `+modelColumns+`)
			VALUES ($1, $2, $3, COALESCE(NULLIF($4, 0), `+nowMS+`), $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (space, version) DO NOTHING`,
			c.space, m.Version, m.Status, toMS(m.Created), m.Artifact, m.Checksum, m.Bytes,
			toMS(m.Watermark), m.Interactions, metrics, config, m.Reason)
		return atLeastOne(res, err, fmt.Errorf("there is one of that version, and versions are immutable: %w", data.ErrConflict))
	})
}

// Models returns at most limit models with a version before after, newest version
// first; an empty after begins at the newest.
func (c *Catalog) Models(ctx context.Context, after string, limit int) (models []data.Model, err error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	err = c.read(ctx, "list models", func(tx *sql.Tx) error {
		models, err = list(ctx, tx, scanModel, `SELECT `+modelColumns+` FROM models
			WHERE space = $1 AND ($2 = '' OR version < $2) ORDER BY version DESC LIMIT $3`, c.space, after, limit)
		return err
	})
	return models, err
}

// ModelByVersion returns one model, or data.ErrNotFound.
func (c *Catalog) ModelByVersion(ctx context.Context, version string) (m data.Model, err error) {
	err = c.read(ctx, fmt.Sprintf("model %q", version), func(tx *sql.Tx) error {
		m, err = c.model(ctx, tx, version)
		return err
	})
	return m, err
}

func (c *Catalog) model(ctx context.Context, tx *sql.Tx, version string) (data.Model, error) {
	return scanModel(tx.QueryRowContext(ctx, `SELECT `+modelColumns+` FROM models WHERE space = $1 AND version = $2`, c.space, version))
}

// Current returns the model that serves, or data.ErrNotFound before the first
// promotion. One indexed read: cheap enough to poll.
func (c *Catalog) Current(ctx context.Context) (m data.Model, err error) {
	err = c.read(ctx, "current model", func(tx *sql.Tx) error {
		m, err = scanModel(tx.QueryRowContext(ctx, `SELECT `+modelColumns+` FROM models
			WHERE space = $1 AND status = '`+data.ModelCurrent+`'`, c.space))
		return err
	})
	return m, err
}

// Promote makes a version current; the former one becomes previous. Promoting what
// is current changes nothing. Errors: data.ErrNotFound for an unknown version,
// data.ErrConflict for one that has no artifact. A refused model that has one may
// be promoted: an operator has the last word over the gate.
func (c *Catalog) Promote(ctx context.Context, version string) error {
	return c.write(ctx, fmt.Sprintf("promote model %q", version), func(tx *sql.Tx) error {
		return c.promote(ctx, tx, version)
	})
}

// PromoteFenced is Promote for the holder of a lease, in one transaction with the
// check that it still holds it: data.ErrStale if the lease ran out, was released
// or has gone to another owner.
func (c *Catalog) PromoteFenced(ctx context.Context, version string, lease data.Lease) error {
	return c.write(ctx, fmt.Sprintf("promote model %q", version), func(tx *sql.Tx) error {
		if err := c.checkLease(ctx, tx, lease); err != nil {
			return err
		}
		return c.promote(ctx, tx, version)
	})
}

// DropArtifact notes that a refused model's artifact is no longer kept, before its
// bytes are deleted. data.ErrConflict for a version that is not there or not
// refused, such as one that was promoted in the meantime.
func (c *Catalog) DropArtifact(ctx context.Context, version string) error {
	return c.write(ctx, fmt.Sprintf("drop the artifact of model %q", version), func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE models SET artifact = '' WHERE space = $1 AND version = $2 AND status = '`+data.ModelRefused+`'`, c.space, version)
		return atLeastOne(res, err, fmt.Errorf("there is no refused model of that version: %w", data.ErrConflict))
	})
}

// Rollback makes the former model current and returns it. Rolling back again goes
// one further back. data.ErrNotFound when there is nothing to go back to.
func (c *Catalog) Rollback(ctx context.Context) (m data.Model, err error) {
	err = c.write(ctx, "roll back model", func(tx *sql.Tx) error {
		top, err := c.serving(ctx, tx)
		if err != nil {
			return err
		}
		if top.back == 0 {
			return fmt.Errorf("no model served before %q: %w", top.version, data.ErrNotFound)
		}
		to, err := c.promotion(ctx, tx, top.back)
		if err != nil {
			return err
		}
		if err := c.makeCurrent(ctx, tx, promotion{seq: top.seq + 1, version: to.version, back: to.back}, 1); err != nil {
			return err
		}
		m, err = c.model(ctx, tx, to.version)
		return err
	})
	return m, err
}

// Promotions returns at most limit lines of the history of what served before the
// given seq, newest first; 0 begins at the newest.
func (c *Catalog) Promotions(ctx context.Context, before int64, limit int) (history []data.Promotion, err error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("list promotions: %w", err)
	}
	err = c.read(ctx, "list promotions", func(tx *sql.Tx) error {
		history, err = list(ctx, tx, func(r row) (p data.Promotion, err error) {
			var at int64
			err = r.Scan(&p.Seq, &at, &p.Version, &p.Previous, &p.Rollback)
			p.At = fromMS(at)
			return p, err
		}, `SELECT p.seq, p.at, p.version, COALESCE(b.version, ''), p.rolled FROM promotions p
			LEFT JOIN promotions b ON b.space = p.space AND b.seq = p.back
			WHERE p.space = $1 AND ($2 = 0 OR p.seq < $2) ORDER BY p.seq DESC LIMIT $3`, c.space, before, limit)
		return err
	})
	return history, err
}

// promotion is one row of the stack; the zero value is below its bottom.
type promotion struct {
	seq, back int64
	version   string
}

// serving is the top of the stack.
func (c *Catalog) serving(ctx context.Context, tx *sql.Tx) (p promotion, err error) {
	err = tx.QueryRowContext(ctx, `SELECT seq, version, back FROM promotions WHERE space = $1 ORDER BY seq DESC LIMIT 1`,
		c.space).Scan(&p.seq, &p.version, &p.back)
	return p, err
}

func (c *Catalog) promotion(ctx context.Context, tx *sql.Tx, seq int64) (p promotion, err error) {
	err = tx.QueryRowContext(ctx, `SELECT seq, version, back FROM promotions WHERE space = $1 AND seq = $2`,
		c.space, seq).Scan(&p.seq, &p.version, &p.back)
	return p, err
}

func (c *Catalog) promote(ctx context.Context, tx *sql.Tx, version string) error {
	m, err := c.model(ctx, tx, version)
	switch {
	case err != nil:
		return err
	case m.Status == data.ModelCurrent:
		return nil
	case m.Artifact == "":
		return fmt.Errorf("it has no artifact to serve (status %s %s): %w", m.Status, m.Reason, data.ErrConflict)
	}
	top, err := c.serving(ctx, tx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return c.makeCurrent(ctx, tx, promotion{seq: top.seq + 1, version: version, back: top.seq}, 0)
}

// makeCurrent pushes p on the stack and sets the statuses that follow from it.
func (c *Catalog) makeCurrent(ctx context.Context, tx *sql.Tx, p promotion, rolled int) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO promotions (space, seq, at, version, back, rolled)
		VALUES ($1, $2, `+nowMS+`, $3, $4, $5)`, c.space, p.seq, p.version, p.back, rolled); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE models SET status = '`+data.ModelRetired+`'
		WHERE space = $1 AND status IN ('`+data.ModelCurrent+`', '`+data.ModelPrevious+`')`, c.space); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE models SET status = '`+data.ModelPrevious+`'
		WHERE space = $1 AND version = (SELECT version FROM promotions WHERE space = $1 AND seq = $2)`, c.space, p.back); err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `UPDATE models SET status = '`+data.ModelCurrent+`' WHERE space = $1 AND version = $2`, c.space, p.version)
	return atLeastOne(res, err, fmt.Errorf("model %q: %w", p.version, data.ErrNotFound))
}

func scanModel(r row) (m data.Model, err error) {
	var created, watermark int64
	var metrics, config sql.NullString
	err = r.Scan(&m.Version, &m.Status, &created, &m.Artifact, &m.Checksum, &m.Bytes, &watermark, &m.Interactions, &metrics, &config, &m.Reason)
	m.Created, m.Watermark = fromMS(created), fromMS(watermark)
	m.Metrics, m.Config = fromJSON(metrics), fromJSON(config)
	return m, err
}
