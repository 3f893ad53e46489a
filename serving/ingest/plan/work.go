package plan

import (
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kindred/data/event"
)

// maxLooks is how many schemas may look at one value. Schemas that name each other twice
// double the looks at every step (a: allOf [b, b], b: allOf [c, c]…), and those that are
// recursive at every level of the value, so that a schema of a kilobyte could take years.
const maxLooks = 2000

// bearable reports a schema that may look at one value more often than maxLooks, in an event of
// any shape that package event lets in. With looks(s, d) the most looks at one value d levels
// below the one that s is applied to,
//
//	looks(s, d) = below(s, d) + Σ looks(t, d) over all t that s applies to the same value
//	below(s, 0) = 1,  below(s, d) = the sum of looks(c, d−1) over all c that may apply to one field or element
func bearable(root *jsonschema.Schema) error {
	index := map[*jsonschema.Schema]int{root: 0}
	var nodes []node
	for queue := []*jsonschema.Schema{root}; len(nodes) < len(queue); {
		s := queue[len(nodes)]
		number := func(list []*jsonschema.Schema) (out []int) {
			for _, t := range list {
				if _, ok := index[t]; !ok {
					index[t] = len(queue)
					queue = append(queue, t)
				}
				out = append(out, index[t])
			}
			return out
		}
		var n node
		n.here = number(inPlace(s))
		for _, p := range s.Properties {
			n.one = append(n.one, number([]*jsonschema.Schema{p})...)
		}
		n.one = append(n.one, number(s.PrefixItems)...)
		n.each = number(forEach(s))
		nodes = append(nodes, n)
	}
	looks := make([]int, len(nodes)) // of the level above
	for d := 0; d <= event.MaxDepth; d++ {
		w := walk{nodes: nodes, former: looks, d: d, state: make([]int, len(nodes))}
		next := make([]int, len(nodes))
		same := d > 0
		for i := range nodes {
			next[i] = w.looks(i)
			same = same && next[i] == looks[i]
		}
		if next[0] > maxLooks {
			return fmt.Errorf("a value could be looked at more than %d times, because schemas apply each other again and again; let each be applied once", maxLooks)
		}
		if same {
			return nil
		}
		looks = next
	}
	return nil
}

// node is a schema by the numbers of those that it applies.
type node struct {
	here []int // to the same value
	one  []int // each to a field or element of its own
	each []int // to any field or element
}

// forEach are the schemas that s may apply to one field or element together.
func forEach(s *jsonschema.Schema) (out []*jsonschema.Schema) {
	for _, p := range s.PatternProperties {
		out = append(out, p)
	}
	for _, v := range []any{s.AdditionalProperties, s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema} {
		if t, ok := v.(*jsonschema.Schema); ok && t != nil {
			out = append(out, t)
		}
	}
	return out
}

// walk computes one level.
type walk struct {
	nodes  []node
	former []int
	d      int
	state  []int // 0 new, −1 on the way, else the result + 1
}

func (w *walk) looks(i int) int {
	switch s := w.state[i]; {
	case s > 0:
		return s - 1
	case s < 0:
		return 0 // on the way to itself: the library stops there and says so
	}
	w.state[i] = -1
	n, sum := &w.nodes[i], 1
	if w.d > 0 {
		sum = 0
		for _, c := range n.one {
			sum = max(sum, w.former[c])
		}
		for _, c := range n.each {
			sum = min(sum+w.former[c], maxLooks+1)
		}
	}
	for _, t := range n.here {
		sum = min(sum+w.looks(t), maxLooks+1)
	}
	w.state[i] = sum + 1
	return sum
}
