package recommend

import (
	"math"

	"kindred/model"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/serving/live"
)

// explainer says why items are in one person's list.
type explainer struct {
	cfg     Config
	snap    *live.Snapshot
	history model.History
}

// termExplainer is a component that can name the terms behind a score.
type termExplainer interface {
	ExplainTerms(h model.History, item int32, k int) []content.TermShare
}

// reasons are the positive parts of the item's score, largest first; with because,
// each with the past items and terms behind it. Where nothing speaks for the item,
// the strongest component is named with share 0.
func (e explainer) reasons(b *hybrid.Blended, row int32, because bool) []Reason {
	parts := b.Parts(row)
	total := 0.0
	for _, p := range parts {
		total += math.Max(0, p.Share)
	}
	var out []Reason
	for i, p := range parts {
		if p.Share <= 0 && i > 0 {
			break
		}
		r := Reason{Component: p.Component}
		if p.Share > 0 {
			r.Share = float32(p.Share / total)
		}
		if because && p.Share > 0 {
			r.Because, r.Terms = e.because(p.Component, row), e.terms(p.Component, row)
		}
		out = append(out, r)
	}
	return out
}

// newest is the part of the history that explanations look at.
func (e explainer) newest() model.History {
	n := min(len(e.history.Rows), e.cfg.ExplainHistory)
	return model.History{Rows: e.history.Rows[:n], Weights: e.history.Weights[:n]}
}

// because are the past items that speak most for the item.
func (e explainer) because(component string, row int32) []Cause {
	c, ok := e.snap.Scorer(component).(model.Explainer)
	h := e.newest()
	if !ok || len(h.Rows) == 0 {
		return nil
	}
	causes := c.Explain(h, row, len(h.Rows))
	total := 0.0
	for _, cause := range causes {
		total += math.Max(0, cause.Share)
	}
	var out []Cause
	for _, cause := range causes {
		if cause.Share <= 0 || len(out) == e.cfg.Causes {
			break
		}
		f := e.snap.Facts(cause.Row)
		out = append(out, Cause{Item: f.ID, Title: f.Title, Share: float32(cause.Share / total)})
	}
	return out
}

// terms are what the item has in common with the past items, if the component says.
func (e explainer) terms(component string, row int32) []string {
	c, ok := e.snap.Scorer(component).(termExplainer)
	if !ok {
		return nil
	}
	var out []string
	for _, t := range c.ExplainTerms(e.newest(), row, e.cfg.Causes) {
		out = append(out, t.Text)
	}
	return out
}
