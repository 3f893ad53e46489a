package training

import (
	"context"
	"fmt"
	"strings"

	"kindred/features"
	"kindred/model/cluster"
	"kindred/training/describe"
	"kindred/training/report"
)

// describe tells the clusters about the people they were learned from.
func (r *run) describe(ctx context.Context, m *cluster.Model, x []float64) error {
	if m == nil {
		return nil
	}
	groups, err := describe.Describe(ctx, m, x, r.opt.Grow)
	if err != nil {
		return fmt.Errorf("describe the clusters: %w", err)
	}
	e := r.out.Evaluation
	e.Grouping, e.Groups = m, groups
	for _, g := range groups {
		if g.Rule == nil {
			continue
		}
		e.Notes = append(e.Notes, "cluster rules cannot say "+strings.Join(describe.Unsaid(features.VectorNames()), "; "))
		break
	}
	return nil
}

// algorithm is a method's name for people.
func algorithm(m cluster.Method) string {
	switch m {
	case cluster.MixtureMethod:
		return "Gaussian mixture"
	case cluster.DBSCANMethod:
		return "DBSCAN"
	}
	return "k-means"
}

// reportClusters is how the clusters were chosen and who is in them; nil without any.
func (e *Evaluation) reportClusters() *report.Clusters {
	var out *report.Clusters
	if c := e.Clusters; c != nil {
		out = &report.Clusters{Algorithm: algorithm(c.Method), Chosen: c.Best, Reach: c.Reach}
		for i, k := range c.K {
			p := report.ClusterPoint{K: k, Inertia: c.Inertia[i], Silhouette: c.Silhouette[i], Chosen: i == c.At}
			switch c.Method {
			case cluster.MixtureMethod:
				p.LogLikelihood, p.BIC = c.LogLikelihood[i], c.BIC[i]
			case cluster.DBSCANMethod:
				p.Radius, p.Outliers = c.Radius[i], c.Outliers[i]
			}
			out.Points = append(out.Points, p)
		}
	}
	if m := e.Grouping; m != nil {
		if out == nil {
			out = &report.Clusters{Algorithm: algorithm(m.Method), Chosen: m.K()}
		}
		out.Silhouette = m.Silhouette
	}
	for _, g := range e.Groups {
		c := report.Cluster{Number: g.Cluster, People: g.People, Share: g.Share, RevenueShare: g.RevenueShare, Words: g.Words, Note: g.Note}
		for _, f := range g.Features {
			c.Features = append(c.Features, report.ClusterFeature{Name: f.Name, Difference: f.Difference, Mean: f.Mean})
		}
		if g.Rule != nil {
			c.Rule = &report.ClusterRule{When: g.Rule.When, Precision: g.Rule.Precision, Recall: g.Rule.Recall, HeldOut: g.Rule.HeldOut}
		}
		out.Groups = append(out.Groups, c)
	}
	return out
}
