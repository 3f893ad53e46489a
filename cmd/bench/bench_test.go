package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/model/sparse"
)

func TestArraysAreReadBackAsNumpyWritesThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	want := []float32{1, -2, 3.5, 4, 5, 6}
	if err := writeNPY(path, want, 2, 3); err != nil {
		t.Fatal(err)
	}
	got, shape, err := readNPY[float32](path)
	if err != nil || !slices.Equal(got, want) || !slices.Equal(shape, []int{2, 3}) {
		t.Errorf("%v of shape %v, %v", got, shape, err)
	}
	if _, _, err := readNPY[int32](path); err == nil {
		t.Error("floats were read as integers")
	}
	if err := writeNPY(path, want, 7); err == nil {
		t.Error("six values filled a shape of seven")
	}
	if err := writeNPY(path, []int64(nil), 0); err != nil {
		t.Fatal(err)
	}
	if got, shape, err := readNPY[int64](path); err != nil || len(got) != 0 || !slices.Equal(shape, []int{0}) {
		t.Errorf("nothing came back as %v of shape %v, %v", got, shape, err)
	}
}

func TestInteractionsAreAFunctionOfTheirShape(t *testing.T) {
	shape := crowd{People: 1500, Items: 900, Median: 20, Sigma: 1, Most: 200, Zipf: .75, Seed: 3}
	x := shape.generate()
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(x, shape.generate()); diff != "" {
		t.Error("two generations of one shape differ")
	}
	var lengths []int
	for u := range x.Rows {
		lengths = append(lengths, x.RowLen(u))
	}
	slices.Sort(lengths)
	if median := lengths[len(lengths)/2]; median < 17 || median > 23 || lengths[0] < 1 || lengths[len(lengths)-1] > 200 {
		t.Errorf("people have %d to %d items, %d at the median", lengths[0], lengths[len(lengths)-1], median)
	}
	dir := t.TempDir()
	if err := writeCSR(dir, "", x); err != nil {
		t.Fatal(err)
	}
	back, err := readCSR(dir, "", 1)
	if diff := cmp.Diff(x, back); err != nil || diff != "" {
		t.Errorf("the files hold another matrix: %v", err)
	}
}

func TestOurSideOfAFitStepsAndSaves(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	x := sparse.FromTriples(4, 3, []sparse.Triple{{Row: 0, Col: 0, Val: 1}, {Row: 1, Col: 0, Val: 1}, {Row: 1, Col: 1, Val: 1}, {Row: 2, Col: 2, Val: 1}, {Row: 3, Col: 1, Val: 1}})
	if err := writeCSR(dir, "", x); err != nil {
		t.Fatal(err)
	}
	s, err := alsSide(t.Context(), []string{"-data", dir, "-f", "2", "-lambda", "0.1", "-iterations", "3", "-threads", "1"})
	if err != nil {
		t.Fatal(err)
	}
	save, _ := json.Marshal(out)
	asked := strings.NewReader(`{"do":"loss"}` + "\n" + strings.Repeat(`{"do":"step"}`+"\n"+`{"do":"loss"}`+"\n", 3) + `{"do":"save","arg":` + string(save) + "}\n" + `{"do":"step"}` + "\n")
	var said bytes.Buffer
	if err := s.serve(asked, &said); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) != 10 || !strings.Contains(lines[1], "nothing was fitted") || !strings.Contains(lines[9], "no more iterations") {
		t.Fatalf("it said\n%s", said.String())
	}
	var losses []float64
	for _, i := range []int{3, 5, 7} {
		var l struct{ Loss float64 }
		if err := json.Unmarshal([]byte(lines[i]), &l); err != nil || l.Loss <= 0 {
			t.Fatalf("%s: %v", lines[i], err)
		}
		losses = append(losses, l.Loss)
	}
	if losses[2] > losses[0] {
		t.Errorf("losses %v rise", losses)
	}
	users, shape, err := readNPY[float32](filepath.Join(out, "users.npy"))
	if err != nil || len(users) != 8 || !slices.Equal(shape, []int{4, 2}) {
		t.Errorf("users of shape %v, %v", shape, err)
	}
}

func TestOurSideOfTopKIsExact(t *testing.T) {
	dir := t.TempDir()
	if err := writeVectors(dir, 3000, 16, 5, .6); err != nil {
		t.Fatal(err)
	}
	s, err := topkSide(t.Context(), []string{"-vectors", dir, "-k", "10"})
	if err != nil {
		t.Fatal(err)
	}
	path, _ := json.Marshal(filepath.Join(dir, "truth.npy"))
	var said bytes.Buffer
	in := `{"do":"exact","arg":` + string(path) + "}\n" + `{"do":"round","arg":"plain"}` + "\n" + `{"do":"round","arg":"half"}` + "\n" + `{"do":"round","arg":"stream"}` + "\n" + `{"do":"round","arg":"x"}` + "\n"
	if err := s.serve(strings.NewReader(in), &said); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(said.String(), "\n"); !strings.Contains(lines[1], `"recall":1`) || !strings.Contains(lines[1], `"differ":0`) || !strings.Contains(lines[5], "error") {
		t.Errorf("it said\n%s", said.String())
	}
}

