package embedded

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"kindred/data"
)

const (
	rulesColumns = `version, seq, state, text, author, note, created, published, publisher, previous, source, backfill`

	maxRulesBytes = 4 << 20
	// keptDrafts is how many drafts that were replaced stay.
	keptDrafts = 50
)

// PutRules makes r.Text the draft, as a new version by r.Author with r.Note, and returns it;
// the former draft becomes stale. base is the version that was edited: data.ErrConflict if it
// is neither the draft nor, without one, live; "" replaces whatever there is. The text that
// the draft has already changes nothing.
func (c *Catalog) PutRules(ctx context.Context, r data.RuleSet, base string) (out data.RuleSet, err error) {
	err = c.write(ctx, "put rules", func(tx *sql.Tx) error {
		if len(r.Text) > maxRulesBytes {
			return fmt.Errorf("%d bytes; at most %d are possible", len(r.Text), maxRulesBytes)
		}
		draft, err := c.rulesIn(ctx, tx, data.RulesDraft)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		edited := draft.Version
		if edited == "" && base != "" {
			live, err := c.rulesIn(ctx, tx, data.RulesLive)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			edited = live.Version
		}
		switch {
		case base != "" && base != edited:
			return fmt.Errorf("%s was edited, and %q is the newest: %w", base, edited, data.ErrConflict)
		case draft.Version != "" && draft.Text == r.Text:
			out = draft
			return nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE rules SET state = '`+data.RulesStale+`' WHERE space = $1 AND state = '`+data.RulesDraft+`'`, c.space); err != nil {
			return err
		}
		if out, err = c.addRules(ctx, tx, data.RuleSet{State: data.RulesDraft, Text: r.Text, Author: r.Author, Note: r.Note}); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM rules WHERE space = $1 AND state = '`+data.RulesStale+`' AND seq NOT IN
			(SELECT seq FROM rules WHERE space = $1 AND state = '`+data.RulesStale+`' ORDER BY seq DESC LIMIT $2)`, c.space, keptDrafts)
		return err
	})
	return out, err
}

// addRules inserts a version: its number is the next one, and no number comes twice, for a
// version that was deleted has a smaller one than the newest draft or what is live.
func (c *Catalog) addRules(ctx context.Context, tx *sql.Tx, r data.RuleSet) (data.RuleSet, error) {
	at, err := now(ctx, tx)
	if err != nil {
		return r, err
	}
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) + 1 FROM rules WHERE space = $1`, c.space).Scan(&r.Seq); err != nil {
		return r, err
	}
	sum := sha256.Sum256([]byte(r.Text))
	r.Version, r.Created = fmt.Sprintf("r-%d-%x", r.Seq, sum[:5]), fromMS(at)
	_, err = tx.ExecContext(ctx, `INSERT INTO rules (space, `+rulesColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '', '', $9, '')`,
		c.space, r.Version, r.Seq, r.State, r.Text, r.Author, r.Note, at, r.Source)
	return r, err
}

// PublishRules makes a version live, asked for by publisher, and returns it; what was live is
// retired. A draft or a stale one becomes live itself; one that was live before is repeated as a new
// version, so that every version is live once. With backfill it says BackfillWanted. What
// is live already is returned as it is. data.ErrNotFound for an unknown version.
func (c *Catalog) PublishRules(ctx context.Context, version, publisher string, backfill bool) (out data.RuleSet, err error) {
	err = c.write(ctx, fmt.Sprintf("publish rules %q", version), func(tx *sql.Tx) error {
		r, err := c.rules(ctx, tx, version)
		if err != nil {
			return err
		}
		if out = r; r.State == data.RulesLive {
			return nil
		}
		live, err := c.rulesIn(ctx, tx, data.RulesLive)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if r.State == data.RulesRetired {
			if r, err = c.addRules(ctx, tx, data.RuleSet{State: data.RulesStale, Text: r.Text, Author: r.Author, Note: r.Note, Source: r.Version}); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE rules SET state = '`+data.RulesRetired+`' WHERE space = $1 AND state = '`+data.RulesLive+`'`, c.space); err != nil {
			return err
		}
		wanted := ""
		if backfill {
			wanted = data.BackfillWanted
		}
		if _, err := tx.ExecContext(ctx, `UPDATE rules SET state = '`+data.RulesLive+`', published = `+nowMS+`, publisher = $3, previous = $4, backfill = $5
			WHERE space = $1 AND version = $2`, c.space, r.Version, publisher, live.Version, wanted); err != nil {
			return err
		}
		out, err = c.rules(ctx, tx, r.Version)
		return err
	})
	return out, err
}

// FinishBackfill notes that a version's backfill is complete.
func (c *Catalog) FinishBackfill(ctx context.Context, version string) error {
	return c.write(ctx, fmt.Sprintf("finish the backfill of rules %q", version), func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE rules SET backfill = '`+data.BackfillDone+`' WHERE space = $1 AND version = $2`, c.space, version)
		return atLeastOne(res, err, data.ErrNotFound)
	})
}

// RulesByVersion returns one version, or data.ErrNotFound.
func (c *Catalog) RulesByVersion(ctx context.Context, version string) (r data.RuleSet, err error) {
	err = c.read(ctx, fmt.Sprintf("rules %q", version), func(tx *sql.Tx) error {
		r, err = c.rules(ctx, tx, version)
		return err
	})
	return r, err
}

// RulesIn returns the version in a state that one has at most, draft or live, or
// data.ErrNotFound. One indexed read: cheap enough to poll.
func (c *Catalog) RulesIn(ctx context.Context, state string) (r data.RuleSet, err error) {
	err = c.read(ctx, state+" rules", func(tx *sql.Tx) error {
		r, err = c.rulesIn(ctx, tx, state)
		return err
	})
	return r, err
}

// RulesHistory returns at most limit versions that are or were live, before the sequence
// before, newest first, without their texts; 0 begins at the newest.
func (c *Catalog) RulesHistory(ctx context.Context, before int64, limit int) (all []data.RuleSet, err error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	err = c.read(ctx, "list rules", func(tx *sql.Tx) error {
		// by publication, for a stale draft may be published after a newer one
		all, err = list(ctx, tx, scanRules, `SELECT version, seq, state, '', author, note, created, published, publisher, previous, source, backfill FROM rules
			WHERE space = $1 AND published > 0 AND ($2 = 0 OR (published, seq) < (SELECT published, seq FROM rules WHERE space = $1 AND seq = $2))
			ORDER BY published DESC, seq DESC LIMIT $3`, c.space, before, limit)
		return err
	})
	return all, err
}

func (c *Catalog) rules(ctx context.Context, tx *sql.Tx, version string) (data.RuleSet, error) {
	return scanRules(tx.QueryRowContext(ctx, `SELECT `+rulesColumns+` FROM rules WHERE space = $1 AND version = $2`, c.space, version))
}

func (c *Catalog) rulesIn(ctx context.Context, tx *sql.Tx, state string) (data.RuleSet, error) {
	return scanRules(tx.QueryRowContext(ctx, `SELECT `+rulesColumns+` FROM rules WHERE space = $1 AND state = $2 ORDER BY seq DESC LIMIT 1`, c.space, state))
}

func scanRules(r row) (s data.RuleSet, err error) {
	var created, published int64
	err = r.Scan(&s.Version, &s.Seq, &s.State, &s.Text, &s.Author, &s.Note, &created, &published, &s.Publisher, &s.Previous, &s.Source, &s.Backfill)
	s.Created, s.Published = fromMS(created), fromMS(published)
	return s, err
}
