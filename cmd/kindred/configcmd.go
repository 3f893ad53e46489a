package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newConfig(g *globals) *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		Short:   "Check or print the effective configuration",
		Example: "  kindred config check --config kindred.yaml\n  kindred config print",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	check := &cobra.Command{
		Use: "check", Short: "Say whether the configuration is valid, and if not, what is wrong", Args: noArgs,
		Example: "  kindred config check --config kindred.yaml",
		RunE: func(*cobra.Command, []string) error {
			if _, err := g.load(); err != nil {
				return err
			}
			fmt.Fprintln(g.out, "the configuration is valid")
			return nil
		},
	}
	var env, asJSON bool
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
	c.AddCommand(check, show)
	return c
}
