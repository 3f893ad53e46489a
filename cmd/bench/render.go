package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// chapter is one part of the document: the cases whose names begin with its key.
type chapter struct {
	key, title, about string
}

// chapters are the document's, in order. A chapter without results says so.
func chapters() []chapter {
	return []chapter{
		{"als", "Training: alternating least squares", "One iteration is a half-step for people and one for items. Both sides minimise the loss of Hu, Koren & Volinsky with the same " +
			"confidences and regularization, and the loss is implicit's formula on both sides' factors as they stand after an iteration. " +
			"The medians leave out the first iteration, which transposes the matrix; the time to a loss has it."},
		{"topk", "Retrieval: exact top 100", "The answers are the same rows, order and scores as a full sort's, for every query. “Reading all codes once” is a vectorised pass (bytes.Count) over as many bytes as the int8 index has codes."},
		{"foldin", "Fold-in of a new person", ""},
		{"ease", "EASE: the inverse", ""},
		{"gobench", "In process", "Go benchmarks of this repository; the command is beside the case."},
		{"http", "Over HTTP", "`kindred load` drives `kindred serve` on the same machine over loopback, so the generator's own work is in every figure; its share is in the notes. " +
			"The model is made up: factors with the given spread of norms, and item-item, content and popularity beside them."},
	}
}

