package main

import (
	"fmt"
	"path/filepath"
	"strconv"
)

// topKCase is top 100 of made-up factors.
type topKCase struct {
	items   int
	spread  float64
	queries int
	efs     []int // of hnswlib; empty leaves it out
}

// hnswEFs are the beam widths that hnswlib is asked with.
var hnswEFs = []int{100, 200, 400, 800, 1600}

func topKCases(quick bool) []caseRun {
	sizes := []struct{ n, queries int }{{100_000, 200}, {1_000_000, 100}}
	if quick {
		sizes = sizes[:1]
		sizes[0].n, sizes[0].queries = 20_000, 20
	}
	var runs []caseRun
	for _, s := range sizes {
		for _, spread := range []float64{0, .3, .6} {
			c := topKCase{s.n, spread, s.queries, hnswEFs}
			runs = append(runs, caseRun{
				name:  fmt.Sprintf("topk/%s/%v", short(s.n), spread),
				title: fmt.Sprintf("exact top 100 of %d items × 64, spread of norms %v, one query at a time on one thread", s.n, spread),
				run:   c.run,
			})
		}
	}
	return runs
}

// short is 100k or 1m.
func short(n int) string {
	if n >= 1_000_000 {
		return strconv.Itoa(n/1_000_000) + "m"
	}
	return strconv.Itoa(n/1000) + "k"
}

// rounds are the costs of one query, by round.
type rounds struct{ cpu, wall []float64 }

// ask has one round done and adds its cost.
func (r *rounds) ask(p *player, arg any) error {
	var c cost
	if err := p.ask("round", arg, &c); err != nil {
		return err
	}
	r.cpu, r.wall = append(r.cpu, c.CPU*1000), append(r.wall, c.Wall*1000)
	return nil
}

func (t topKCase) run(b *bench, c *Case) error {
	dir := filepath.Join(b.work, "data", fmt.Sprintf("vectors-%s-%v", short(t.items), t.spread))
	if err := writeVectors(dir, t.items, 64, t.queries, t.spread); err != nil {
		return err
	}
	c.Notes = append(c.Notes, fmt.Sprintf("factors and %d queries from model/retrieve/retrievetest, seed %d; a round answers all queries, the figures are of one", t.queries, vectorSeed))
	var built struct{ CPU float64 }
	ours, err := b.ours(&built, "topk", "-vectors", dir)
	if err != nil {
		return err
	}
	defer ours.stop()
	implicit, err := b.theirs(nil, "topk", "--vectors", dir, "--library", "implicit")
	if err != nil {
		return err
	}
	var hnswBuilt struct{ CPU float64 }
	var hnsw *player
	if implicit != nil {
		defer implicit.stop()
		if len(t.efs) > 0 {
			if hnsw, err = b.theirs(&hnswBuilt, "topk", "--vectors", dir, "--library", "hnswlib"); err != nil {
				return err
			}
			defer hnsw.stop()
		}
	}

	var exact struct{ Recall, Differ float64 }
	truth := filepath.Join(dir, "truth.npy")
	if err := ours.ask("exact", truth, &exact); err != nil {
		return err
	}
	var plain, half, tenth, streamed, theirs rounds
	beams := make([]rounds, len(t.efs))
	var scan struct{ Rescored, Scanned float64 }
	for range b.repeats {
		for _, r := range []struct {
			to  *rounds
			arg string
		}{{&plain, "plain"}, {&half, "half"}, {&tenth, "tenth"}, {&streamed, "stream"}} {
			if err := r.to.ask(ours, r.arg); err != nil {
				return err
			}
		}
		if implicit != nil {
			if err := theirs.ask(implicit, nil); err != nil {
				return err
			}
		}
		for i, ef := range t.efs {
			if hnsw != nil {
				if err := beams[i].ask(hnsw, ef); err != nil {
					return err
				}
			}
		}
	}
	if err := ours.ask("round", "plain", &scan); err != nil {
		return err
	}
	c.Notes = append(c.Notes, fmt.Sprintf("of the items, %.1f %% of the codes were read and %.0f exact scores computed a query", 100*scan.Scanned, scan.Rescored))
	t.rows(c, plain, streamed, theirs, exact.Recall)
	for _, filtered := range []struct {
		part string
		r    rounds
	}{{"half", half}, {"a tenth", tenth}} {
		c.Rows = append(c.Rows, Row{
			What: "with a category of " + filtered.part + " of the items and 200 exclusions / without",
			Ours: ratioOf(filtered.r.cpu, plain.cpu), Bound: atMost("ours", 1.1),
		})
	}
	if exact.Differ > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%.0f OF OUR ANSWERS DIFFER FROM THE FULL SORT", exact.Differ))
	}
	build := Row{What: "CPU seconds to build the index", Unit: "s", Name: "hnswlib", Ours: sampleOf([]float64{built.CPU})}
	if hnsw == nil {
		build.Missing = noPeer
		c.Rows = append(c.Rows, build)
		return nil
	}
	build.Peer, build.Ratio = sampleOf([]float64{hnswBuilt.CPU}), ratioOf([]float64{hnswBuilt.CPU}, []float64{built.CPU})
	c.Rows = append(c.Rows, build)
	reached := false
	for i, ef := range t.efs {
		var got struct{ Recall float64 }
		if err := hnsw.ask("recall", map[string]any{"ef": ef, "truth": truth}, &got); err != nil {
			return err
		}
		row := Row{
			What: fmt.Sprintf("hnswlib with ef=%d, recall %.3f", ef, got.Recall), Unit: "ms", Name: "hnswlib",
			Ours: sampleOf(plain.cpu), Peer: sampleOf(beams[i].cpu), Ratio: ratioOf(beams[i].cpu, plain.cpu),
		}
		if got.Recall >= .9 && !reached {
			reached = true
			row.Bound = atLeast("ratio", 1)
		}
		c.Rows = append(c.Rows, row)
	}
	if !reached {
		c.Notes = append(c.Notes, fmt.Sprintf("hnswlib does not reach a recall of .90 with ef=%d, so it takes longer than that row says", t.efs[len(t.efs)-1]))
		c.Rows[len(c.Rows)-1].Bound = atLeast("ratio", 1)
	}
	return nil
}

// rows are our own figures beside implicit's.
func (t topKCase) rows(c *Case, plain, streamed, theirs rounds, recall float64) {
	query := Row{What: "CPU milliseconds a query, beside implicit's recommend", Unit: "ms", Name: "implicit", Ours: sampleOf(plain.cpu)}
	if t.items == 100_000 {
		query.Bound = atMost("ours", .3, .1)
	}
	if len(theirs.cpu) > 0 {
		query.Peer, query.Ratio = sampleOf(theirs.cpu), ratioOf(theirs.cpu, plain.cpu)
	} else {
		query.Missing = noPeer
	}
	c.Rows = append(c.Rows, query,
		Row{What: "recall of our answers against the full sort", Ours: sampleOf([]float64{recall}), Bound: atLeast("ours", 1)})
	read := Row{What: "our query / reading all codes once", Ours: ratioOf(plain.cpu, streamed.cpu)}
	if t.items == 1_000_000 {
		read.Bound = atMost("ours", 1.3)
		if t.spread >= .5 {
			read.Bound = atMost("ours", .2, .08)
		}
	}
	c.Rows = append(c.Rows, read, Row{What: "CPU milliseconds to read all codes once", Unit: "ms", Ours: sampleOf(streamed.cpu)})
}
