package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/lake"
)

func newExport(g *globals) *cobra.Command {
	var what, format, out string
	c := &cobra.Command{
		Use:   "export --what events|interactions|items|profiles --format jsonl|parquet [--out PATH]",
		Short: "Write events, interactions, items or profiles to a file or standard output",
		Long: "Export writes what the lake (events, interactions), the catalog (items) or the profile store (profiles) holds.\n" +
			"Profiles live in the store that a running server keeps open: stop it first. The rest works beside a server;\n" +
			"what the server took in within the last minutes may not be in the lake yet.",
		Example: "  kindred export --data kindred-data --what interactions --format parquet --out interactions.parquet\n  kindred export --data kindred-data --what items --format jsonl",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := lake.ParseFormat(format)
			if err != nil {
				return usageError{err}
			}
			export, ok := exports[what]
			if !ok {
				return usagef("--what is %q; use events, interactions, items or profiles", what)
			}
			c, err := g.load()
			if err != nil {
				return err
			}
			var rows int64
			write := func(w io.Writer) error {
				rows, err = export(cmd.Context(), c, f, w)
				return err
			}
			if out == "" {
				if f == lake.Parquet && isTerminal(g.out) {
					return usagef("--format parquet is binary; name a file with --out")
				}
				return write(g.out)
			}
			if err := lake.WriteFile(out, write); err != nil {
				return fmt.Errorf("export %s: %w", what, err)
			}
			fmt.Fprintf(g.err, "%d %s written to %s\n", rows, what, out)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&what, "what", "", "events, interactions, items or profiles")
	f.StringVar(&format, "format", string(lake.JSONL), "jsonl or parquet")
	f.StringVar(&out, "out", "", "file to write, replaced as a whole (default standard output)")
	return c
}

// exports are the things that can be exported, each with its writer, which
// returns the number of rows.
var exports = map[string]func(context.Context, config.Config, lake.Format, io.Writer) (int64, error){
	"events":       fromLake(lake.ExportEvents),
	"interactions": fromLake(lake.ExportInteractions),
	"items":        exportItems,
	"profiles":     exportProfiles,
}

// fromLake exports a table of the lake's newest snapshot.
func fromLake(export func(context.Context, *lake.Snapshot, lake.Format, io.Writer) (int64, error)) func(context.Context, config.Config, lake.Format, io.Writer) (int64, error) {
	return func(ctx context.Context, c config.Config, f lake.Format, w io.Writer) (int64, error) {
		if err := mustExist(c.Data); err != nil {
			return 0, err
		}
		l, err := lake.Open(lakeDir(c), c.Space)
		if err != nil {
			return 0, err
		}
		s, err := l.Snapshot(ctx)
		if err != nil {
			return 0, err
		}
		return export(ctx, s, f, w)
	}
}

func exportItems(ctx context.Context, c config.Config, f lake.Format, w io.Writer) (n int64, err error) {
	cat, err := openCatalog(c)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, cat.Close()) }()
	return lake.ExportItems(ctx, f, w, func(yield func(data.Item) error) error { return eachItem(ctx, cat, yield) })
}

func exportProfiles(ctx context.Context, c config.Config, f lake.Format, w io.Writer) (n int64, err error) {
	if err := mustExist(c.Data); err != nil {
		return 0, err
	}
	store, err := embedded.Open(c.Data, embedded.Options{Space: c.Space, Partitions: c.Partitions})
	if err != nil {
		return 0, storeError(c, err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return lake.ExportProfiles(ctx, f, w, func(yield func(data.Profile) error) error {
		for p := range store.Partitions() {
			err := store.ScanProfiles(ctx, p, "", func(id data.ProfileID, b []byte) (bool, error) {
				var profile data.Profile
				if err := profile.UnmarshalBinary(b); err != nil {
					return false, fmt.Errorf("profile %s: %w", id, err)
				}
				return true, yield(profile)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