func TestSamplesAndVerdicts(t *testing.T) {
	if s := sampleOf([]float64{4, 1, 3, 2, 5}); *s != (Sample{Median: 3, Low: 2, High: 4, N: 5}) {
		t.Errorf("%+v", s)
	}
	if s := ratioOf([]float64{10, 30, 9}, []float64{1, 2, 0}); *s != (Sample{Median: 12.5, Low: 11.25, High: 13.75, N: 2}) {
		t.Errorf("%+v", s)
	}
	one := func(v float64) *Sample { return sampleOf([]float64{v}) }
	cases := []struct {
		row  Row
		want string
	}{
		{Row{Ratio: one(4), Bound: atLeast("ratio", 5, 12)}, Missed},
		{Row{Ratio: one(5), Bound: atLeast("ratio", 5, 12)}, Met},
		{Row{Ratio: one(13), Bound: atLeast("ratio", 5, 12)}, Beyond},
		{Row{Ours: one(.2), Bound: atMost("ours", .3, .1)}, Met},
		{Row{Ours: one(.4), Bound: atMost("ours", .3, .1)}, Missed},
		{Row{Ours: one(.47), Peer: one(.4705), Bound: atMost("difference", .001)}, Met},
		{Row{Ours: one(.47), Peer: one(.472), Bound: atMost("difference", .001)}, Missed},
		{Row{Ours: one(.47), Bound: atMost("difference", .001)}, Unknown},
		{Row{Bound: atLeast("ratio", 5)}, Unknown},
		{Row{Ours: one(1)}, ""},
	}
	for _, c := range cases {
		if got := c.row.verdict(); got != c.want {
			t.Errorf("%+v with %+v: %q, want %q", c.row, c.row.Bound, got, c.want)
		}
	}
}

func TestTheDocumentSaysWhatWasMeasuredAndWhatWasNot(t *testing.T) {
	results := filepath.Join(t.TempDir(), "benchmarks.json")
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	first := Case{Title: "a fit", At: at, Command: "peers.sh -only als/ml-1m/64", Machine: Machine{CPU: "a chip", Version: "v1"}, Peers: map[string]string{"implicit": "0.7.3"},
		Rows: []Row{
			{What: "CPU", Unit: "s", Name: "implicit", Ours: sampleOf([]float64{1, 2, 3}), Peer: sampleOf([]float64{10, 20, 30}), Ratio: sampleOf([]float64{10}), Bound: atLeast("ratio", 5, 12)},
			{What: "loss", Ours: sampleOf([]float64{.05}), Missing: "no | peers\nhere", Bound: atLeast("ratio", 1)},
			{What: "nothing", Missing: "it failed"},
		}, Notes: []string{"a note"}}
	for name, c := range map[string]Case{"als/ml-1m/128": first, "als/ml-1m/64": first, "topk/1m/0": {Title: "a former run"}} {
		if err := keep(results, name, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := keep(results, "topk/1m/0", Case{Title: "new", At: at}); err != nil { // replaces that one only
		t.Fatal(err)
	}
	r, err := readResults(results)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(r.markdown()), "|  |", "| |")
	text = strings.ReplaceAll(text, "|  |", "| |")
	for _, want := range []string{
		"| CPU | 2.00 s (1.50 to 2.50) | 20.0 s (15.0 to 25.0) implicit | 10.0× | ≥ 5.00× | ≥ 12.0× | met |",
		"| loss | 0.05 | missing: no / peers here | | ≥ 1.00× | | not measured |",
		"| nothing | missing: it failed | | | | | |",
		"`peers.sh -only als/ml-1m/64`, 2026-11-21, v1", "- a note", "implicit 0.7.3", "a chip", "new.", "Not measured yet.",
		"Of 4 rows with a gate, 2 reach it", "- als/ml-1m/64: loss",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	if strings.Contains(text, "a former run") || strings.Index(text, "### als/ml-1m/64\n") > strings.Index(text, "### als/ml-1m/128\n") {
		t.Error("a replaced case is still there, or 128 comes before 64")
	}
}

func TestMistakesOnTheCommandLineAreNamed(t *testing.T) {
	for want, args := range map[string][]string{
		"use one of":                            {"x"},
		"name a directory":                      {"data"},
		"-out is missing":                       {"vectors"},
		"there is no set":                       {"data", "-set", "x", "-out", t.TempDir()},
		"no directory of data sets":             {"data", "-set", "ml-1m", "-out", t.TempDir()},
		"say which":                             {"side", "x"},
		"there are no results":                  {"render", "-work", t.TempDir(), "-results", filepath.Join(t.TempDir(), "none")},
		"there is no such case; there are als/": {"peers", "-work", t.TempDir(), "-only", "als/*,x"},
		"make bench-peers has no such case":     {"peers", "-work", t.TempDir(), "-only", "http/1m"},
		"make bench-http has no such case":      {"http", "-work", t.TempDir(), "-only", "als/*"},
		"flag provided but not defi":            {"peers", "-x"},
	} {
		if err := dispatch(t.Context(), args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if !errors.Is(dispatch(t.Context(), []string{"data", "-set", "ml-1m", "-out", t.TempDir()}, io.Discard), errNoDatasets) {
		t.Error("a missing directory of data sets has no error of its own")
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"-h"}, {"help"}, {"http", "-h"}} {
		var said bytes.Buffer
		if err := dispatch(t.Context(), args, &said); err != nil || len(args) < 2 && !strings.Contains(said.String(), "bench render") {
			t.Errorf("%v: %v, %q", args, err, said.String())
		}
	}
}

func TestWantsFollowsThePatterns(t *testing.T) {
	for _, c := range []struct {
		only string
		name string
		want bool
	}{{"", "als/ml-1m/64", true}, {"als/ml-1m/64", "als/ml-1m/64", true}, {"als/*", "als/ml-1m/64", true}, {"als/ml-1m*", "als/ml-1m/64", true}, {"topk*", "als/ml-1m/64", false}, {"als/ml-1m/6", "als/ml-1m/64", false}} {
		b := &bench{}
		if c.only != "" {
			b.only = strings.Split(c.only, ",")
		}
		if got := b.wants(c.name); got != c.want {
			t.Errorf("-only %q wants %s: %v", c.only, c.name, got)
		}
	}
}
