package training

import (
	"encoding/json"
	"fmt"

	"kindred/training/evaluate"
	"kindred/training/report"
)

// Report is the evaluation as report.json, report.md and report.html tell it. The
// caller adds what only it knows: Created, Command, Machine, Version.
func (e *Evaluation) Report() (*report.Report, error) {
	r := &report.Report{
		Dataset: e.Dataset, Protocol: string(e.Protocol), People: int64(e.People),
		Items: int64(e.Items), Interactions: int64(e.Interactions), Notes: e.Notes,
		Details: []report.Detail{{Name: "bootstrap", Value: fmt.Sprintf("95 %% percentile interval over %d people, seed %d", e.Result.Groups, e.Result.Seed)}},
	}
	if e.Result.Cases != e.Result.Groups {
		r.Details = append(r.Details, report.Detail{Name: "lists judged", Value: fmt.Sprint(e.Result.Cases)})
	}
	if e.Verdict != nil {
		r.Gate = &report.Gate{Passed: e.Verdict.Passed, Reasons: e.Verdict.Reasons}
	}
	r.Clusters = e.reportClusters()
	for _, s := range e.Result.Scores {
		m, err := reportModel(s)
		if err != nil {
			return nil, err
		}
		r.Models = append(r.Models, m)
	}
	r.Slices = reportSlices(e.Result)
	return r, nil
}

// reportModel is one row.
func reportModel(s evaluate.Score) (report.Model, error) {
	config, err := json.Marshal(s.Config)
	if err != nil {
		return report.Model{}, fmt.Errorf("report %s: %w", s.Name, err)
	}
	m := report.Model{
		Name: s.Name, Metrics: make(map[string]report.Interval, len(s.Metrics)), Seconds: s.Seconds,
		PeakMemoryBytes: int64(s.PeakBytes), Seed: s.Seed, Config: config,
		Baseline: s.Name == Popular || s.Name == ItemItem,
	}
	for name, v := range s.Metrics {
		// Means of resamples may miss the mean by a rounding where all values are equal.
		m.Metrics[name] = report.Interval{Mean: v.Mean, Low: min(v.Low, v.Mean), High: max(v.High, v.Mean)}
	}
	if s.Bias != nil {
		m.Popularity = &report.PopularityBias{Mean: s.Bias.Mean, TopShare: s.Bias.TopShare, Gini: s.Bias.Gini}
	}
	return m, nil
}

// reportSlices turns the rows' slices into slices of rows. All rows have the same
// people, hence the same slices.
func reportSlices(res *evaluate.Result) []report.Slice {
	if len(res.Scores) == 0 {
		return nil
	}
	var out []report.Slice
	for i, first := range res.Scores[0].Slices {
		sl := report.Slice{Name: first.Name, People: int64(first.Cases)}
		for _, s := range res.Scores {
			m := report.SliceModel{Name: s.Name, Metrics: map[string]report.Interval{}}
			for name, v := range s.Slices[i].Metrics {
				m.Metrics[name] = report.Point(v)
			}
			sl.Models = append(sl.Models, m)
		}
		out = append(out, sl)
	}
	return out
}
