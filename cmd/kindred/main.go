// Command kindred is a recommendation and segmentation server and its tools in
// one binary: serve, import, train, evaluate, export, replay, models, config.
//
// main only wires: it opens the stores, hands them to the rooms that do the
// work, and turns their errors into exit codes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker (see Makefile).
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() { // a second signal ends the process at once
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, os.Environ()))
}
