package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kindred/data"
	"kindred/data/embedded"
)

// pageSize is how many rows a listing asks for at a time.
const pageSize = 200

func newJobs(g *globals) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:     "jobs",
		Short:   "List training runs and other jobs, newest first, and why failed ones failed",
		Example: "  kindred jobs --data kindred-data",
		Args:    noArgs,
		RunE: g.withCatalog(func(ctx context.Context, cat *embedded.Catalog, _ []string) error {
			if limit < 1 || limit > 10_000 {
				return usagef("--limit is %d; use 1 to 10000", limit)
			}
			jobs, err := cat.Jobs(ctx, "", limit)
			if err != nil {
				return fmt.Errorf("list jobs: %w", err)
			}
			if g.json {
				if jobs == nil {
					jobs = []data.Job{}
				}
				return printJSON(g.out, jobs)
			}
			if len(jobs) == 0 {
				fmt.Fprintln(g.out, "no jobs yet")
				return nil
			}
			w := tabwriter.NewWriter(g.out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tKIND\tSTATE\tSTARTED\tPROGRESS\tSTAGE\tMODEL\tMESSAGE")
			for _, j := range jobs {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.0f %%\t%s\t%s\t%s\n", j.ID, j.Kind, j.State, j.Started.UTC().Format(time.DateTime), 100*j.Progress, j.Stage, j.Model, j.Message)
			}
			return w.Flush()
		}),
	}
	c.Flags().BoolVar(&g.json, "json", false, "print JSON")
	c.Flags().IntVar(&limit, "limit", 50, "how many")
	return c
}
