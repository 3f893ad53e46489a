package evaluate

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Input is what is judged and by whom.
type Input struct {
	Items int // size of the catalogue; rows are in [0, Items)
	Cases []Case
	// Users is how many of People used each item in training, of length Items, for
	// novelty and popularity bias. Nil leaves both out.
	Users  []int32
	People int
	// Similarity compares two items, 1 for equal and 0 for unrelated, for
	// diversity. Nil leaves it out. It is called from several goroutines.
	Similarity func(a, b int32) float64
	Contenders []Contender
}

// Options are the choices of an evaluation.
type Options struct {
	K         []int  // cutoffs, each at least 1
	Seed      uint64 // of the bootstrap
	Resamples int    // of the bootstrap; 1000
	Workers   int    // 0 is one a processor
	// Progress, if not nil, is told how many of total lists are judged.
	Progress func(done, total int)
	// Clock measures wall time; nil is time.Now.
	Clock func() time.Time
}

// Run judges every contender on every case.
//
// Cost is that of the lists, and Resamples × cases for the intervals. The error
// names a malformed case, the contender and person whose list broke the rules of
// Recommender, or is ctx's.
func Run(ctx context.Context, in Input, opt Options) (*Result, error) {
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	if opt.Resamples <= 0 {
		opt.Resamples = 1000
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if err := check(in, opt); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	opt.K = slices.Compact(slices.Sorted(slices.Values(opt.K)))
	res := &Result{Cases: len(in.Cases), Items: in.Items, K: opt.K, Seed: opt.Seed}
	b := &bench{Input: in, Options: opt}
	groups, of := groupsOf(in.Cases)
	res.Groups = groups
	res.Sampled = slices.ContainsFunc(in.Cases, func(c Case) bool { return c.Candidates != nil })
	draws := newDraws(groups, of, opt)
	done, total := 0, 0
	for _, c := range in.Contenders {
		total += len(c.Trials) * len(in.Cases)
	}
	for _, c := range in.Contenders {
		s, err := contend(ctx, b, c, draws, func(n int) {
			if opt.Progress != nil {
				opt.Progress(done+n, total)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("evaluate %s: %w", c.Name, err)
		}
		done += len(c.Trials) * len(in.Cases)
		res.Scores = append(res.Scores, *s)
	}
	return res, nil
}

// bench is what all contenders are judged on.
type bench struct {
	Input
	Options
}

// check refuses input that would give a number without meaning.
func check(in Input, opt Options) error {
	if len(opt.K) == 0 {
		return errors.New("k: name at least one cutoff, such as 10")
	}
	for _, k := range opt.K {
		if k < 1 {
			return fmt.Errorf("k: %d: must be 1 or more", k)
		}
	}
	if len(in.Cases) == 0 {
		return errors.New("nobody to judge: no person has a relevant item in the holdout")
	}
	if in.Users != nil && (len(in.Users) != in.Items || in.People < 1) {
		return fmt.Errorf("popularity has %d items of %d people; want %d items", len(in.Users), in.People, in.Items)
	}
	for i := range in.Cases {
		if err := in.Cases[i].check(in.Items); err != nil {
			return fmt.Errorf("case %d, %q: %w", i, in.Cases[i].Person, err)
		}
	}
	for _, c := range in.Contenders {
		if len(c.Trials) == 0 {
			return fmt.Errorf("contender %s: has no trial", c.Name)
		}
	}
	return nil
}

// check reports rows that are out of order or out of range.
func (c *Case) check(items int) error {
	for _, list := range []struct {
		name string
		rows []int32
	}{{"relevant", c.Relevant}, {"hide", c.Hide}, {"candidates", c.Candidates}} {
		for i, row := range list.rows {
			if row < 0 || int(row) >= items {
				return fmt.Errorf("%s: row %d: must be in [0, %d)", list.name, row, items)
			}
			if i > 0 && list.rows[i-1] >= row {
				return fmt.Errorf("%s: row %d after %d: must be sorted, each once", list.name, row, list.rows[i-1])
			}
		}
	}
	if len(c.Relevant) == 0 {
		return errors.New("relevant: is empty")
	}
	return nil
}
