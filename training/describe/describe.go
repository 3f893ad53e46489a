package describe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"kindred/model/cluster"
)

// Group is one cluster as people read about it.
type Group struct {
	Cluster      int32     `json:"cluster"` // its number; −1 are the outliers
	People       int       `json:"people"`  // of those that were described
	Share        float64   `json:"share"`   // of them
	RevenueShare float64   `json:"revenue_share"`
	Words        string    `json:"words"`
	Features     []Feature `json:"features"` // the most different first
	Rule         *Proposal `json:"rule,omitempty"`
	Note         string    `json:"note,omitempty"` // why there is no rule
}

// Feature is one dimension of a cluster.
type Feature struct {
	Name       string  `json:"name"`
	Difference float64 `json:"difference"` // of the means, in standard deviations of everybody
	Mean       float64 `json:"mean"`       // within, as people count it; of counts the geometric mean
}

// Proposal is the rule that comes closest to a cluster.
type Proposal struct {
	When      string  `json:"when"` // CEL
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	HeldOut   int     `json:"held_out"` // rows that both were measured on
}

// Grower grows a tree for each sample.
type Grower func(ctx context.Context, samples []Sample) ([]*Node, error)

// told is how many features a description tells, and least how different each must be.
const told, least = 3, .25

// heldOut is every which row the trees do not see.
const heldOut = 3

// revenue is the dimension of RevenueShare.
const revenue = "revenue_90d"

// Describe tells the clusters of m about the people in x, unscaled rows whose order must not mean
// anything. grow may be nil: there are no proposals then, and each group's note says so, as it
// does when grow fails. The error is ctx's.
func Describe(ctx context.Context, m *cluster.Model, x []float64, grow Grower) ([]Group, error) {
	d, n := m.Dims(), len(x)/m.Dims()
	labels := make([]int32, n)
	z := make([]float64, len(x))
	m.Scaler.Transform(z, x)
	scratch := make([]float64, m.Scratch())
	for i := range labels {
		labels[i] = m.AssignIn(scratch, x[i*d:(i+1)*d], cluster.None, 0).Cluster
	}
	numbers := slices.Clone(m.Numbers)
	if slices.Contains(labels, cluster.Outlier) {
		numbers = append(numbers, cluster.Outlier)
	}
	at := slices.Index(m.Names, revenue)
	var all float64
	worth := map[int32]float64{}
	for i, c := range labels {
		if at >= 0 {
			v := math.Expm1(x[i*d+at])
			worth[c], all = worth[c]+v, all+v
		}
	}
	var out []Group
	for _, number := range numbers {
		g := Group{Cluster: number, Features: features(m, z, labels, number)}
		for _, c := range labels {
			if c == number {
				g.People++
			}
		}
		g.Share = float64(g.People) / float64(max(1, n))
		if all > 0 {
			g.RevenueShare = worth[number] / all
		}
		g.Words = words(g.Features)
		out = append(out, g)
	}
	return out, propose(ctx, m.Names, x, labels, out, grow)
}

// features compares the means of a cluster's rows with everybody's, which are 0 in scaled space
// but for rounding and missing values.
func features(m *cluster.Model, z []float64, labels []int32, number int32) []Feature {
	d := m.Dims()
	inside, mean, raw, spread := 0.0, make([]float64, d), make([]float64, d), make([]float64, d)
	everybody := make([]float64, d)
	for i, c := range labels {
		for j, v := range z[i*d : (i+1)*d] {
			everybody[j] += v / float64(len(labels))
			spread[j] += v * v / float64(len(labels))
			if c == number {
				mean[j] += v
			}
		}
		if c == number {
			inside++
		}
	}
	for j := range mean {
		mean[j] /= max(1, inside)
	}
	m.Scaler.Invert(raw, mean)
	var out []Feature
	for j, name := range m.Names {
		f := Feature{Name: name, Mean: raw[j]}
		if said, known := language()[name]; known {
			f.Mean = said.value(raw[j])
		}
		if v := spread[j] - everybody[j]*everybody[j]; v > 1e-12 {
			f.Difference = (mean[j] - everybody[j]) / math.Sqrt(v)
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Feature) int { return cmp.Compare(math.Abs(b.Difference), math.Abs(a.Difference)) })
	return out
}

