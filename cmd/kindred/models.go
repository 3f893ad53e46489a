package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kindred/data"
	"kindred/data/embedded"
)

func newModels(g *globals) *cobra.Command {
	c := &cobra.Command{
		Use:     "models",
		Short:   "List, show, promote and roll back models",
		Example: "  kindred models list --data kindred-data\n  kindred models promote m-20261121T040000Z-1a2b3c --data kindred-data",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.PersistentFlags().BoolVar(&g.json, "json", false, "print JSON")
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the models, newest first", Args: noArgs,
			Example: "  kindred models list --data kindred-data --json",
			RunE:    g.withCatalog(func(ctx context.Context, cat *embedded.Catalog, _ []string) error { return g.listModels(ctx, cat) }),
		},
		&cobra.Command{
			Use: "show VERSION", Short: "Show one model with its metrics and configuration", Args: exactly(1, "a model version"),
			Example: "  kindred models show m-20261121T040000Z-1a2b3c --data kindred-data",
			RunE: g.withCatalog(func(ctx context.Context, cat *embedded.Catalog, args []string) error {
				m, err := cat.ModelByVersion(ctx, args[0])
				if err != nil {
					return modelError("show", args[0], err)
				}
				return printJSON(g.out, m)
			}),
		},
		&cobra.Command{
			Use: "promote VERSION", Short: "Make a model current; a running server switches within a second", Args: exactly(1, "a model version"),
			Example: "  kindred models promote m-20261121T040000Z-1a2b3c --data kindred-data",
			RunE: g.withCatalog(func(ctx context.Context, cat *embedded.Catalog, args []string) error {
				if err := cat.Promote(ctx, args[0]); err != nil {
					return modelError("promote", args[0], err)
				}
				return g.sayModel(ctx, cat, "promoted")
			}),
		},
		&cobra.Command{
			Use: "rollback", Short: "Make the former model current again", Args: noArgs,
			Example: "  kindred models rollback --data kindred-data",
			RunE: g.withCatalog(func(ctx context.Context, cat *embedded.Catalog, _ []string) error {
				if _, err := cat.Rollback(ctx); err != nil {
					if errors.Is(err, data.ErrNotFound) {
						return errors.New("roll back: there is no former model to return to")
					}
					return fmt.Errorf("roll back: %w", err)
				}
				return g.sayModel(ctx, cat, "rolled back to")
			}),
		},
	)
	return c
}

func modelError(what, version string, err error) error {
	if errors.Is(err, data.ErrNotFound) {
		return fmt.Errorf("%s model %q: there is no such version; `kindred models list` shows them", what, version)
	}
	return fmt.Errorf("%s model %q: %w", what, version, err)
}

// sayModel tells which model is current now.
func (g *globals) sayModel(ctx context.Context, cat *embedded.Catalog, verb string) error {
	m, err := cat.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the current model: %w", err)
	}
	if g.json {
		return printJSON(g.out, m)
	}
	fmt.Fprintf(g.out, "%s %s\n", verb, m.Version)
	return nil
}

func (g *globals) listModels(ctx context.Context, cat *embedded.Catalog) error {
	all := []data.Model{}
	for after := ""; ; {
		page, err := cat.Models(ctx, after, pageSize)
		if err != nil {
			return fmt.Errorf("list models: %w", err)
		}
		all = append(all, page...)
		if len(page) < pageSize {
			break
		}
		after = page[len(page)-1].Version
	}
	if g.json {
		return printJSON(g.out, all)
	}
	if len(all) == 0 {
		fmt.Fprintln(g.out, "no models yet; `kindred train` makes one")
		return nil
	}
	w := tabwriter.NewWriter(g.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tSTATUS\tCREATED\tINTERACTIONS\tREASON")
	for _, m := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", m.Version, m.Status, m.Created.UTC().Format(time.DateTime), m.Interactions, m.Reason)
	}
	return w.Flush()
}
