package split

import (
	"slices"
	"strconv"

	"kindred/data"
	"kindred/model"
	"kindred/training/assemble"
	"kindred/training/evaluate"
)

// Cases are the people to judge and what they should be shown. tastes are those
// of the training part, by person. A person is judged who has a relevant item in
// the holdout that they had not seen before it.
//
// relevant is the smallest rating that counts; 0 counts all. Other kinds of
// interaction count always, hiding never.
func (h *Holdout) Cases(tastes []assemble.Taste, relevant float64) []evaluate.Case {
	if h.Protocol == Session {
		return h.prefixes()
	}
	var cases []evaluate.Case
	for p, own := range assemble.ByPerson(h.Test, h.People.Len()) {
		taste := tastes[p]
		var rows []int32
		for _, a := range own {
			if a.Kind == data.Hide || a.Kind == data.Rating && float64(a.Value) < relevant {
				continue
			}
			if _, seen := slices.BinarySearch(taste.Seen, a.Item); !seen {
				rows = append(rows, a.Item)
			}
		}
		slices.Sort(rows)
		rows = slices.Compact(rows)
		if len(rows) == 0 {
			continue
		}
		c := evaluate.Case{Relevant: rows, Group: int32(p), Question: evaluate.Question{
			Person: h.People.Key(int32(p)), History: taste.Liked, Hide: taste.Seen,
		}}
		if negatives, ok := h.Negatives[int32(p)]; ok {
			// Given candidates are ranked as given, as in the papers that use them: some
			// of them may be in the person's history.
			c.Hide = nil
			c.Candidates = append(slices.Clone(negatives), rows...)
			slices.Sort(c.Candidates)
			c.Candidates = slices.Compact(c.Candidates)
		}
		cases = append(cases, c)
	}
	return cases
}

// prefixes makes a case of every prefix of every held-out session. The history is
// the prefix, newest first; nothing is hidden.
func (h *Holdout) prefixes() []evaluate.Case {
	cases := make([]evaluate.Case, 0, len(h.Sessions))
	for _, p := range h.Sessions {
		cases = append(cases, evaluate.Case{
			Question: evaluate.Question{Person: "session " + strconv.Itoa(int(p.Session)+1), History: prefix(p.Items)},
			Relevant: []int32{p.Target}, Group: p.Session,
		})
	}
	return cases
}

// prefix is the history of a session so far: distinct items, newest first, each
// weighing as often as it was used.
func prefix(rows []int32) model.History {
	var h model.History
	at := map[int32]int{}
	for _, row := range slices.Backward(rows) {
		if i, ok := at[row]; ok {
			h.Weights[i]++
			continue
		}
		at[row] = len(h.Rows)
		h.Rows = append(h.Rows, row)
		h.Weights = append(h.Weights, 1)
	}
	return h
}
