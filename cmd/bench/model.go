package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"kindred/cmd/internal/load/madeup"
)

// runModel writes a data directory with a made-up model.
func runModel(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bench model", flag.ContinueOnError)
	c := madeup.Default()
	dir := fs.String("out", "", "data directory, made if it is not there")
	fs.IntVar(&c.Items, "items", c.Items, "items")
	fs.IntVar(&c.Factors, "f", c.Factors, "factors")
	fs.Float64Var(&c.Spread, "spread", c.Spread, "deviation of the logarithm of the norms")
	fs.IntVar(&c.Neighbours, "neighbours", c.Neighbours, "neighbours of an item in itemitem")
	fs.Uint64Var(&c.Seed, "seed", c.Seed, "of everything drawn")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("model: -out is missing; name a directory")
	}
	c.Now = time.Now()
	version, err := madeup.Write(ctx, *dir, c)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is current in %s: %d items × %d\n", version, *dir, c.Items, c.Factors)
	return nil
}
