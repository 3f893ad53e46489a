// Command testcount reads the output of `go test -json` on standard input,
// shows packages as they finish and everything that a failed test printed, and
// ends with one line that counts tests: "N passed, N failed, N skipped".
//
// Its exit status is 0 when nothing failed, and 1 when a test or package failed,
// when the input was cut off, or when no test ran at all. With CI=true a skipped
// test is a failure too: in continuous integration nothing may be missing quietly.
package main

import (
	"fmt"
	"os"
)

func main() {
	c := newCount(os.Stdout)
	if err := c.readAll(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		os.Exit(1)
	}
	if !c.close(os.Getenv("CI") == "true") {
		os.Exit(1)
	}
}
