package report

import (
	"fmt"
	"strings"
)

// Clusters is how the number of clusters was chosen, and who is in them.
type Clusters struct {
	Algorithm  string         `json:"algorithm"`            // k-means, Gaussian mixture or DBSCAN
	Chosen     int            `json:"chosen"`               // number of clusters that was kept
	Silhouette float64        `json:"silhouette,omitempty"` // of what was kept
	Points     []ClusterPoint `json:"points"`               // by K, of DBSCAN by radius
	Reach      []float64      `json:"reach,omitempty"`      // of DBSCAN: distance to the min_points-th neighbour, a percentile of people each
	Groups     []Cluster      `json:"groups,omitempty"`
}

// ClusterPoint is one k, or radius, that was tried.
type ClusterPoint struct {
	K             int     `json:"k"`
	Inertia       float64 `json:"inertia"`    // within-cluster sum of squares, in scaled feature space
	Silhouette    float64 `json:"silhouette"` // −1 to 1, higher is better separated
	LogLikelihood float64 `json:"log_likelihood,omitempty"`
	BIC           float64 `json:"bic,omitempty"`
	Radius        float64 `json:"radius,omitempty"`
	Outliers      int64   `json:"outliers,omitempty"`
	Chosen        bool    `json:"-"`
}

// Cluster is one cluster as people read about it.
type Cluster struct {
	Number       int32            `json:"number"` // −1: the outliers
	People       int              `json:"people"`
	Share        float64          `json:"share"`
	RevenueShare float64          `json:"revenue_share"`
	Words        string           `json:"words"`
	Features     []ClusterFeature `json:"features,omitempty"` // the most different first
	Rule         *ClusterRule     `json:"rule,omitempty"`
	Note         string           `json:"note,omitempty"` // why there is no rule
}

// ClusterFeature is how one dimension differs from everybody's, in standard deviations.
type ClusterFeature struct {
	Name       string  `json:"name"`
	Difference float64 `json:"difference"`
	Mean       float64 `json:"mean"`
}

// ClusterRule is the segment rule that comes closest, measured on people that it was not made from.
type ClusterRule struct {
	When      string  `json:"when"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	HeldOut   int     `json:"held_out"`
}

func (c *Clusters) validate() error {
	for _, p := range c.Points {
		for _, v := range []float64{p.Inertia, p.Silhouette, p.LogLikelihood, p.BIC, p.Radius} {
			if !finite(v) {
				return fmt.Errorf("report: clusters: k=%d: inertia %v and silhouette %v must be finite, as the rest", p.K, p.Inertia, p.Silhouette)
			}
		}
	}
	for _, g := range c.Groups {
		for _, f := range g.Features {
			if !finite(f.Difference) || !finite(f.Mean) {
				return fmt.Errorf("report: clusters: %d: %s differs by %v, mean %v; must be finite", g.Number, f.Name, f.Difference, f.Mean)
			}
		}
	}
	return nil
}

// chosen reports whether p is the one that was kept.
func (c *Clusters) chosen(p ClusterPoint) bool {
	return p.Chosen || c.Reach == nil && p.K == c.Chosen
}

// charts are the plots that k, or the radius, is chosen by.
func (c *Clusters) charts() []lineChart {
	if len(c.Points) == 0 {
		return nil
	}
	xs := make([]int, len(c.Points))
	chosen := -1
	mixture, dense := false, len(c.Reach) > 0
	for i, p := range c.Points {
		xs[i] = p.K
		if dense {
			xs[i] = i + 1
		}
		if c.chosen(p) {
			chosen = i
		}
		mixture = mixture || p.BIC != 0
	}
	curve := func(of func(ClusterPoint) float64) (ys []float64) {
		for _, p := range c.Points {
			ys = append(ys, of(p))
		}
		return ys
	}
	silhouette := curve(func(p ClusterPoint) float64 { return p.Silhouette })
	switch {
	case dense:
		percents := make([]int, len(c.Reach))
		for i := range percents {
			percents[i] = i
		}
		return []lineChart{
			newLineChart("elbow", "Distance to the neighbours", "to the min_points-th one: a radius at the bend tells dense from sparse", "percent of people", percents, c.Reach, -1),
			newLineChart("silhouette", "Silhouette", "of those in a group, by radius tried, rising; −1 to 1", "trial", xs, silhouette, chosen),
		}
	case mixture:
		return []lineChart{
			newLineChart("bic", "BIC", "−2 ln L + parameters · ln n: the lowest is taken", "k", xs, curve(func(p ClusterPoint) float64 { return p.BIC }), chosen),
			newLineChart("likelihood", "Log-likelihood", "mean over people: look for the elbow", "k", xs, curve(func(p ClusterPoint) float64 { return p.LogLikelihood }), chosen),
			newLineChart("silhouette", "Silhouette", "−1 to 1: higher is better separated", "k", xs, silhouette, chosen),
		}
	}
	return []lineChart{
		newLineChart("elbow", "Inertia", "sum of squares within clusters: look for the elbow", "k", xs, curve(func(p ClusterPoint) float64 { return p.Inertia }), chosen),
		newLineChart("silhouette", "Silhouette", "−1 to 1: higher is better separated", "k", xs, silhouette, chosen),
	}
}

// points is the table behind the plots.
func (c *Clusters) points() table {
	head := []string{"k", "Inertia", "Silhouette"}
	mixture, dense := false, len(c.Reach) > 0
	for _, p := range c.Points {
		mixture = mixture || p.BIC != 0
	}
	switch {
	case mixture:
		head = append(head, "Log-likelihood", "BIC")
	case dense:
		head = append(head, "Radius", "Outliers")
	}
	t := table{Caption: "Number of clusters tried", Head: heads(head...)}
	for _, p := range c.Points {
		r := row{Name: fmt.Sprint(p.K), Cells: []cell{
			{Text: fmt.Sprintf("%.3f", p.Inertia)}, {Text: fmt.Sprintf("%.4f", p.Silhouette), Best: c.chosen(p)},
		}}
		switch {
		case mixture:
			r.Cells = append(r.Cells, cell{Text: fmt.Sprintf("%.4f", p.LogLikelihood)}, cell{Text: fmt.Sprintf("%.1f", p.BIC)})
		case dense:
			r.Cells = append(r.Cells, cell{Text: fmt.Sprintf("%.3f", p.Radius)}, cell{Text: count(p.Outliers)})
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// groups is the table of the clusters.
func (c *Clusters) groups() table {
	t := table{Caption: "Who is in them", Head: heads("Cluster", "People", "Revenue", "In words", "Rule that comes closest", "Precision", "Recall")}
	for _, g := range c.Groups {
		name := fmt.Sprint(g.Number)
		if g.Number < 0 {
			name = "outliers"
		}
		r := row{Name: name, Cells: []cell{
			{Text: count(int64(g.People)), Range: percent(g.Share)}, {Text: percent(g.RevenueShare)}, {Text: g.Words},
		}}
		if g.Rule != nil {
			r.Cells = append(r.Cells, cell{Text: g.Rule.When}, cell{Text: percent(g.Rule.Precision)}, cell{Text: percent(g.Rule.Recall)})
		} else {
			r.Cells = append(r.Cells, cell{Text: strings.TrimPrefix(g.Note, "no rule: ")}, cell{Text: "–"}, cell{Text: "–"})
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}
