// Gen writes the assembly of model/kernel with avo: for every entry of files the file
// NAME_amd64.s and its declarations NAME_stub_amd64.go in the directory above. It is a module of
// its own, so that the program itself does not depend on avo.
//
//	cd model/kernel/gen && go run .          write all files (make generate)
//	cd model/kernel/gen && go run . -check   fail where a file is not what would be written
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/mmcloughlin/avo/build"
)

// files says which function writes which file.
var files = []struct {
	name  string
	write func()
}{
	{"dot", dot},
	{"normal", normal},
	{"cg", cg},
	{"double", double},
	{"half", half},
	{"gather", gather},
	{"gram", gram},
	{"syrk", syrk},
	{"rotate", rotate},
	{"cholesky", cholesky},
	{"gemm", gemm},
	{"scan", scan},
	{"scan_dots", dotRows},
	{"centroid", centroid},
}

func main() {
	check := flag.Bool("check", false, "compare with the files instead of writing them")
	only := flag.String("only", "", "write the file of this name alone, to -out and -stubs")
	flag.Parse() // with the flags that avo itself adds
	if *only != "" {
		for _, f := range files {
			if f.name == *only {
				one(f.name, f.write)
				return
			}
		}
		fail(fmt.Errorf("no file %q in the table", *only))
	}
	if err := all("..", *check); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gen:", err)
	os.Exit(1)
}

// one writes one file to where the flags -out and -stubs say.
func one(name string, write func()) {
	os.Args = os.Args[:1] // avo would name the arguments, with their paths, in the files' first line
	ConstraintExpr("amd64")
	write()
	Generate()
}

// all runs this program once for every file, since avo builds one a process, and
// compares or replaces what is in dir.
func all(dir string, check bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "gen")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	for _, f := range files {
		code, stubs := f.name+"_amd64.s", f.name+"_stub_amd64.go"
		cmd := exec.Command(self, "-only", f.name, "-pkg", "kernel", "-out", filepath.Join(temp, code), "-stubs", filepath.Join(temp, stubs))
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		for _, file := range []string{code, stubs} {
			if err := put(filepath.Join(dir, file), filepath.Join(temp, file), check); err != nil {
				return err
			}
		}
	}
	return nil
}

// put brings a written file to its place, or only compares.
func put(place, written string, check bool) error {
	want, err := os.ReadFile(written)
	if err != nil {
		return err
	}
	want = bytes.Replace(want, []byte("command: go run main.go."), []byte("model/kernel/gen (make generate)."), 1)
	got, err := os.ReadFile(place)
	if err != nil && (check || !os.IsNotExist(err)) {
		return err
	}
	switch {
	case err == nil && bytes.Equal(got, want):
		return nil
	case check:
		return fmt.Errorf("%s is not what the generator writes; run make generate", place)
	}
	return os.WriteFile(place, want, 0o644)
}
