package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kindred/data/lake"
	"kindred/features/segment"
	"kindred/training/analytics"
)

// newAnalytics asks the lake about history: cohorts, funnels, buyers.
func newAnalytics(g *globals) *cobra.Command {
	c := &cobra.Command{
		Use:   "analytics",
		Short: "Ask history who comes back, who gets how far, and who buys",
		Long: "Analytics folds the lake's events as the server does (duplicates, late and erased events are out, merged people are one) and prints a table,\n" +
			"JSON or CSV. It works beside a running server; what came in within the last minutes may not be in the lake yet.",
		Example: "  kindred analytics funnel --step \"Product Viewed\" --step \"Order Completed\" --within 7d\n  kindred analytics rfm --format csv --people",
		Args:    noArgs,
	}
	format, out := "table", ""
	c.PersistentFlags().StringVar(&format, "format", "table", "table, json or csv")
	c.PersistentFlags().StringVar(&out, "out", "", "file to write, replaced as a whole (default standard output)")

	show := func(cmd *cobra.Command, ask func(*analytics.History) (sheet, error)) error {
		if format != "table" && format != "json" && format != "csv" {
			return usagef("--format is %q; use table, json or csv", format)
		}
		h, err := readHistory(cmd.Context(), g)
		if err != nil {
			return err
		}
		s, err := ask(h)
		if err != nil {
			return usageError{err}
		}
		if out != "" {
			return lake.WriteFile(out, func(w io.Writer) error { return s.write(w, format) })
		}
		return s.write(g.out, format)
	}

	var cohorts analytics.CohortOptions
	var period string
	byCohort := &cobra.Command{
		Use: "cohorts", Short: "People by when they first did something, and how many came back in each period", Args: noArgs,
		Example: "  kindred analytics cohorts --first \"Signed Up\" --return \"Order Completed\" --period month",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(cmd, func(h *analytics.History) (sheet, error) {
				cohorts.Period = analytics.Period(period)
				all, err := h.Cohorts(cohorts)
				return cohortSheet(all), err
			})
		},
	}
	f := byCohort.Flags()
	f.StringVar(&cohorts.First, "first", "", "event that puts somebody into a cohort (default any)")
	f.StringVar(&cohorts.Return, "return", "", "event that counts as coming back (default any)")
	f.StringVar(&period, "period", "week", "day, week or month")
	f.IntVar(&cohorts.Periods, "periods", 12, "how many periods")
	f.BoolVar(&cohorts.Campaign, "campaign", false, "cohorts by the campaign that brought people, not by time")

	var steps []string
	within := "24h"
	funnel := &cobra.Command{
		Use: "funnel", Short: "How many people did one thing after another", Args: noArgs,
		Example: "  kindred analytics funnel --step \"Product Viewed\" --step \"Product Added\" --step \"Order Completed\" --within 7d",
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := segment.ParseDuration(within)
			if err != nil {
				return usagef("--within: %v", err)
			}
			return show(cmd, func(h *analytics.History) (sheet, error) {
				all, err := h.Funnel(steps, time.Duration(d))
				return funnelSheet(all), err
			})
		},
	}
	funnel.Flags().StringArrayVar(&steps, "step", nil, "an event, once for each step in order")
	funnel.Flags().StringVar(&within, "within", "24h", "time from the first step to the last, such as 24h or 7d")

	purchase, people := "Order Completed", false
	rfm := &cobra.Command{
		Use: "rfm", Short: "Buyers by how recently, how often and for how much they bought", Args: noArgs,
		Example: "  kindred analytics rfm --purchase \"Order Completed\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(cmd, func(h *analytics.History) (sheet, error) {
				buyers, groups, err := h.RFM(purchase)
				if people {
					return buyerSheet(buyers), err
				}
				return groupSheet(groups), err
			})
		},
	}
	rfm.Flags().StringVar(&purchase, "purchase", purchase, "the event that is a purchase")
	rfm.Flags().BoolVar(&people, "people", false, "every buyer, instead of the groups")
	c.AddCommand(byCohort, funnel, rfm)
	return c
}

func readHistory(ctx context.Context, g *globals) (*analytics.History, error) {
	c, err := g.load()
	if err != nil {
		return nil, err
	}
	if err := mustExist(c.Data); err != nil {
		return nil, err
	}
	l, err := lake.Open(lakeDir(c), c.Space)
	if err != nil {
		return nil, err
	}
	snap, err := l.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	bar := newProgress(g.err)
	defer bar.close()
	return analytics.Read(ctx, snap, c.Features, func(done, total int) { bar.at("fold events", int64(done), int64(total)) })
}

// sheet is a table, and what it is made of.
type sheet struct {
	head []string
	rows [][]string
	all  any
}

func (s sheet) write(w io.Writer, format string) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(s.all)
	case "csv":
		out := csv.NewWriter(w)
		if err := out.WriteAll(append([][]string{s.head}, s.rows...)); err != nil {
			return err
		}
		return out.Error()
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{s.head}, s.rows...) {
		for _, cell := range row {
			fmt.Fprint(t, cell, "\t")
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func cohortSheet(all []analytics.Cohort) sheet {
	s := sheet{head: []string{"cohort", "people"}, all: all}
	for _, c := range all {
		row := []string{c.Cohort, strconv.Itoa(c.People)}
		for k, n := range c.Returned {
			if len(s.head) < k+3 {
				s.head = append(s.head, strconv.Itoa(k))
			}
			row = append(row, strconv.Itoa(n))
		}
		s.rows = append(s.rows, row)
	}
	return s
}

func funnelSheet(all []analytics.Step) sheet {
	s := sheet{head: []string{"step", "event", "people", "share", "median"}, all: all}
	for i, x := range all {
		s.rows = append(s.rows, []string{strconv.Itoa(i + 1), x.Event, strconv.Itoa(x.People), strconv.FormatFloat(x.Share, 'f', 4, 64), x.Median.String()})
	}
	return s
}

func groupSheet(all []analytics.Group) sheet {
	s := sheet{head: []string{"group", "people", "revenue"}, all: all}
	for _, x := range all {
		s.rows = append(s.rows, []string{x.Group, strconv.Itoa(x.People), strconv.FormatFloat(x.Revenue, 'f', 2, 64)})
	}
	return s
}

func buyerSheet(all []analytics.Buyer) sheet {
	s := sheet{head: []string{"id", "last", "purchases", "revenue", "r", "f", "m", "group"}, all: all}
	for _, x := range all {
		s.rows = append(s.rows, []string{string(x.ID), time.UnixMilli(x.Last).UTC().Format(time.RFC3339), strconv.Itoa(x.Purchases),
			strconv.FormatFloat(x.Revenue, 'f', 2, 64), strconv.Itoa(x.R), strconv.Itoa(x.F), strconv.Itoa(x.M), x.Group})
	}
	return s
}
