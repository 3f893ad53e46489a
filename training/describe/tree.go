package describe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/trees"
)

// Caps of a tree. golearn's time grows with the square of the rows.
const (
	MaxRows  = 1000
	MaxDepth = 3
)

// Sample is what one tree is grown on.
type Sample struct {
	Columns []string    `json:"columns"`
	X       [][]float64 `json:"x"`
	Inside  []bool      `json:"inside"` // by row
}

// Node is a node of a tree: a leaf, or a split into rows below Threshold in Column, and the others.
type Node struct {
	Column    int     `json:"column"`
	Threshold float64 `json:"threshold"`
	Below     *Node   `json:"below,omitempty"`
	Others    *Node   `json:"others,omitempty"`
	Inside    bool    `json:"inside"` // of a leaf: most of its rows are
}

func (n *Node) leaf() bool { return n.Below == nil }

// Grow fits one tree for each sample. It is a Grower for a process of its own, and for tests.
func Grow(_ context.Context, samples []Sample) ([]*Node, error) {
	var out []*Node
	for _, s := range samples {
		n, err := grow(s)
		if err != nil {
			return nil, fmt.Errorf("grow a tree: %w", err)
		}
		out = append(out, n)
	}
	return out, nil
}

func grow(s Sample) (*Node, error) {
	switch {
	case len(s.X) == 0 || len(s.X) != len(s.Inside) || len(s.Columns) == 0:
		return nil, fmt.Errorf("%d rows, %d labels and %d columns do not fit together", len(s.X), len(s.Inside), len(s.Columns))
	case len(s.X) > MaxRows:
		return nil, fmt.Errorf("%d rows; at most %d are allowed", len(s.X), MaxRows)
	}
	data := base.NewDenseInstances()
	var columns []base.AttributeSpec
	for _, name := range s.Columns {
		columns = append(columns, data.AddAttribute(base.NewFloatAttribute(name)))
	}
	class := data.AddAttribute(base.NewFloatAttribute("inside"))
	data.AddClassAttribute(class.GetAttribute())
	if err := data.Extend(len(s.X)); err != nil {
		return nil, err
	}
	for i, row := range s.X {
		if len(row) != len(columns) {
			return nil, fmt.Errorf("row %d has %d values; want %d", i, len(row), len(columns))
		}
		for j, v := range row {
			data.Set(columns[j], i, base.PackFloatToBytes(v))
		}
		inside := 0.0
		if s.Inside[i] {
			inside = 1
		}
		data.Set(class, i, base.PackFloatToBytes(inside))
	}
	t := trees.NewDecisionTreeClassifier(trees.GINI, MaxDepth, []int64{0, 1})
	if err := t.Fit(data); err != nil {
		return nil, err
	}
	text, err := json.Marshal(t.RootNode)
	if err != nil {
		return nil, err
	}
	var root *split
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	return root.node(), nil
}

// split is golearn's node, whose type has no name outside of it.
type split struct {
	Left, Right           *split
	Threshold             float64
	Feature               int
	LeftLabel, RightLabel int64
}

func (s *split) node() *Node {
	if s == nil {
		return &Node{}
	}
	child := func(n *split, label int64) *Node {
		if n == nil {
			return &Node{Inside: label == 1}
		}
		return n.node()
	}
	return &Node{Column: s.Feature, Threshold: s.Threshold, Below: child(s.Left, s.LeftLabel), Others: child(s.Right, s.RightLabel)}
}

// maxOrder bounds what a child reads.
const maxOrder = 64 << 20

// Child is the whole of a child process: samples in, trees out, as JSON.
func Child(ctx context.Context, in io.Reader, out io.Writer) error {
	var samples []Sample
	if err := json.NewDecoder(io.LimitReader(in, maxOrder)).Decode(&samples); err != nil {
		return fmt.Errorf("read the samples: %w", err)
	}
	if len(samples) == 0 {
		return errors.New("read the samples: there is none")
	}
	trees, err := Grow(ctx, samples)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(trees)
}
