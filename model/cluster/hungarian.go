package cluster

import "math"

// Hungarian assigns rows to columns at the least total cost, each row and each column
// at most once and as many as possible; cost has rows of equal length with finite
// entries. It returns the column of each row, −1 for a row that got none. Cost is
// O(n²·m) for n ≤ m (Kuhn, 1955; in the shortest augmenting path form of Jonker &
// Volgenant, 1987). The result is a function of cost alone.
func Hungarian(cost [][]float64) []int {
	n := len(cost)
	if n == 0 {
		return nil
	}
	m := len(cost[0])
	if n > m {
		return invert(Hungarian(transpose(cost)), n)
	}
	// Rows and columns count from 1; column 0 is where a search begins. rowOf[j] is the row of column j.
	u, v := make([]float64, n+1), make([]float64, m+1)
	rowOf, way := make([]int, m+1), make([]int, m+1)
	for i := 1; i <= n; i++ {
		rowOf[0] = i
		at := 0
		least := make([]float64, m+1)
		for j := range least {
			least[j] = math.Inf(1)
		}
		used := make([]bool, m+1)
		for rowOf[at] != 0 {
			used[at] = true
			row, delta, next := rowOf[at], math.Inf(1), 0
			for j := 1; j <= m; j++ {
				if used[j] {
					continue
				}
				if reduced := cost[row-1][j-1] - u[row] - v[j]; reduced < least[j] {
					least[j], way[j] = reduced, at
				}
				if least[j] < delta {
					delta, next = least[j], j
				}
			}
			for j := range least {
				if used[j] {
					u[rowOf[j]] += delta
					v[j] -= delta
				} else {
					least[j] -= delta
				}
			}
			at = next
		}
		for at != 0 { // flip the path
			rowOf[at] = rowOf[way[at]]
			at = way[at]
		}
	}
	columns := make([]int, n)
	for j := 1; j <= m; j++ {
		if rowOf[j] > 0 {
			columns[rowOf[j]-1] = j - 1
		}
	}
	return columns
}

// transpose swaps rows and columns.
func transpose(cost [][]float64) [][]float64 {
	t := make([][]float64, len(cost[0]))
	for j := range t {
		t[j] = make([]float64, len(cost))
		for i := range cost {
			t[j][i] = cost[i][j]
		}
	}
	return t
}

// invert turns the row of each column into the column of each of n rows.
func invert(rows []int, n int) []int {
	columns := make([]int, n)
	for i := range columns {
		columns[i] = -1
	}
	for j, i := range rows {
		columns[i] = j
	}
	return columns
}
