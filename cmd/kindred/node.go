package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/lake"
	"kindred/features/archive"
	"kindred/features/stream"
	"kindred/serving/segments"
)

// node is one process on the embedded stores: the four stores, the fold and the
// archivers, opened and not yet running.
type node struct {
	cfg     config.Config
	log     *slog.Logger
	store   *embedded.Store
	catalog *embedded.Catalog
	lake    *lake.Lake
	worker  *stream.Worker

	clusters  *clusterShelf
	rules     *segments.Shelf
	segments  *segments.Service
	archivers []*archive.Archiver // by partition
}

// newNode opens the data directory, creating what is missing.
func newNode(c config.Config, logger *slog.Logger) (_ *node, err error) {
	n := &node{cfg: c, log: logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("create the data directory: %w", err)
	}
	opt := c.Store.Options()
	opt.Space, opt.Partitions, opt.Logger = c.Space, c.Partitions, logger
	if n.store, err = embedded.Open(c.Data, opt); err != nil {
		return nil, storeError(c, err)
	}
	if n.catalog, err = embedded.OpenCatalog(c.Data, c.Space); err != nil {
		return nil, err
	}
	if n.lake, err = lake.Open(lakeDir(c), c.Space); err != nil {
		return nil, err
	}
	n.clusters = newClusterShelf(n.lake)
	n.rules = segments.NewShelf(n.catalog, c.Features.MaxEventAge.Milliseconds())
	n.worker, err = stream.New(stream.Options{
		Log: n.store, State: n.store, Partitions: n.store.Partitions(), Space: c.Space,
		Features: c.Features, Clusterers: n.clusters.find, Rules: n.rules.Find, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	n.segments = segments.New(c.Segments, segments.Deps{
		Catalog: n.catalog, Shelf: n.rules, Worker: n.worker, Log: n.store, Profiles: n.store, Partitions: n.store.Partitions(), Space: c.Space, Env: c.Env,
		History:  func(ctx context.Context) (stream.History, error) { return n.lake.Snapshot(ctx) },
		Features: c.Features, Clusterers: n.clusters.find, Now: time.Now, Logger: logger,
	})
	for p := range n.store.Partitions() {
		n.archivers = append(n.archivers, archive.New(n.store, n.lake, p, c.Archive))
	}
	return n, nil
}

// close closes what newNode opened. Whatever runs on it must have stopped.
func (n *node) close() error {
	var errs []error
	if n.catalog != nil {
		errs = append(errs, n.catalog.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}

// settle folds and archives everything that is in the log, without a running
// server: afterwards profiles are up to date and the lake is complete.
func (n *node) settle(ctx context.Context, p *progress) error {
	p.at("folding into profiles", 0, 0)
	if err := n.worker.CatchUp(ctx); err != nil {
		return err
	}
	if _, err := n.worker.Flush(ctx); err != nil {
		return err
	}
	if err := n.worker.CatchUp(ctx); err != nil { // the flush records themselves
		return err
	}
	for i, a := range n.archivers {
		p.at("archiving to the lake", int64(i), int64(len(n.archivers)))
		if err := a.CatchUp(ctx); err != nil {
			return err
		}
	}
	p.at("archiving to the lake", int64(len(n.archivers)), int64(len(n.archivers)))
	return nil
}

// archived reports whether the lake holds the whole log.
func (n *node) archived(ctx context.Context) (bool, error) {
	for p := range n.store.Partitions() {
		next, err := n.lake.Cursor(ctx, p)
		if err != nil || next < n.store.End(p) {
			return false, err
		}
	}
	return true, nil
}

// storeError says what to do about a store that does not open.
func storeError(c config.Config, err error) error {
	if errors.Is(err, data.ErrLocked) {
		return fmt.Errorf("%w (data directory %s: this command needs the log to itself; stop the server first, or use the server's HTTP API)", err, c.Data)
	}
	return err
}

// mustExist refuses a data directory that is not there, instead of making an empty one.
func mustExist(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "store")); err != nil {
		return fmt.Errorf("open %s: there is no data directory; `kindred import` or `kindred serve` creates one", dir)
	}
	return nil
}
