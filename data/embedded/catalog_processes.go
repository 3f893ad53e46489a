package embedded

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"kindred/data"
)

const (
	flushRequested = "flush_requested"
	flushDone      = "flush_done"
)

// RequestFlush asks the process that owns the log to bring the lake up to date, and
// returns the number to ask FlushDone about.
func (c *Catalog) RequestFlush(ctx context.Context) (id int64, err error) {
	err = c.write(ctx, "request flush", func(tx *sql.Tx) error {
		id, err = c.bump(ctx, tx, flushRequested)
		return err
	})
	return id, err
}

// PendingFlush returns the newest request that is not completed. Flushing once and
// completing it completes all before it. Cheap enough to poll.
func (c *Catalog) PendingFlush(ctx context.Context) (id int64, ok bool, err error) {
	err = c.read(ctx, "pending flush", func(tx *sql.Tx) error {
		if id, err = c.counter(ctx, tx, flushRequested); err != nil {
			return err
		}
		done, err := c.counter(ctx, tx, flushDone)
		ok = done < id
		return err
	})
	return id, ok && err == nil, err
}

// CompleteFlush marks the request id and all before it as done; data.ErrNotFound
// if nobody made it.
func (c *Catalog) CompleteFlush(ctx context.Context, id int64) error {
	return c.write(ctx, fmt.Sprintf("complete flush %d", id), func(tx *sql.Tx) error {
		requested, err := c.counter(ctx, tx, flushRequested)
		if err != nil {
			return err
		}
		if id < 1 || id > requested {
			return fmt.Errorf("requests go up to %d: %w", requested, data.ErrNotFound)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO counters (space, name, value) VALUES ($1, $2, $3)
			ON CONFLICT (space, name) DO UPDATE SET value = excluded.value WHERE counters.value < excluded.value`, c.space, flushDone, id)
		return err
	})
}

// FlushDone reports whether the request id is completed.
func (c *Catalog) FlushDone(ctx context.Context, id int64) (done bool, err error) {
	err = c.read(ctx, fmt.Sprintf("flush %d", id), func(tx *sql.Tx) error {
		n, err := c.counter(ctx, tx, flushDone)
		done = id <= n
		return err
	})
	return done && err == nil, err
}

// Heartbeat notes that a process runs; Seen is now, by the database's clock.
// Processes silent for a day are forgotten.
func (c *Catalog) Heartbeat(ctx context.Context, p data.Process) error {
	if p.Owner == "" {
		return errors.New("heartbeat: the process has no owner name")
	}
	roles, err := json.Marshal(p.Roles)
	if err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	return c.write(ctx, fmt.Sprintf("heartbeat of %q", p.Owner), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM processes WHERE space = $1 AND seen < `+nowMS+` - $2`,
			c.space, (24 * time.Hour).Milliseconds()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO processes (space, owner, addr, roles, started, seen) VALUES ($1, $2, $3, $4, $5, `+nowMS+`)
			ON CONFLICT (space, owner) DO UPDATE SET addr = excluded.addr, roles = excluded.roles, started = excluded.started, seen = excluded.seen`,
			c.space, p.Owner, p.Addr, string(roles), toMS(p.Started))
		return err
	})
}

// Depart forgets a process that is about to end. An unknown one changes nothing.
func (c *Catalog) Depart(ctx context.Context, owner string) error {
	return c.write(ctx, fmt.Sprintf("departure of %q", owner), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM processes WHERE space = $1 AND owner = $2`, c.space, owner)
		return err
	})
}

// Processes returns the processes seen within the given time, latest first.
func (c *Catalog) Processes(ctx context.Context, within time.Duration) (ps []data.Process, err error) {
	err = c.read(ctx, "list processes", func(tx *sql.Tx) error {
		ps, err = list(ctx, tx, scanProcess, `SELECT owner, addr, roles, started, seen FROM processes
			WHERE space = $1 AND seen > `+nowMS+` - $2 ORDER BY seen DESC, owner`, c.space, within.Milliseconds())
		return err
	})
	return ps, err
}

// ActiveProcess returns the process seen latest, within the given time, that has
// the role; data.ErrNotFound if none has.
func (c *Catalog) ActiveProcess(ctx context.Context, role string, within time.Duration) (data.Process, error) {
	ps, err := c.Processes(ctx, within)
	if err != nil {
		return data.Process{}, err
	}
	i := slices.IndexFunc(ps, func(p data.Process) bool { return slices.Contains(p.Roles, role) })
	if i < 0 {
		return data.Process{}, fmt.Errorf("process with role %q: %w", role, data.ErrNotFound)
	}
	return ps[i], nil
}

func scanProcess(r row) (p data.Process, err error) {
	var roles string
	var started, seen int64
	if err := r.Scan(&p.Owner, &p.Addr, &roles, &started, &seen); err != nil {
		return p, err
	}
	p.Started, p.Seen = fromMS(started), fromMS(seen)
	return p, json.Unmarshal([]byte(roles), &p.Roles)
}
