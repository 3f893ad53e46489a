package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kindred/training/describe"
)

// describeCommand is what a training run calls its own program with, to grow trees.
const describeCommand = "describe-hand"

// growWithin bounds the process that grows trees: clusters without a proposed rule are better than
// a training run that does not end.
const growWithin = 60 * time.Second

// growMemory is the memory limit of that process.
const growMemory = "GOMEMLIMIT=256MiB"

// newDescribeHand is no command for people.
func newDescribeHand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: describeCommand, Short: "Grow trees for the training run that started this process", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return describe.Child(cmd.Context(), g.in, g.out) },
	}
}

// growBeside is describe.Grow in a child process of this program, which no panic of golearn outlives.
func growBeside(ctx context.Context, samples []describe.Sample) ([]*describe.Node, error) {
	text, err := json.Marshal(samples)
	if err != nil {
		return nil, fmt.Errorf("grow trees: %w", err)
	}
	limited, stop := context.WithTimeout(ctx, growWithin)
	defer stop()
	var out, said bytes.Buffer
	c := exec.CommandContext(limited, thisProgram(), describeCommand)
	c.Args[0] = os.Args[0]
	c.Env = append(os.Environ(), growMemory, "GOMAXPROCS=1")
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(text), &out, &said
	if err := c.Run(); err != nil {
		if limited.Err() != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("grow trees: not done within %v", growWithin)
		}
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return nil, fmt.Errorf("grow trees: %w: %s", err, first)
	}
	var trees []*describe.Node
	if err := json.Unmarshal(out.Bytes(), &trees); err != nil {
		return nil, fmt.Errorf("grow trees: read the answer: %w", err)
	}
	return trees, nil
}