// words are the most different features as a line.
func words(features []Feature) string {
	var parts []string
	for _, f := range features[:min(told, len(features))] {
		if math.Abs(f.Difference) < least {
			break
		}
		how := "more"
		if f.Difference < 0 {
			how = "fewer"
		}
		name, unit := f.Name, ""
		if said, known := language()[f.Name]; known {
			name, unit = said.words, said.unit
		}
		if name == "engagement" || strings.HasPrefix(name, "revenue") || strings.HasPrefix(name, "mean") || strings.HasPrefix(name, "share") {
			how = map[string]string{"more": "higher", "fewer": "lower"}[how]
		}
		parts = append(parts, fmt.Sprintf("%s %s (%s%s, %+.1f σ)", how, name, short(f.Mean), unit, f.Difference))
	}
	if len(parts) == 0 {
		return "like everybody"
	}
	return strings.Join(parts, "; ")
}

func short(v float64) string {
	switch a := math.Abs(v); {
	case a < .005:
		return "0"
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// propose fills in the rules of the groups.
func propose(ctx context.Context, names []string, x []float64, labels []int32, groups []Group, grow Grower) error {
	var columns []int // that rules can say
	var said []string
	for j, name := range names {
		if language()[name].rule != nil {
			columns, said = append(columns, j), append(said, name)
		}
	}
	note := ""
	switch {
	case grow == nil:
		note = "no rule: trees were not asked for"
	case len(columns) == 0:
		note = "no rule: rules can say none of the dimensions"
	case len(labels) < 2*heldOut:
		note = "no rule: too few people"
	}
	if note == "" {
		var samples []Sample
		for _, g := range groups {
			samples = append(samples, sample(x, len(names), columns, said, labels, g.Cluster))
		}
		trees, err := grow(ctx, samples)
		if err == nil && len(trees) != len(groups) {
			err = errors.New("the trees do not fit the clusters")
		}
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		for i := range groups {
			if err != nil {
				groups[i].Note = "no rule: " + err.Error()
				continue
			}
			groups[i].Rule, groups[i].Note = judged(trees[i], x, len(names), columns, said, labels, groups[i].Cluster)
		}
		return nil
	}
	for i := range groups {
		groups[i].Note = note
	}
	return nil
}

// value is one coordinate for trees and rules: not missing.
func value(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// sample takes at most MaxRows rows for a tree: of those not held out, a third inside where there are
// so many, each part evenly spread.
func sample(x []float64, dims int, columns []int, names []string, labels []int32, number int32) Sample {
	var inside, outside []int
	for i, c := range labels {
		switch {
		case i%heldOut == 0:
		case c == number:
			inside = append(inside, i)
		default:
			outside = append(outside, i)
		}
	}
	train := len(inside) + len(outside)
	wanted := max(MaxRows*len(inside)/max(1, train), MaxRows/3)
	in := spread(inside, min(wanted, MaxRows))
	s := Sample{Columns: names}
	for part, rows := range [][]int{in, spread(outside, MaxRows-len(in))} {
		for _, i := range rows {
			var row []float64
			for _, j := range columns {
				row = append(row, value(x[i*dims+j]))
			}
			s.X, s.Inside = append(s.X, row), append(s.Inside, part == 0)
		}
	}
	return s
}

// spread takes n of the rows, evenly.
func spread(rows []int, n int) []int {
	if len(rows) <= n {
		return rows
	}
	out := make([]int, n)
	for i := range out {
		out[i] = rows[i*len(rows)/n]
	}
	return out
}
