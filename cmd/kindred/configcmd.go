package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
)

func newConfig(g *globals) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Check, print or explain the configuration",
		Long: "A setting comes from the defaults, then the file, then its KINDRED_ variable, then --set. Three variables are no settings:\n" +
			"KINDRED_KERNEL (generic, avx2, avx512) makes the inner loops use less than the processor has, and\n" +
			"KINDRED_LOAD_KEY is the API key of `kindred load`; KINDRED_API_KEY that of commands that ask a running server.",
		Example: "  kindred config check --config kindred.yaml\n  kindred config print --comments > kindred.yaml\n  kindred config explain schedule",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	check := &cobra.Command{
		Use: "check", Short: "Say whether the configuration is valid, and if not, what is wrong", Args: noArgs,
		Example: "  kindred config check --config kindred.yaml",
		RunE: func(*cobra.Command, []string) error {
			c, err := g.load()
			if err != nil {
				return err
			}
			if _, err := newJudges(c.Ingest); err != nil { // the files that it names, too
				return usageError{err}
			}
			fmt.Fprintln(g.out, "the configuration is valid")
			return nil
		},
	}
	explain := &cobra.Command{
		Use: "explain [KEY]", Short: "Say what settings mean: one, a section's, or all, with their defaults and environment variables",
		Example: "  kindred config explain schedule.cron\n  kindred config explain training.als",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := config.Explain(g.out, strings.Join(args, "")); err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	var env, asJSON, comments bool
	show := &cobra.Command{
		Use: "print", Short: "Print the effective configuration: defaults, file, environment, flags; secrets hidden", Args: noArgs,
		Example: "  kindred config print > kindred.yaml\n  kindred config print --env",
		RunE: func(*cobra.Command, []string) error {
			c, err := g.load()
			switch {
			case err != nil:
				return err
			case env && asJSON:
				return usagef("--env and --json exclude each other")
			case comments && (env || asJSON):
				return usagef("--comments is for YAML; leave out --env and --json")
			case comments:
				return c.PrintComments(g.out)
			case env:
				return c.PrintEnv(g.out)
			case asJSON:
				return c.PrintJSON(g.out)
			}
			return c.Print(g.out)
		},
	}
	show.Flags().BoolVar(&env, "env", false, "print it as environment variables")
	show.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	show.Flags().BoolVar(&comments, "comments", false, "print what each setting means above it")
	c.AddCommand(check, show, explain)
	return c
}
