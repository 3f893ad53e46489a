package retrieve_test

import (
	"fmt"

	"kindred/model/rank"
	"kindred/model/retrieve"
)

func ExampleIndex_Top() {
	vectors := []float32{ // four items of two dimensions
		1, 0,
		0, 1,
		2, 2,
		3, -1,
	}
	index := retrieve.New(vectors, 2, retrieve.Config{})
	books := index.Mask(rank.SetOf(4, []int32{0, 1, 2}))
	list, _ := index.Top(retrieve.Query{
		Vector: []float32{1, 2}, K: 2,
		Only: books,
		Seen: []int32{1},
		Rows: []int32{0}, Add: []float32{10},
	})
	for _, r := range list {
		fmt.Println(r.Row, r.Score)
	}
	// Output:
	// 0 11
	// 2 6
}
