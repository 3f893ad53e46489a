package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// testEvent is one line of `go test -json` (see `go doc test2json`).
type testEvent struct {
	Action      string
	Package     string
	ImportPath  string // on build-output and build-fail
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
}

// count adds up test events and keeps each test's output until it is known
// whether anyone needs to see it.
type count struct {
	out                     io.Writer
	passed, failed, skipped int
	output                  map[string][]string // by package, or package + " " + test
	open                    map[string]bool     // packages that started and did not finish
}

func newCount(out io.Writer) *count {
	return &count{out: out, output: map[string][]string{}, open: map[string]bool{}}
}

// readAll consumes the stream to its end. A line that is not a test event, such
// as a message of the go command itself, is shown as it is.
func (c *count) readAll(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e testEvent
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprint(c.out, string(line))
			} else {
				c.add(e)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read test events: %w", err)
		}
	}
}

func (c *count) add(e testEvent) {
	key := e.Package
	if e.Test != "" {
		key += " " + e.Test
	}
	switch e.Action {
	case "start":
		c.open[e.Package] = true
	case "build-output":
		fmt.Fprint(c.out, e.Output)
	case "output":
		c.output[key] = append(c.output[key], e.Output)
	case "pass", "fail", "skip":
		c.finish(e, key)
	}
}

func (c *count) finish(e testEvent, key string) {
	defer delete(c.output, key)
	if e.Test == "" {
		delete(c.open, e.Package)
		c.finishPackage(e, key)
		return
	}
	switch e.Action {
	case "pass":
		c.passed++
	case "skip":
		c.skipped++
		fmt.Fprintf(c.out, "SKIP %s %s\n%s", e.Package, e.Test, indent(c.output[key]))
	case "fail":
		c.failed++
		fmt.Fprintf(c.out, "FAIL %s %s\n%s", e.Package, e.Test, indent(c.output[key]))
	}
}

func (c *count) finishPackage(e testEvent, key string) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(c.out, "ok   %-45s %6.1fs\n", e.Package, e.Elapsed)
	case "fail":
		// Its tests were counted one by one; a package that failed without a failed
		// test (a build error, a panic, a race, a time-out) is a failure of its own.
		c.failed++
		fmt.Fprintf(c.out, "FAIL %-45s %6.1fs\n%s", e.Package, e.Elapsed, indent(c.output[key]))
		for k, out := range c.output { // tests that never finished
			if strings.HasPrefix(k, e.Package+" ") {
				fmt.Fprintf(c.out, "FAIL %s (did not finish)\n%s", k, indent(out))
				delete(c.output, k)
			}
		}
	}
}

// close prints the closing line and reports whether the run is good.
func (c *count) close(ci bool) bool {
	for p := range c.open {
		c.failed++
		fmt.Fprintf(c.out, "FAIL %s: the test output ended before this package did\n", p)
	}
	good := c.failed == 0
	if c.passed+c.failed+c.skipped == 0 {
		fmt.Fprintln(c.out, "FAIL: no test ran")
		good = false
	}
	if ci && c.skipped > 0 {
		fmt.Fprintln(c.out, "FAIL: a test was skipped, which is not allowed with CI=true")
		good = false
	}
	fmt.Fprintf(c.out, "%d passed, %d failed, %d skipped\n", c.passed, c.failed, c.skipped)
	return good
}

func indent(lines []string) string {
	s := strings.Join(lines, "")
	if s == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ") + "\n"
}
