package evaluate

import "fmt"

// historyEdges begin the slices by length of history, after the cold one.
var historyEdges = [...]int{1, 5, 20, 100}

// sliceScores are the plain means over the people with so much history. Slices
// that hold nobody are left out.
func sliceScores(b *bench, cols [][]float64) []Slice {
	members := make([][]int, len(historyEdges)+1)
	for i := range b.Cases {
		n, s := len(b.Cases[i].History.Rows), 0
		for s < len(historyEdges) && n >= historyEdges[s] {
			s++
		}
		members[s] = append(members[s], i)
	}
	var out []Slice
	for s, only := range members {
		if len(only) == 0 {
			continue
		}
		out = append(out, Slice{Name: sliceName(s), Cases: len(only), Metrics: means(b, cols, nil, only)})
	}
	return out
}

// sliceName says how much history slice s has.
func sliceName(s int) string {
	switch {
	case s == 0:
		return "cold"
	case s == len(historyEdges):
		return fmt.Sprintf("history %d+", historyEdges[s-1])
	}
	return fmt.Sprintf("history %d-%d", historyEdges[s-1], historyEdges[s]-1)
}
