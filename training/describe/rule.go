package describe

import (
	"math"
	"slices"
	"strings"
)

// bounds are what a path of a tree asks of one column, as people know its value: at least low, below high.
type bounds struct{ low, high float64 }

// path is the bounds by column of one leaf.
type path map[int]bounds

// paths are those to the leaves inside, with their thresholds made sayable.
func paths(n *Node, names []string, above path) []path {
	if n.leaf() {
		if n.Inside {
			return []path{above}
		}
		return nil
	}
	if n.Below.leaf() && n.Others.leaf() && n.Below.Inside && n.Others.Inside {
		return []path{above} // a split that decides nothing
	}
	d := language()[names[n.Column]]
	at := d.round(d.value(n.Threshold))
	now, ok := above[n.Column]
	if !ok {
		now = bounds{math.Inf(-1), math.Inf(1)}
	}
	var out []path
	for _, side := range []struct {
		next *Node
		b    bounds
	}{{n.Below, bounds{now.low, min(now.high, at)}}, {n.Others, bounds{max(now.low, at), now.high}}} {
		if side.b.low >= side.b.high {
			continue // rounding left nobody
		}
		p := path{}
		for c, b := range above {
			p[c] = b
		}
		p[n.Column] = side.b
		out = append(out, paths(side.next, names, p)...)
	}
	return out
}

// holds reports whether a row of the columns' values is on one of the paths.
func holds(ps []path, row []float64) bool {
	return slices.ContainsFunc(ps, func(p path) bool {
		for c, b := range p {
			if !(row[c] >= b.low && row[c] < b.high) {
				return false
			}
		}
		return true
	})
}

// cel is the paths as one condition.
func cel(ps []path, names []string) string {
	var ways []string
	for _, p := range ps {
		var parts []string
		for c, name := range names {
			b, ok := p[c]
			if !ok {
				continue
			}
			if !math.IsInf(b.low, -1) {
				parts = append(parts, language()[name].rule(b.low, false))
			}
			if !math.IsInf(b.high, 1) {
				parts = append(parts, language()[name].rule(b.high, true))
			}
		}
		ways = append(ways, strings.Join(parts, " && "))
	}
	if len(ways) == 1 {
		return ways[0]
	}
	return "(" + strings.Join(ways, ") || (") + ")"
}

// judged is the tree as a proposal, measured on the rows held out; else why there is none.
func judged(tree *Node, x []float64, dims int, columns []int, names []string, labels []int32, number int32) (*Proposal, string) {
	if tree == nil || !tree.valid(len(columns)) {
		return nil, "no rule: the tree is broken"
	}
	ps := paths(tree, names, path{})
	if len(ps) == 0 || len(ps[0]) == 0 {
		return nil, "no rule: no split tells these people from the others"
	}
	p := &Proposal{When: cel(ps, names)}
	row := make([]float64, len(columns))
	var both, said, inside float64
	for i, c := range labels {
		if i%heldOut != 0 {
			continue
		}
		p.HeldOut++
		for at, j := range columns {
			row[at] = language()[names[at]].value(value(x[i*dims+j]))
		}
		// Counts come from logarithms; a hair below a whole number is that number.
		for at, v := range row {
			if r := math.Round(v); math.Abs(v-r) < 1e-9*max(1, r) {
				row[at] = r
			}
		}
		in, ok := c == number, holds(ps, row)
		if in {
			inside++
		}
		if ok {
			said++
		}
		if in && ok {
			both++
		}
	}
	if both == 0 {
		return nil, "no rule: what the tree proposes selects none of them"
	}
	p.Precision, p.Recall = both/said, both/inside
	return p, ""
}

// valid reports whether a tree that came from outside can be read.
func (n *Node) valid(columns int) bool {
	if n.leaf() {
		return n.Others == nil
	}
	return n.Others != nil && n.Column >= 0 && n.Column < columns && !math.IsNaN(n.Threshold) && n.Below.valid(columns) && n.Others.valid(columns)
}
