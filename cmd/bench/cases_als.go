package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// alsCase is a fit of both sides, an iteration each in turn.
type alsCase struct {
	set        string
	f          int
	alpha      float64
	lambda     float64
	iterations int     // of the peer; the loss to be reached is its after these
	own        int     // ours; more if the loss is not reached by then
	gate       float64 // of the ratio of an iteration
	moonshot   float64
}

func alsCases(quick bool) []caseRun {
	cases := []alsCase{
		{"ml-1m", 64, 5, 20, 15, 15, 5, 12},
		{"ml-1m", 128, 5, 20, 15, 15, 3, 0},
		{"ml-2m", 64, 10, 5, 15, 15, 5, 12},
		{"ml-2m", 128, 10, 5, 15, 15, 0, 0},
		{"ml-20m", 64, 10, 5, 15, 8, 5, 12},
		{"ml-20m", 128, 10, 5, 15, 8, 4.5, 10},
	}
	var runs []caseRun
	for _, a := range cases {
		if quick {
			a.iterations, a.own = 4, 4
			if a.set == "ml-20m" {
				continue
			}
		}
		runs = append(runs, caseRun{
			name:  fmt.Sprintf("als/%s/%d", a.set, a.f),
			title: fmt.Sprintf("ALS on %s, f=%d, α=%v, λ=%v, 2 threads, an iteration of each side in turn", a.set, a.f, a.alpha, a.lambda),
			run:   a.run,
		})
	}
	return runs
}

// flow is what one side of a fit did, by iteration.
type flow struct {
	player *player
	cpu    []float64
	wall   []float64
	loss   []float64
	peak   int64
}

// step has one iteration done, and asks for the loss, which is not counted; where it
// is not wanted it is infinite.
func (f *flow) step(wanted bool) error {
	if f.player == nil {
		return nil
	}
	var it iteration
	loss := struct{ Loss float64 }{math.Inf(1)}
	if err := f.player.ask("step", nil, &it); err != nil {
		return err
	}
	if wanted {
		if err := f.player.ask("loss", nil, &loss); err != nil {
			return err
		}
	}
	f.cpu, f.wall, f.loss, f.peak = append(f.cpu, it.CPU), append(f.wall, it.Wall), append(f.loss, loss.Loss), it.Peak
	return nil
}

// upTo is the processor time of the first iterations.
func (f *flow) upTo(iterations int) float64 {
	sum := 0.0
	for _, c := range f.cpu[:iterations] {
		sum += c
	}
	return sum
}

// last is the loss after the last iteration.
func (f *flow) last() float64 { return f.loss[len(f.loss)-1] }

// reaches is the first iteration, from 1, whose loss is at most the bound; 0 if none.
func (f *flow) reaches(loss float64) int {
	for i, l := range f.loss {
		if l <= loss {
			return i + 1
		}
	}
	return 0
}

func (a alsCase) run(b *bench, c *Case) error {
	data := filepath.Join(b.work, "data", a.set)
	about, err := writeInteractions(b.ctx, a.set, b.datasets, data)
	if err != nil {
		return err
	}
	c.Notes = append(c.Notes, about)
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	var ours, theirs flow
	var setup struct{ Solver string }
	if ours.player, err = b.ours(&setup, "als", "-data", data, "-f", strconv.Itoa(a.f), "-alpha", number(a.alpha), "-lambda", number(a.lambda), "-iterations", strconv.Itoa(a.iterations+1)); err != nil {
		return err
	}
	defer ours.player.stop()
	c.Notes = append(c.Notes, "our solver: "+setup.Solver+"; implicit's: conjugate gradient, 3 steps, its default")
	common := []string{"--data", data, "--alpha", number(a.alpha), "--regularization", number(a.lambda)}
	if theirs.player, err = b.theirs(nil, append([]string{"als", "-f", strconv.Itoa(a.f), "--iterations", strconv.Itoa(a.iterations + 1)}, common...)...); err != nil {
		return err
	}
	if theirs.player != nil {
		defer theirs.player.stop()
	}
	for i := range a.iterations {
		if i < a.own {
			if err := ours.step(true); err != nil {
				return err
			}
		}
		if err := theirs.step(i < a.own || i == a.iterations-1); err != nil {
			return err
		}
	}
	for theirs.player != nil && len(ours.loss) < a.iterations && ours.reaches(theirs.last()) == 0 {
		if err := ours.step(true); err != nil {
			return err
		}
	}
	a.rows(c, &ours, &theirs)
	if theirs.player == nil {
		return nil
	}
	return a.judge(b, c, &ours, &theirs, common)
}

