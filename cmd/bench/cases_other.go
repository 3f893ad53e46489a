package main

import (
	"fmt"
	"path/filepath"
	"strconv"
)

// otherCases are fold-in and the inverse that EASE needs.
func otherCases(quick bool) []caseRun {
	n, history := 12_000, 200
	if quick {
		n = 1000
	}
	var runs []caseRun
	for _, f := range []int{64, 128} {
		runs = append(runs, caseRun{
			name:  fmt.Sprintf("foldin/%d", f),
			title: fmt.Sprintf("fold-in of %d interactions, f=%d, one person at a time on one thread", history, f),
			run:   func(b *bench, c *Case) error { return foldInCase(b, c, f, history) },
		})
	}
	return append(runs, caseRun{
		name:  "ease/" + short(n),
		title: fmt.Sprintf("inverse of a Gram matrix of %d items in float32, one thread", n),
		run:   func(b *bench, c *Case) error { return easeCase(b, c, n) },
	})
}

// foldInCase compares with implicit's recalculate_user.
func foldInCase(b *bench, c *Case, f, length int) error {
	data := filepath.Join(b.work, "data", "ml-2m")
	if _, err := writeInteractions(b.ctx, "ml-2m", "", data); err != nil {
		return err
	}
	ours, err := b.ours(nil, "foldin", "-data", data, "-out", data, "-f", strconv.Itoa(f), "-history", strconv.Itoa(length))
	if err != nil {
		return err
	}
	defer ours.stop()
	theirs, err := b.theirs(nil, "foldin", "--data", data, "--alpha", "10", "--regularization", "5")
	if err != nil {
		return err
	}
	var a, p rounds
	for range b.repeats {
		if err := a.ask(ours, nil); err != nil {
			return err
		}
		if theirs != nil {
			if err := p.ask(theirs, nil); err != nil {
				return err
			}
		}
	}
	row := Row{What: "CPU microseconds a person", Unit: "µs", Name: "implicit", Ours: sampleOf(thousandfold(a.cpu))}
	if row.Bound = atMost("ours", 25, 6); f == 128 {
		row.Bound = atMost("ours", 50, 12)
	}
	if theirs == nil {
		row.Missing = noPeer
		c.Rows = append(c.Rows, row)
		return nil
	}
	defer theirs.stop()
	row.Peer, row.Ratio = sampleOf(thousandfold(p.cpu)), ratioOf(p.cpu, a.cpu)
	c.Rows = append(c.Rows, row)
	return foldInAgree(c, ours, theirs, data)
}

// foldInAgree says how far apart the two sides' factors are.
func foldInAgree(c *Case, ours, theirs *player, dir string) error {
	mine, other := filepath.Join(dir, "folded_ours.npy"), filepath.Join(dir, "folded_theirs.npy")
	if err := ours.ask("save", mine, nil); err != nil {
		return err
	}
	if err := theirs.ask("save", other, nil); err != nil {
		return err
	}
	x, _, err := readNPY[float32](mine)
	if err != nil {
		return err
	}
	y, _, err := readNPY[float32](other)
	if err != nil {
		return err
	}
	difference, size := 0.0, 0.0
	for i, v := range x {
		d := float64(v - y[i])
		difference, size = difference+d*d, size+float64(v)*float64(v)
	}
	c.Notes = append(c.Notes, fmt.Sprintf("the two sides' factors differ by %.1e of their length, squared", difference/size))
	return nil
}

// thousandfold turns milliseconds into microseconds.
func thousandfold(ms []float64) []float64 {
	us := make([]float64, len(ms))
	for i, v := range ms {
		us[i] = v * 1000
	}
	return us
}

// easeCase compares with LAPACK's spotrf and spotri.
func easeCase(b *bench, c *Case, n int) error {
	dir := filepath.Join(b.work, "data", "gram-"+short(n))
	if err := writeGram(dir, n); err != nil {
		return err
	}
	ours, err := b.ours(nil, "ease", "-data", dir)
	if err != nil {
		return err
	}
	defer ours.stop()
	theirs, err := b.theirs(nil, "ease", "--data", dir)
	if err != nil {
		return err
	}
	if theirs != nil {
		defer theirs.stop()
	}
	type inverted struct {
		cost
		Residual float64
		Peak     int64
	}
	var a, p []float64
	var last, other inverted
	for range min(b.repeats, 5) {
		if err := ours.ask("invert", nil, &last); err != nil {
			return err
		}
		a = append(a, last.CPU)
		if theirs != nil {
			if err := theirs.ask("invert", nil, &other); err != nil {
				return err
			}
			p = append(p, other.CPU)
		}
	}
	row := Row{What: "CPU seconds", Unit: "s", Name: "OpenBLAS (SciPy), spotrf and spotri", Ours: sampleOf(a), Bound: atLeast("ratio", 1/1.3, 1)}
	residual := Row{What: "‖G·G⁻¹v − v‖ / ‖v‖", Name: "OpenBLAS", Ours: sampleOf([]float64{last.Residual})}
	if theirs == nil {
		row.Missing, residual.Missing = noPeer, noPeer
	} else {
		row.Peer, row.Ratio = sampleOf(p), ratioOf(p, a)
		residual.Peer = sampleOf([]float64{other.Residual})
	}
	c.Rows = append(c.Rows, row, residual)
	c.Notes = append(c.Notes, "the Gram matrix of the ml-20m shape's most used items, λ = 500 on the diagonal")
	return nil
}
