package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// family is what a reader should know about the metrics of one name, whatever their k.
type family struct {
	name  string // before the '@'
	label string
	about string
	unit  bool // between 0 and 1, so that its plot may begin at 0 and compare with others
}

// families is the order that metrics are shown in: ranking quality first, then
// what quality alone does not see.
func families() []family {
	return []family{
		{"ndcg", "NDCG", "position-discounted hits over the best possible; 1 is a perfect list", true},
		{"recall", "Recall", "hits / number of test items", true},
		{"recall_capped", "Recall (capped)", "hits / min(k, number of test items)", true},
		{"precision", "Precision", "hits / k", true},
		{"map", "MAP", "mean average precision", true},
		{"mrr", "MRR", "mean of 1 / rank of the first hit", true},
		{"hitrate", "Hit rate", "share of people with at least one hit", true},
		{"coverage", "Coverage", "share of the catalogue that is recommended to anybody", true},
		{"novelty", "Novelty", "mean −log₂ of the popularity of the recommended items, in bits", false},
		{"diversity", "Diversity", "mean dissimilarity of the items inside one list", true},
	}
}

// metric is one metric name taken apart: "ndcg@10" is the family ndcg at 10.
type metric struct {
	name string // as in report.json
	family
	rank int // position of the family
	k    int // 0 when the name has none
}

// parseMetric never fails: an unknown name is a family of its own, shown last.
func parseMetric(name string) metric {
	base, suffix, _ := strings.Cut(name, "@")
	k, _ := strconv.Atoi(suffix)
	for i, f := range families() {
		if f.name == base {
			return metric{name: name, family: f, rank: i, k: k}
		}
	}
	return metric{name: name, family: family{name: base, label: base}, rank: len(families()), k: k}
}

// title is the metric's name for people: "NDCG@10".
func (m metric) title() string {
	if m.k == 0 {
		return m.label
	}
	return m.label + "@" + strconv.Itoa(m.k)
}

// metricsOf lists every metric that any of the models has, in families' order, then by k.
func metricsOf(models []Model) []metric {
	names := map[string]struct{}{}
	for _, m := range models {
		for name := range m.Metrics {
			names[name] = struct{}{}
		}
	}
	return orderMetrics(names)
}

func orderMetrics(names map[string]struct{}) []metric {
	var out []metric
	for name := range names {
		out = append(out, parseMetric(name))
	}
	slices.SortFunc(out, func(a, b metric) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.k, b.k), cmp.Compare(a.name, b.name))
	})
	return out
}

// bestMean is the highest mean of a metric over the models, as it is printed, and
// whether another model has a lower one, so that "best" means something. Higher is
// better for every metric here.
func bestMean(models []Model, name string) (best string, contested bool) {
	var high, low float64
	n := 0
	for _, m := range models {
		v, ok := m.Metrics[name]
		if !ok {
			continue
		}
		if n++; n == 1 {
			high, low = v.Mean, v.Mean
		}
		high, low = max(high, v.Mean), min(low, v.Mean)
	}
	return metricText(high), n > 1 && metricText(high) != metricText(low)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
