package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"kindred/data/dataset"
	"kindred/model/sparse"
)

// runData writes one set of interactions.
func runData(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bench data", flag.ContinueOnError)
	set := fs.String("set", "ml-20m", "ml-1m (needs -datasets), ml-2m or ml-20m")
	datasets := fs.String("datasets", "", "directory that holds ml-1m")
	dir := fs.String("out", "", "directory for the .npy files")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return fmt.Errorf("data: -out is missing; name a directory")
	}
	about, err := writeInteractions(ctx, *set, *datasets, *dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, about)
	return nil
}

// splitSeed draws which fifth of ML-1M is held out.
const splitSeed = 1

// writeInteractions writes the set into dir, as indptr and indices of a CSR matrix
// (and of the held-out part), unless they are there, and says what it is.
func writeInteractions(ctx context.Context, set, datasets, dir string) (about string, err error) {
	done := filepath.Join(dir, "about.txt")
	if b, err := os.ReadFile(done); err == nil {
		return string(b), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	var train, test *sparse.CSR
	from := "generated, seed 1"
	switch set {
	case "ml-1m":
		if datasets == "" {
			return "", errNoDatasets
		}
		if train, test, err = readML1M(ctx, filepath.Join(datasets, "ml-1m")); err != nil {
			return "", err
		}
		from = "MovieLens 1M, every rating an interaction, four fifths at random (seed 1)"
	case "ml-2m":
		train = ml2m().generate()
	case "ml-20m":
		train = ml20m().generate()
	default:
		return "", fmt.Errorf("data: there is no set %q; use ml-1m, ml-2m or ml-20m", set)
	}
	if err := writeCSR(dir, "", train); err != nil {
		return "", err
	}
	if test != nil {
		if err := writeCSR(dir, "test_", test); err != nil {
			return "", err
		}
	}
	about = fmt.Sprintf("%s: %d people × %d items, %d interactions (%s)", set, train.Rows, train.Cols, train.NNZ(), from)
	return about, os.WriteFile(done, []byte(about), 0o600)
}

// readML1M reads the ratings as interactions and holds a random fifth of them out.
func readML1M(ctx context.Context, dir string) (train, test *sparse.CSR, err error) {
	ds, err := dataset.Read(ctx, "movielens", dataset.Options{Path: dir, Now: time.Now()})
	if err != nil {
		return nil, nil, err
	}
	random := rand.New(rand.NewPCG(splitSeed, 0))
	people, items := map[string]int32{}, map[string]int32{}
	rowOf := func(rows map[string]int32, id string) int32 {
		row, ok := rows[id]
		if !ok {
			row = int32(len(rows))
			rows[id] = row
		}
		return row
	}
	var kept, held []sparse.Triple
	for _, a := range ds.Interactions {
		t := sparse.Triple{Row: rowOf(people, string(a.User)), Col: rowOf(items, string(a.Item)), Val: 1}
		if random.IntN(5) == 0 {
			held = append(held, t)
		} else {
			kept = append(kept, t)
		}
	}
	return sparse.FromTriples(len(people), len(items), kept), sparse.FromTriples(len(people), len(items), held), nil
}

// writeCSR writes the positions of a matrix; values are all 1.
func writeCSR(dir, prefix string, m *sparse.CSR) error {
	if err := writeNPY(filepath.Join(dir, prefix+"shape.npy"), []int64{int64(m.Rows), int64(m.Cols)}, 2); err != nil {
		return err
	}
	if err := writeNPY(filepath.Join(dir, prefix+"indptr.npy"), m.Ptr, len(m.Ptr)); err != nil {
		return err
	}
	return writeNPY(filepath.Join(dir, prefix+"indices.npy"), m.Col, len(m.Col))
}

// readCSR reads it back, with value everywhere.
func readCSR(dir, prefix string, value float32) (*sparse.CSR, error) {
	shape, _, err := readNPY[int64](filepath.Join(dir, prefix+"shape.npy"))
	if err != nil {
		return nil, err
	}
	m := &sparse.CSR{Rows: int(shape[0]), Cols: int(shape[1])}
	if m.Ptr, _, err = readNPY[int64](filepath.Join(dir, prefix+"indptr.npy")); err != nil {
		return nil, err
	}
	if m.Col, _, err = readNPY[int32](filepath.Join(dir, prefix+"indices.npy")); err != nil {
		return nil, err
	}
	m.Val = make([]float32, len(m.Col))
	for i := range m.Val {
		m.Val[i] = value
	}
	return m, m.Validate()
}
