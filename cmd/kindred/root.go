package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
	"kindred/model/kernel"
	"kindred/training"
)

// The exit codes that others script against.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3 // the gate refused a model
)

// streams are the process's standard streams, so that tests can hold their own.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a mistake in how the program was called, as opposed to a failure
// of what it was asked to do.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// globals are the flags that every command has.
type globals struct {
	streams
	environ    []string
	configFile string
	data       string
	sets       []string
	json       bool
}

// run is the whole program: arguments in, exit code out.
func run(ctx context.Context, args []string, std streams, environ []string) int {
	root := newRoot(std, environ)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintf(std.err, "kindred: %v\n", err)
		fmt.Fprintln(std.err, "Run with --help for usage and an example.")
		return exitUsage
	case errors.Is(err, training.ErrRefused):
		fmt.Fprintf(std.err, "kindred: %v\n", err)
		return exitRefused
	default:
		fmt.Fprintf(std.err, "kindred: %v\n", err)
		return exitFailed
	}
}

func newRoot(std streams, environ []string) *cobra.Command {
	g := &globals{streams: std, environ: environ}
	root := &cobra.Command{
		Use:           "kindred",
		Short:         "Recommendations and live segments, from a laptop to a cluster",
		Version:       version,
		Example:       "  kindred import --data kindred-data --format movielens data/dataset/sample/ml-latest-small\n  kindred train --data kindred-data\n  kindred serve --data kindred-data",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if err := kernel.LevelError(); err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.DisableDefaultCmd = true

	flags := root.PersistentFlags()
	flags.StringVar(&g.configFile, "config", "", "configuration file (YAML; default kindred.yaml in the data directory, if it is there)")
	flags.StringVar(&g.data, "data", "", "data directory (default from the configuration: ./kindred-data)")
	flags.StringArrayVar(&g.sets, "set", nil, "override one setting, as key=value; may be repeated")

	root.AddCommand(
		newServe(g), newDemo(g), newImport(g), newTrain(g), newEvaluate(g),
		newExport(g), newAnalytics(g), newReplay(g), newDeadLetters(g), newLoad(g), newModels(g), newSegments(g), newJobs(g), newConfig(g), newTrainingHand(g), newDescribeHand(g), newClusters(g),
	)
	return root
}

// ownConfig is the name of the configuration file that a data directory may hold:
// it is read where --config names no other, so that every command that works on
// the directory means the same.
const ownConfig = "kindred.yaml"

// load gives the effective configuration: defaults, file, environment, flags.
func (g *globals) load() (config.Config, error) {
	sets := g.sets
	if g.data != "" {
		sets = append([]string{"data=" + g.data}, sets...)
	}
	c, err := config.Load(g.configFile, g.environ, sets)
	if err != nil {
		return c, usageError{err}
	}
	if g.configFile == "" {
		own, dir := filepath.Join(c.Data, ownConfig), c.Data
		if _, err := os.Stat(own); err == nil {
			if c, err = config.Load(own, g.environ, sets); err != nil {
				return c, usageError{err}
			}
			if c.Data != dir {
				return c, usagef("%s: data is %s; a directory's own configuration may not name another", own, c.Data)
			}
		}
	}
	return c, nil
}

// noArgs refuses arguments, and names the unknown command where one was meant.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return usagef("unknown command %q for %q; it has: %s", args[0], cmd.CommandPath(), strings.Join(names(cmd), ", "))
	}
	return usagef("%s takes no argument, got %q", cmd.CommandPath(), args[0])
}

// exactly wants n arguments, called what.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s wants %s, got %d arguments", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}

func names(cmd *cobra.Command) []string {
	var out []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c.Name())
		}
	}
	return out
}

// printJSON writes v indented, for --json.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// isTerminal reports whether w is a terminal, where progress bars may redraw.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
