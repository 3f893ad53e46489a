package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/training"
)

func newDemo(g *globals) *cobra.Command {
	var f serveFlags
	var sample string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Serve with the bundled MovieLens sample: import and train first, unless that was done before",
		Long: "Demo is `import --shift-to-now`, `train` and `serve` in one process, each only if the data directory lacks its result.\n" +
			"The sample is MovieLens ml-latest-small, for research and education; its terms are in the README.txt beside it.",
		Example: "  kindred demo --data kindred-data --sample data/dataset/sample/ml-latest-small",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g.sets = append(f.sets(), g.sets...)
			c, err := g.load()
			if err != nil {
				return err
			}
			if c, err = g.configureDemo(c); err != nil {
				return err
			}
			n, err := newNode(c, g.logger(c))
			if err != nil {
				return err
			}
			err = g.prepareDemo(cmd.Context(), n, sample)
			if err == nil {
				err = g.serve(cmd.Context(), n)
			}
			return errors.Join(err, n.close())
		},
	}
	f.add(c)
	c.Flags().StringVar(&sample, "sample", filepath.Join("data", "dataset", "sample", "ml-latest-small"), "directory of the sample")
	return c
}

// demoConfig is what the sample's directory is told about the sample.
const demoConfig = `# Read by every command on this directory, unless --config names another file.
# The sample has ratings from 0.5 to 5 stars: from 4 on they count as liked.
features:
  weights:
    rating_min: 4
`

// configureDemo gives a new directory the sample's configuration.
func (g *globals) configureDemo(c config.Config) (config.Config, error) {
	if _, err := os.Stat(c.Data); !errors.Is(err, fs.ErrNotExist) || g.configFile != "" {
		return c, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return c, fmt.Errorf("create the data directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(c.Data, ownConfig), []byte(demoConfig), 0o600); err != nil {
		return c, fmt.Errorf("configure the data directory: %w", err)
	}
	return g.load()
}

// prepareDemo imports the sample and trains, unless that was done before. The mark
// is written last: an import that was cut off is repeated, which adds only what is missing.
func (g *globals) prepareDemo(ctx context.Context, n *node, sample string) error {
	mark := filepath.Join(n.cfg.Data, "SAMPLE")
	if _, err := os.Stat(mark); errors.Is(err, fs.ErrNotExist) {
		done, err := n.importDataset(ctx, sample, importOptions{format: "movielens", shift: true}, newProgress(g.err))
		if err != nil {
			return err
		}
		fmt.Fprintln(g.out, done)
		if err := os.WriteFile(mark, []byte(done.String()+"\n"), 0o600); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	switch _, err := n.catalog.Current(ctx); {
	case err == nil:
		return nil
	case !errors.Is(err, data.ErrNotFound):
		return err
	}
	p := newProgress(g.err)
	defer p.close()
	t := trainer{cfg: n.cfg, catalog: n.catalog, lake: n.lake, owner: newOwner("demo")}
	out, err := t.lease(ctx, training.RunOptions{Builder: version, Progress: func(stage string, done, total int) { p.at(stage, int64(done), int64(total)) }})
	if err != nil {
		return err
	}
	p.close()
	fmt.Fprintf(g.out, "published %s; report in %s\n", out.Version, filepath.Join(reportsDir(n.cfg), out.Version, "report.html"))
	return nil
}