// runRender writes the document.
func runRender(ctx context.Context, args []string, out io.Writer) error {
	b := &bench{}
	fs := b.flags("bench render")
	to := fs.String("out", "docs/benchmarks.md", "the document; with -quick it is in the work directory")
	if err := b.start(ctx, fs, args, out); err != nil {
		return err
	}
	if b.quick {
		*to = filepath.Join(b.work, "benchmarks.md")
	}
	r, err := readResults(b.results)
	if err != nil {
		return err
	}
	if len(r.Cases) == 0 {
		return errors.New("render: there are no results; run make bench-peers or make bench-http")
	}
	if err := os.MkdirAll(filepath.Dir(*to), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(*to, r.markdown(), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d cases in %s\n", len(r.Cases), *to)
	return nil
}

const preamble = `# Benchmarks

Every figure on this page was measured by a run of the command beside it; nothing was written by hand, and a row that
could not be measured says why. Both sides of a comparison are processes of their own that read the same files and are
asked for one unit of work in turn, A B A B, so that what else the machine did met both. The main figure is processor
time (user and system, all threads), because wall time on a shared machine says more about its neighbours. Figures are
medians, with the middle half in parentheses; a ratio is the median of the ratios of neighbouring pairs, and more is
better for Kindred. “gate” is what the project holds itself to, “moonshot” what it would like.

` + "```" + `
make bench-peers [DATASETS=DIR]    # beside implicit, hnswlib and SciPy from PyPI; DIR holds ml-1m
make bench-http                    # a server with made-up models, driven by kindred load
make bench                         # every Go benchmark, in the form that benchstat reads
` + "```" + `

A part is run again with its case's command; the other parts of this page stay as they are.
`

// markdown is the document.
func (r Results) markdown() []byte {
	var b bytes.Buffer
	b.WriteString(preamble)
	r.summary(&b)
	r.machines(&b)
	var keys []string
	for _, c := range chapters() {
		keys = append(keys, c.key)
	}
	names := r.names(keys)
	for _, c := range chapters() {
		fmt.Fprintf(&b, "\n## %s\n", c.title)
		if c.about != "" {
			fmt.Fprintf(&b, "\n%s\n", c.about)
		}
		any := false
		for _, name := range names {
			if first, _, _ := strings.Cut(name, "/"); first == c.key {
				any = true
				r.Cases[name].markdown(&b, name)
			}
		}
		if !any {
			b.WriteString("\nNot measured yet.\n")
		}
	}
	return b.Bytes()
}

// summary counts verdicts and names what was missed.
func (r Results) summary(b *bytes.Buffer) {
	count := map[string]int{}
	var open []string
	for _, name := range r.names(nil) {
		for _, row := range r.Cases[name].Rows {
			v := row.verdict()
			count[v]++
			if v == Missed || v == Unknown {
				open = append(open, fmt.Sprintf("%s: %s", name, row.What))
			}
		}
	}
	fmt.Fprintf(b, "\nOf %d rows with a gate, %d reach it and %d of those the moonshot, too; %d miss it, and %d were not measured.\n",
		count[Met]+count[Beyond]+count[Missed]+count[Unknown], count[Met]+count[Beyond], count[Beyond], count[Missed], count[Unknown])
	if len(open) > 0 {
		b.WriteString("Missed or not measured:\n\n")
		for _, line := range open {
			fmt.Fprintf(b, "- %s\n", line)
		}
	}
}

// machines tells where and with what it was measured, once for each that occurs.
func (r Results) machines(b *bytes.Buffer) {
	seen := map[string][]string{}
	for _, name := range r.names(nil) {
		c := r.Cases[name]
		m := c.Machine
		text := fmt.Sprintf("%s, %d cores, %.0f GiB, %s, %s; kernels: %s (%s)", m.CPU, m.Cores, float64(m.Memory)/(1<<30), m.OS, m.Go, m.Kernels, m.Flags)
		seen[text] = append(seen[text], name)
	}
	b.WriteString("\n## Machine and versions\n\n")
	for _, text := range slices.Sorted(maps.Keys(seen)) {
		fmt.Fprintf(b, "- %s", text)
		if len(seen) > 1 {
			fmt.Fprintf(b, ": %s", strings.Join(seen[text], ", "))
		}
		b.WriteString("\n")
	}
	peers := map[string][]string{}
	for _, name := range r.names(nil) {
		if p := r.Cases[name].Peers; len(p) > 0 {
			var parts []string
			for _, lib := range slices.Sorted(maps.Keys(p)) {
				parts = append(parts, lib+" "+p[lib])
			}
			text := strings.Join(parts, ", ")
			peers[text] = append(peers[text], name)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(peers)) {
		fmt.Fprintf(b, "- peers: %s; with OPENBLAS_NUM_THREADS=1", text)
		if len(peers) > 1 {
			fmt.Fprintf(b, ": %s", strings.Join(peers[text], ", "))
		}
		b.WriteString("\n")
	}
	if len(peers) == 0 {
		b.WriteString("- peers: none were installed\n")
	}
}

// markdown is one case.
func (c Case) markdown(b *bytes.Buffer, name string) {
	fmt.Fprintf(b, "\n### %s\n\n%s. `%s`, %s, %s.\n\n", name, c.Title, c.Command, c.At.Format("2006-01-02"), c.Machine.Version)
	b.WriteString("| | Kindred | peer | ratio | gate | moonshot | |\n|---|---|---|---|---|---|---|\n")
	for _, r := range c.Rows {
		if r.Missing != "" && r.Ours == nil && r.Peer == nil {
			fmt.Fprintf(b, "| %s | missing: %s | | | %s | %s | %s |\n", r.What, oneLine(r.Missing), r.gate(), r.moonshot(), r.verdict())
			continue
		}
		peer := r.Peer.cell(r.Unit)
		switch {
		case r.Peer != nil && r.Name != "":
			peer += " " + r.Name
		case r.Missing != "":
			peer = "missing: " + oneLine(r.Missing)
		}
		ratio := ""
		if r.Ratio != nil {
			ratio = r.Ratio.cell("×")
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.What, r.Ours.cell(r.Unit), peer, ratio, r.gate(), r.moonshot(), r.verdict())
	}
	for i, note := range c.Notes {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "- %s\n", oneLine(note))
	}
}

// cell is a sample with its unit and middle half.
func (s *Sample) cell(unit string) string {
	if s == nil {
		return ""
	}
	gap := " "
	if unit == "" || unit == "×" {
		gap = ""
	}
	text := digits(s.Median) + gap + unit
	if s.N > 1 {
		text += fmt.Sprintf(" (%s to %s)", digits(s.Low), digits(s.High))
	}
	return text
}

// gate and moonshot are the bound in words.
func (r Row) gate() string {
	if r.Bound == nil {
		return ""
	}
	return r.Bound.words(r.Bound.Gate, r.Unit)
}

func (r Row) moonshot() string {
	if r.Bound == nil || r.Bound.Moonshot == nil {
		return ""
	}
	return r.Bound.words(*r.Bound.Moonshot, r.Unit)
}

func (b *Bound) words(v float64, unit string) string {
	sign := "≤ "
	if b.Least {
		sign = "≥ "
	}
	switch {
	case b.Of == "ratio":
		unit = "×"
	case b.Of == "difference" || unit == "":
		unit = ""
	default:
		unit = " " + unit
	}
	return sign + digits(v) + unit
}

// oneLine keeps a text from breaking a table.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return strings.ReplaceAll(s, "|", "/")
}
