package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/training/report"
)

func newClusters(g *globals) *cobra.Command {
	c := &cobra.Command{
		Use:     "clusters",
		Short:   "Show who is in the current model's clusters, and the rules that come closest",
		Example: "  kindred clusters --data kindred-data\n  kindred clusters --data kindred-data --json",
		Args:    noArgs,
		RunE:    g.withCatalog(func(ctx context.Context, cat *embedded.Catalog, _ []string) error { return g.showClusters(ctx, cat) }),
	}
	c.Flags().BoolVar(&g.json, "json", false, "print JSON")
	return c
}

func (g *globals) showClusters(ctx context.Context, cat *embedded.Catalog) error {
	m, err := cat.Current(ctx)
	if errors.Is(err, data.ErrNotFound) {
		return errors.New("there is no model yet; `kindred train` makes one")
	}
	if err != nil {
		return fmt.Errorf("read the current model: %w", err)
	}
	e, err := cat.Evaluation(ctx, m.Version)
	if err != nil {
		return fmt.Errorf("read the evaluation of %s: %w", m.Version, err)
	}
	var r report.Report
	if err := json.Unmarshal(e.Report, &r); err != nil {
		return fmt.Errorf("read the report of %s: %w", m.Version, err)
	}
	if g.json {
		return printJSON(g.out, struct {
			Model    string           `json:"model"`
			Clusters *report.Clusters `json:"clusters"`
		}{m.Version, r.Clusters})
	}
	if r.Clusters == nil {
		fmt.Fprintf(g.out, "%s has no clusters\n", m.Version)
		return nil
	}
	fmt.Fprintf(g.out, "%s: %d clusters by %s, silhouette %.3f\n", m.Version, r.Clusters.Chosen, r.Clusters.Algorithm, r.Clusters.Silhouette)
	for _, c := range r.Clusters.Groups {
		name := fmt.Sprintf("cluster %d", c.Number)
		if c.Number < 0 {
			name = "outliers"
		}
		fmt.Fprintf(g.out, "\n%s: %d people (%.1f %%), %.1f %% of the revenue\n  %s\n", name, c.People, 100*c.Share, 100*c.RevenueShare, c.Words)
		if c.Rule != nil {
			fmt.Fprintf(g.out, "  %s\n  precision %.1f %%, recall %.1f %% on %d people held out\n", c.Rule.When, 100*c.Rule.Precision, 100*c.Rule.Recall, c.Rule.HeldOut)
		} else if c.Note != "" {
			fmt.Fprintf(g.out, "  %s\n", c.Note)
		}
	}
	return nil
}
