// Command bench measures Kindred beside its peers and writes docs/benchmarks.md.
//
// A comparison starts both sides as processes of their own: ours is this program
// again (`bench side …`), the other is deploy/bench/peers.py in an environment that
// deploy/bench/peers.sh makes. Both read the same files, and speak one protocol: a
// line of JSON asks for one unit of work (an iteration, a round of queries), a line
// answers what it took. The driver asks them in turn, A B A B, so that whatever else the
// machine does meanwhile meets both. Processor time is the main figure: wall time
// on a shared machine says more about the neighbours.
//
// Results are kept in docs/benchmarks.json, a case each, which is committed beside the
// document that is rendered from it: running a part again replaces only that part.
//
//	bench peers  -work DIR [-datasets DIR] [-python P] [-only CASES]   both sides
//	bench http   -work DIR [-kindred BIN] [-only CASES]                a server under load
//	bench gobench -work DIR                                            Go benchmarks worth a row
//	bench render -results docs/benchmarks.json -out docs/benchmarks.md the document
//	bench model  -out DIR -items N                                     a data directory with a made-up model
//	bench data   -set ml-20m -out DIR                                  interactions as .npy files
//	bench vectors -items N -out DIR                                    item factors and queries as .npy files
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// command is one subcommand.
type command struct {
	name  string
	about string
	run   func(ctx context.Context, args []string, out io.Writer) error
}

func commands() []command {
	return []command{
		{"peers", "measure our side and the peers', in turn", runPeers},
		{"http", "start a server with a made-up model and load it", runHTTP},
		{"gobench", "run the Go benchmarks that have a row in the document", runGoBench},
		{"render", "write the document from the results", runRender},
		{"model", "write a data directory with a made-up, promoted model", runModel},
		{"data", "write interactions as .npy files", runData},
		{"vectors", "write item factors and queries as .npy files", runVectors},
		{"side", "be our side of a comparison, asked on standard input", runSide},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := dispatch(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// dispatch runs the subcommand that args name.
func dispatch(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
		for _, c := range commands() {
			fmt.Fprintf(out, "bench %-8s %s\n", c.name, c.about)
		}
		fmt.Fprintln(out, "bench COMMAND -h lists a command's flags")
		return nil
	}
	var names []string
	for _, c := range commands() {
		if args[0] == c.name {
			if err := c.run(ctx, args[1:], out); !errors.Is(err, flag.ErrHelp) {
				return err
			}
			return nil
		}
		names = append(names, c.name)
	}
	return fmt.Errorf("there is no %q; use one of %s", args[0], strings.Join(names, ", "))
}
