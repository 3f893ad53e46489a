package main

import (
	"strings"
	"testing"

	"kindred/training/report"
)

// TestTheTableFollowsTheLengthsAskedFor: --k 20,50 prints a table of @20, not an empty one.
func TestTheTableFollowsTheLengthsAskedFor(t *testing.T) {
	tests := []struct {
		name, want string
		metrics    []string
	}{
		{"10 is among them", "ndcg@10", []string{"ndcg@5", "ndcg@10", "ndcg@100"}},
		{"the shortest", "ndcg@20", []string{"ndcg@100", "ndcg@20", "recall@5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			metrics := map[string]report.Interval{}
			for _, m := range tt.metrics {
				metrics[m] = report.Interval{Mean: 0.25}
			}
			var out strings.Builder
			printTable(&out, &report.Report{Dataset: "d", Models: []report.Model{{Name: "als", Metrics: metrics}}})
			if got := out.String(); !strings.Contains(got, tt.want) || !strings.Contains(got, "0.2500") {
				t.Errorf("table:\n%s\nwant a column %s", got, tt.want)
			}
		})
	}
}
