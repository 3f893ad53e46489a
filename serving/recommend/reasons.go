package recommend

import (
	"math"

	"kindred/model"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/serving/live"
)

// explainer says why items are in one person's list. It prepares a component's
// explanation when it is first asked for.
type explainer struct {
	cfg     Config
	snap    *live.Snapshot
	history model.History // the newest part of the person's

	prepared []explanation
	first    [4]explanation // memory for prepared
	memory   *memory
}

// explanation is one component's, nil if it has none.
type explanation struct {
	component string
	model.Explanation
}

// termExplanation can also name the terms behind a score.
type termExplanation interface {
	Terms(item int32, k int) []content.TermShare
}

// newExplainer looks at the newest cfg.ExplainHistory items of h. Release it.
// What it says stands in memory.
func newExplainer(cfg Config, snap *live.Snapshot, h model.History, memory *memory) *explainer {
	n := min(len(h.Rows), cfg.ExplainHistory)
	e := &explainer{cfg: cfg, snap: snap, history: model.History{Rows: h.Rows[:n], Weights: h.Weights[:n]}, memory: memory}
	e.prepared = e.first[:0]
	return e
}

// release gives the components' memory back.
func (e *explainer) release() {
	for _, p := range e.prepared {
		if p.Explanation != nil {
			p.Release()
		}
	}
}

// of is the component's explanation of the history, or nil.
func (e *explainer) of(component string) model.Explanation {
	for _, p := range e.prepared {
		if p.component == component {
			return p.Explanation
		}
	}
	p := explanation{component: component}
	if c, ok := e.snap.Scorer(component).(model.Explainer); ok && len(e.history.Rows) > 0 {
		p.Explanation = c.Explain(e.history)
	}
	e.prepared = append(e.prepared, p)
	return p.Explanation
}

// reasons are the positive parts of the item's score, largest first; with because,
// each with the past items and terms behind it. Where nothing speaks for the item,
// the strongest component is named with share 0.
func (e *explainer) reasons(list *hybrid.List, row int32, because bool) []Reason {
	parts := list.Parts(row)
	total := 0.0
	for _, p := range parts {
		total += math.Max(0, p.Share)
	}
	out := take(&e.memory.reasons, len(parts))[:0]
	for i, p := range parts {
		if p.Share <= 0 && i > 0 {
			break
		}
		r := Reason{Component: p.Component}
		if p.Share > 0 {
			r.Share = rounded(p.Share / total)
		}
		if because && p.Share > 0 {
			if x := e.of(p.Component); x != nil {
				r.Because, r.Terms = e.because(x, row), e.terms(x, row)
			}
		}
		out = append(out, r)
	}
	return out
}

// because are the past items that speak most for the item.
func (e *explainer) because(x model.Explanation, row int32) []Cause {
	causes := x.Causes(row, len(e.history.Rows))
	total := 0.0
	for _, cause := range causes {
		total += math.Max(0, cause.Share)
	}
	out := take(&e.memory.causes, min(e.cfg.Causes, len(causes)))[:0]
	for _, cause := range causes {
		if cause.Share <= 0 || len(out) == e.cfg.Causes {
			break
		}
		f := e.snap.Facts(cause.Row)
		e.memory.rows = append(e.memory.rows, cause.Row)
		out = append(out, Cause{Item: f.ID, Title: f.Title, Share: rounded(cause.Share / total)})
	}
	return some(out)
}

// some is a part of shared memory that nothing can be appended to; nil for none.
func some[T any](part []T) []T {
	if len(part) == 0 {
		return nil
	}
	return part[:len(part):len(part)]
}

// terms are what the item has in common with the past items, if the component says.
func (e *explainer) terms(x model.Explanation, row int32) []string {
	named, ok := x.(termExplanation)
	if !ok {
		return nil
	}
	terms := named.Terms(row, e.cfg.Causes)
	out := take(&e.memory.texts, len(terms))
	for i, t := range terms {
		out[i] = t.Text
	}
	return some(out)
}