// rows are the figures of the fit itself. The first iteration has the transposition
// of the matrix, too, so it is not among those that are compared.
func (a alsCase) rows(c *Case, ours, theirs *flow) {
	cpu := Row{What: "CPU seconds an iteration", Unit: "s", Name: "implicit", Ours: sampleOf(ours.cpu[1:])}
	wall := Row{What: "wall seconds an iteration", Unit: "s", Name: "implicit", Ours: sampleOf(ours.wall[1:])}
	memory := Row{What: "peak memory, data included", Unit: "MiB", Name: "implicit", Ours: sampleOf([]float64{float64(ours.peak >> 20)})}
	if a.set == "ml-20m" {
		memory.Bound = atMost("ours", 6<<10)
	}
	if a.gate > 0 {
		cpu.Bound = atLeast("ratio", a.gate)
		if a.moonshot > 0 {
			cpu.Bound = atLeast("ratio", a.gate, a.moonshot)
		}
	}
	if len(theirs.cpu) == 0 {
		cpu.Missing, wall.Missing, memory.Missing = noPeer, noPeer, noPeer
		c.Rows = append(c.Rows, cpu, wall, memory)
		for _, i := range a.shown() {
			c.Rows = append(c.Rows, Row{What: fmt.Sprintf("loss after %d iterations", i), Ours: sampleOf(ours.loss[i-1 : i]), Missing: noPeer})
		}
		return
	}
	cpu.Peer, cpu.Ratio = sampleOf(theirs.cpu[1:]), ratioOf(theirs.cpu[1:], ours.cpu[1:])
	wall.Peer, wall.Ratio = sampleOf(theirs.wall[1:]), ratioOf(theirs.wall[1:], ours.wall[1:])
	memory.Peer = sampleOf([]float64{float64(theirs.peak >> 20)})
	c.Rows = append(c.Rows, cpu, wall, memory)

	// "At or below implicit's from iteration 3 on" holds when the least ratio does.
	least := math.Inf(1)
	for i := 2; i < min(len(ours.loss), a.own); i++ {
		least = min(least, theirs.loss[i]/ours.loss[i])
	}
	for _, i := range a.shown() {
		c.Rows = append(c.Rows, Row{
			What: fmt.Sprintf("loss after %d iterations", i), Name: "implicit",
			Ours: sampleOf(ours.loss[i-1 : i]), Peer: sampleOf(theirs.loss[i-1 : i]), Ratio: ratioOf(theirs.loss[i-1:i], ours.loss[i-1:i]),
		})
	}
	c.Rows = append(c.Rows, Row{What: fmt.Sprintf("implicit's loss / ours, the least of iterations 3 to %d", a.own), Ratio: sampleOf([]float64{least}), Bound: atLeast("ratio", 1)})

	reach := Row{
		What: fmt.Sprintf("CPU seconds to the loss that implicit has after %d iterations", len(theirs.loss)), Unit: "s", Name: "implicit",
		Peer: sampleOf([]float64{theirs.upTo(len(theirs.cpu))}), Bound: atLeast("ratio", 5, 20),
	}
	if at := ours.reaches(theirs.last()); at > 0 {
		reach.Ours = sampleOf([]float64{ours.upTo(at)})
		reach.Ratio = sampleOf([]float64{theirs.upTo(len(theirs.cpu)) / ours.upTo(at)})
		c.Notes = append(c.Notes, fmt.Sprintf("we reach it in iteration %d", at))
	} else {
		reach.Missing = "we did not reach it in as many iterations"
	}
	c.Rows = append(c.Rows, reach)
}

// shown are the iterations whose loss has a row.
func (a alsCase) shown() (at []int) {
	for _, i := range []int{1, 3, 6, 15} {
		if i <= a.own {
			at = append(at, i)
		}
	}
	return at
}

// judge has implicit's own code look at the factors of both sides: the loss, which must
// be the one that each side says, and NDCG@100 where something was held out.
func (a alsCase) judge(b *bench, c *Case, ours, theirs *flow, common []string) error {
	var setup struct {
		HeldOut bool `json:"held_out"`
	}
	judge, err := b.theirs(&setup, append([]string{"judge"}, common...)...)
	if err != nil {
		return err
	}
	defer judge.stop()
	row := Row{What: fmt.Sprintf("NDCG@100 on the held-out fifth after %d iterations, theirs less ours", a.iterations), Name: "implicit", Bound: atMost("difference", .001)}
	var ndcg [2]float64
	for i, side := range []*flow{ours, theirs} {
		dir, err := os.MkdirTemp(b.work, "factors")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := side.player.ask("save", dir, nil); err != nil {
			return err
		}
		var judged struct{ Loss, NDCG float64 }
		if err := judge.ask("loss", dir, &judged); err != nil {
			return err
		}
		said := side.last()
		if off := judged.Loss/said - 1; max(off, -off) > 1e-4 {
			c.Notes = append(c.Notes, fmt.Sprintf("THE LOSSES DO NOT AGREE: side %d says %g, implicit's code %g", i, said, judged.Loss))
		}
		if setup.HeldOut {
			if err := judge.ask("ndcg", dir, &judged); err != nil {
				return err
			}
			ndcg[i] = judged.NDCG
		}
	}
	if setup.HeldOut {
		row.Ours, row.Peer = sampleOf(ndcg[:1]), sampleOf(ndcg[1:])
		c.Rows = append(c.Rows, row)
	}
	return nil
}
