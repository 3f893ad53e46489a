package report

import (
	"fmt"
	"slices"
)

// title is the headline.
func (r *Report) title() string {
	if r.Title != "" {
		return r.Title
	}
	return "Evaluation on " + r.Dataset
}

// protocolText says in one sentence what a protocol holds out and ranks.
func protocolText(protocol string) string {
	switch protocol {
	case "time":
		return "One cut in time: models learn from what was before it and are asked for what came after. The full catalogue is ranked, less what the person used before the cut."
	case "user-time":
		return "Each person's last fifth of interactions is held out, by time. The full catalogue is ranked, less what the person used before."
	case "given":
		return "Train and test are as the data set's files say. The full catalogue is ranked, less the person's train items."
	case "leave-one-out":
		return "Each person's last interaction is held out, and ranked among the negatives that the files give, or among the full catalogue where they give none. Sampled negatives flatter every model and compare only with papers that used the same ones."
	case "session":
		return "Every prefix of every test session is asked for its next item, among the full catalogue."
	}
	return ""
}

// facts are the lines under the title: what was measured, and when.
func (r *Report) facts() []Detail {
	facts := []Detail{
		{"Data set", r.Dataset}, {"Protocol", r.Protocol}, {"People", count(r.People)}, {"Items", count(r.Items)},
		{"Interactions", count(r.Interactions)},
	}
	facts = append(facts, r.Details...)
	if !r.Created.IsZero() {
		facts = append(facts, Detail{"Made", instant(r.Created)})
	}
	return facts
}

// headline is the metric that the lead sentence is about: the first that any model has.
func (r *Report) headline() (metric, bool) {
	all := metricsOf(r.Models)
	if len(all) == 0 {
		return metric{}, false
	}
	return all[0], true
}

// lead says in a sentence who won, by how much over the best baseline, and whether
// the data can tell.
func (r *Report) lead() string {
	m, ok := r.headline()
	if !ok {
		return "No metric was measured."
	}
	best, base := r.best(m.name, false), r.best(m.name, true)
	switch {
	case best == nil:
		return fmt.Sprintf("Only baselines were measured; the highest %s is %s's, %s.", m.title(), base.Name, interval(base.Metrics[m.name]))
	case base == nil:
		return fmt.Sprintf("%s has the highest %s: %s. No baseline was measured beside it.", best.Name, m.title(), interval(best.Metrics[m.name]))
	}
	v, b := best.Metrics[m.name], base.Metrics[m.name]
	if v.Mean <= b.Mean {
		return fmt.Sprintf("No model beats the baseline %s, whose %s is %s; the best of them, %s, reaches %s.",
			base.Name, m.title(), interval(b), best.Name, interval(v))
	}
	text := fmt.Sprintf("%s has the highest %s: %s", best.Name, m.title(), interval(v))
	if b.Mean > 0 {
		text += fmt.Sprintf(", %.0f %% above %s, the best baseline", 100*(v.Mean/b.Mean-1), base.Name)
	}
	if v.Low <= b.High && v.Low < v.High {
		return text + ". Their intervals overlap: with this many people the difference may be luck."
	}
	return text + "."
}

// best is the model, or the baseline, with the highest mean; the first of equals.
func (r *Report) best(metric string, baseline bool) *Model {
	var best *Model
	for i := range r.Models {
		m := &r.Models[i]
		v, ok := m.Metrics[metric]
		if ok && m.Baseline == baseline && (best == nil || v.Mean > best.Metrics[metric].Mean) {
			best = m
		}
	}
	return best
}

// baselines are the names of what the models have to beat.
func (r *Report) baselines() (names []string) {
	for _, m := range r.Models {
		if m.Baseline {
			names = append(names, m.Name)
		}
	}
	return names
}

// interval writes a metric with its interval, if it has one.
func interval(v Interval) string {
	if v.Low == v.High {
		return metricText(v.Mean)
	}
	return fmt.Sprintf("%s (95 %% interval %s to %s)", metricText(v.Mean), metricText(v.Low), metricText(v.High))
}

// cutoffs lists the k of the metrics, ascending.
func cutoffs(metrics []metric) []int {
	var ks []int
	for _, m := range metrics {
		ks = append(ks, m.k)
	}
	slices.Sort(ks)
	return slices.Compact(ks)
}
