package embedded

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"kindred/data"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// busyTimeout is how long a write waits for another process's.
	busyTimeout = 15 * time.Second
	// readers is how many reads one process runs at once.
	readers = 4
)

// nowMS is the database's clock in milliseconds since 1970 UTC.
const nowMS = `CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)`

// Catalog is the table store of one space: items, models, jobs, leases and the
// like. Its methods may be called from any goroutine, and several processes may
// have the same directory open. A write is durable when its method returns.
type Catalog struct {
	space data.Space
	w, r  *sql.DB
}

// OpenCatalog opens dir/catalog.db, making it and bringing its tables up to date
// if need be. A catalog that a newer program has migrated is refused.
func OpenCatalog(dir string, space data.Space) (*Catalog, error) {
	c, err := openCatalog(dir, space)
	if err != nil {
		return nil, fmt.Errorf("open catalog in %s: %w", dir, err)
	}
	return c, nil
}

func openCatalog(dir string, space data.Space) (_ *Catalog, err error) {
	if err := space.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(context.Background(), busyTimeout)
	defer stop()
	// Making the file and migrating it is for one process at a time: SQLite's busy
	// timeout does not cover the switch to WAL mode.
	unlock, err := lockFile(ctx, filepath.Join(dir, "catalog.lock"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock.Close()) }()
	c := &Catalog{space: space}
	path := filepath.Join(dir, "catalog.db")
	if c.w, err = openDB(path, 1, "_txlock=immediate"); err != nil {
		return nil, err
	}
	if c.r, err = openDB(path, readers, "_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, c.w.Close())
	}
	if err := migrate(ctx, c.w); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close closes the connections.
func (c *Catalog) Close() error { return errors.Join(c.r.Close(), c.w.Close()) }

func openDB(path string, conns int, option string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if path = filepath.ToSlash(path); path[0] != '/' {
		path = "/" + path // a drive letter
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: fmt.Sprintf(
		"_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&%s",
		busyTimeout.Milliseconds(), option)}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// lockFile waits for an exclusive lock on a file of that name.
func lockFile(ctx context.Context, name string) (io.Closer, error) {
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		lock, err := vfs.Default.Lock(name)
		var path *fs.PathError
		if err == nil || errors.As(err, &path) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another process has been opening it for %s: %w", busyTimeout, err)
		case <-retry.C:
		}
	}
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > want {
		return fmt.Errorf("its tables have version %d, this program knows %d; use the newer program", have, want)
	}
	if have == want {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate tables from version %d to %d: %w", have, want, err)
	}
	return nil
}

// write runs fn in one immediate transaction and commits it durably.
func (c *Catalog) write(ctx context.Context, what string, fn func(tx *sql.Tx) error) error {
	return wrap(what, inTx(ctx, c.w, fn))
}

// read runs fn on one consistent view of the database.
func (c *Catalog) read(ctx context.Context, what string, fn func(tx *sql.Tx) error) error {
	return wrap(what, inTx(ctx, c.r, fn))
}

func inTx(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// ignoreDone drops the error of rolling back what a cancelled context already did.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// wrap names what was tried and turns SQLite's errors into the house's: no row is
// data.ErrNotFound, and a database that stays busy is data.ErrOverloaded.
func wrap(what string, err error) error {
	var e *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", what, data.ErrNotFound)
	case errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%s: other processes kept the catalog busy for %s: %w", what, busyTimeout, data.ErrOverloaded)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// row is what both *sql.Row and *sql.Rows offer.
type row interface{ Scan(dest ...any) error }

// list scans every row of a query.
func list[T any](ctx context.Context, tx *sql.Tx, scan func(row) (T, error), query string, args ...any) (out []T, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func checkLimit(limit int) error {
	if limit < 1 {
		return fmt.Errorf("limit is %d; ask for at least 1", limit)
	}
	return nil
}

// counter reads a named number; 0 before it is set.
func (c *Catalog) counter(ctx context.Context, tx *sql.Tx, name string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT value FROM counters WHERE space = $1 AND name = $2`, c.space, name).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// bump adds one to a named number and returns it.
func (c *Catalog) bump(ctx context.Context, tx *sql.Tx, name string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO counters (space, name, value) VALUES ($1, $2, 1)
		ON CONFLICT (space, name) DO UPDATE SET value = counters.value + 1 RETURNING value`, c.space, name).Scan(&n)
	return n, err
}

// now reads the database's clock.
func now(ctx context.Context, tx *sql.Tx) (ms int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT `+nowMS).Scan(&ms)
	return ms, err
}

// toMS and fromMS keep times as milliseconds; 0 is the zero time.
func toMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMS(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// toJSON and fromJSON keep JSON as text; nothing is NULL.
func toJSON(b json.RawMessage) (sql.NullString, error) {
	if len(b) == 0 {
		return sql.NullString{}, nil
	}
	if !json.Valid(b) {
		return sql.NullString{}, errors.New("not valid JSON")
	}
	return sql.NullString{String: string(b), Valid: true}, nil
}

func fromJSON(s sql.NullString) json.RawMessage {
	if !s.Valid {
		return nil
	}
	return json.RawMessage(s.String)
}
