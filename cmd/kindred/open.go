package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/data/embedded"
)

// withCatalog runs fn with the catalog of the data directory open. It works
// beside a running server.
func (g *globals) withCatalog(fn func(ctx context.Context, cat *embedded.Catalog, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		c, err := g.load()
		if err != nil {
			return err
		}
		cat, err := openCatalog(c)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, cat.Close()) }()
		return fn(cmd.Context(), cat, args)
	}
}

// openCatalog opens the catalog of a data directory that exists already.
func openCatalog(c config.Config) (*embedded.Catalog, error) {
	if _, err := os.Stat(c.Data); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: there is no such data directory; `kindred import` or `kindred serve` creates one", c.Data)
	}
	return embedded.OpenCatalog(c.Data, c.Space)
}

// eachItem calls yield for every item of the catalog, by id, and stops at its
// first error.
func eachItem(ctx context.Context, cat *embedded.Catalog, yield func(data.Item) error) error {
	for after := data.ItemID(""); ; {
		page, err := cat.Items(ctx, after, pageSize)
		if err != nil {
			return err
		}
		for _, it := range page {
			if err := yield(it); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// lakeDir is where the lake of the data directory is.
func lakeDir(c config.Config) string { return filepath.Join(c.Data, "lake") }

// reportsDir is where evaluation reports of the data directory are, a directory each.
func reportsDir(c config.Config) string { return filepath.Join(c.Data, "evaluations") }

// logger logs to standard error as the configuration says.
func (g *globals) logger(c config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		level = slog.LevelInfo // Validate admits only the four levels
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(g.err, options))
	}
	return slog.New(slog.NewTextHandler(g.err, options))
}
