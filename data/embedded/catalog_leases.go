package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"kindred/data"
)

// AcquireLease takes the lease if nobody holds it, for ttl, with a fence greater
// than every one before; ok tells whether it did. If not, the answer is the lease
// of who has it. A lease that runs blocks everyone, also its own owner: renew it.
func (c *Catalog) AcquireLease(ctx context.Context, name, owner string, ttl time.Duration) (l data.Lease, ok bool, err error) {
	what := fmt.Sprintf("acquire lease %q", name)
	if name == "" || owner == "" || ttl < time.Millisecond {
		return l, false, fmt.Errorf("%s for %q and %s: name, owner and at least 1ms are required", what, owner, ttl)
	}
	err = c.write(ctx, what, func(tx *sql.Tx) error {
		at, err := now(ctx, tx)
		if err != nil {
			return err
		}
		l, err = scanLease(tx.QueryRowContext(ctx, `INSERT INTO leases (space, name, owner, fence, lease_until) VALUES ($1, $2, $3, 1, $4)
			ON CONFLICT (space, name) DO UPDATE SET owner = excluded.owner, fence = leases.fence + 1, lease_until = excluded.lease_until
			WHERE leases.lease_until <= $5 RETURNING name, owner, fence, lease_until`, c.space, name, owner, at+ttl.Milliseconds(), at))
		if ok = err == nil; ok || !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		l, err = c.lease(ctx, tx, name)
		return err
	})
	return l, ok && err == nil, err
}

// RenewLease extends a lease that is still the holder's to ttl from now. One that
// ran out may be renewed as long as nobody else has taken it; data.ErrStale then.
func (c *Catalog) RenewLease(ctx context.Context, l data.Lease, ttl time.Duration) (renewed data.Lease, err error) {
	what := fmt.Sprintf("renew lease %q", l.Name)
	if ttl < time.Millisecond {
		return l, fmt.Errorf("%s for %s: at least 1ms is required", what, ttl)
	}
	err = c.write(ctx, what, func(tx *sql.Tx) error {
		renewed, err = scanLease(tx.QueryRowContext(ctx, `UPDATE leases SET lease_until = `+nowMS+` + $5
			WHERE space = $1 AND name = $2 AND owner = $3 AND fence = $4 AND lease_until > 0 RETURNING name, owner, fence, lease_until`,
			c.space, l.Name, l.Owner, l.Fence, ttl.Milliseconds()))
		if errors.Is(err, sql.ErrNoRows) {
			return lost(l)
		}
		return err
	})
	return renewed, err
}

// ReleaseLease gives a lease up, so that another owner may take it at once;
// data.ErrStale if it was no longer the holder's.
func (c *Catalog) ReleaseLease(ctx context.Context, l data.Lease) error {
	return c.write(ctx, fmt.Sprintf("release lease %q", l.Name), func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE leases SET lease_until = 0
			WHERE space = $1 AND name = $2 AND owner = $3 AND fence = $4 AND lease_until > 0`, c.space, l.Name, l.Owner, l.Fence)
		return atLeastOne(res, err, lost(l))
	})
}

// checkLease fails with data.ErrStale unless l is held, by the database's clock.
func (c *Catalog) checkLease(ctx context.Context, tx *sql.Tx, l data.Lease) error {
	var held int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM leases WHERE space = $1 AND name = $2 AND owner = $3 AND fence = $4 AND lease_until > `+nowMS,
		c.space, l.Name, l.Owner, l.Fence).Scan(&held)
	if errors.Is(err, sql.ErrNoRows) {
		return lost(l)
	}
	return err
}

func lost(l data.Lease) error {
	return fmt.Errorf("lease %q: %q no longer holds it under fence %d: %w", l.Name, l.Owner, l.Fence, data.ErrStale)
}

func (c *Catalog) lease(ctx context.Context, tx *sql.Tx, name string) (data.Lease, error) {
	return scanLease(tx.QueryRowContext(ctx, `SELECT name, owner, fence, lease_until FROM leases WHERE space = $1 AND name = $2`, c.space, name))
}

func scanLease(r row) (l data.Lease, err error) {
	var until int64
	err = r.Scan(&l.Name, &l.Owner, &l.Fence, &until)
	l.Until = fromMS(until)
	return l, err
}
