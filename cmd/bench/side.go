package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// side is one side of a comparison: named pieces of work that a driver asks for.
// The first answer is setup's.
type side struct {
	setup any
	works map[string]func(arg json.RawMessage) (any, error)
}

// request asks a side for one piece of work.
type request struct {
	Do  string          `json:"do"`
	Arg json.RawMessage `json:"arg,omitempty"`
}

// failure is an answer that says why there is none.
type failure struct {
	Error string `json:"error"`
}

// serve answers requests, a line each, until the input ends.
func (s side) serve(in io.Reader, out io.Writer) error {
	answer := json.NewEncoder(out)
	if err := answer.Encode(s.setup); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("read the request %q: %w", lines.Bytes(), err)
		}
		work := s.works[r.Do]
		if work == nil {
			return fmt.Errorf("there is no work %q", r.Do)
		}
		v, err := work(r.Arg)
		if err != nil {
			v = failure{err.Error()}
		}
		if err := answer.Encode(v); err != nil {
			return err
		}
	}
	return lines.Err()
}

// runSide is our side, in a process of its own.
func runSide(ctx context.Context, args []string, out io.Writer) error {
	kinds := map[string]func(context.Context, []string) (side, error){
		"als": alsSide, "topk": topkSide, "foldin": foldInSide, "ease": easeSide, "cluster": clusterSide,
	}
	if len(args) == 0 || kinds[args[0]] == nil {
		return errors.New("side: say which: als, topk, foldin, ease or cluster")
	}
	s, err := kinds[args[0]](ctx, args[1:])
	if err != nil {
		return err
	}
	return s.serve(os.Stdin, out)
}
