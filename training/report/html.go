package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageTemplate string

//go:embed page.css
var pageStyle string

// page is what the template shows.
type page struct {
	Style                     template.CSS // ours, from page.css
	Title, Lead, Protocol     string
	Facts                     []Detail
	Gate                      *Gate
	Notes                     []string
	Charts                    []chartGroup
	Quality, Cost, Popular    table
	Slices                    []table
	Clusters                  *Clusters
	ClusterTable              table
	ClusterGroups             table
	ClusterCharts, Loss       []lineChart
	Glossary                  []Detail
	Configs                   []Detail
	Command, Machine, Version string
}

// chartGroup is the plots of all metrics at one k. Only the first group is open.
type chartGroup struct {
	Title  string
	Open   bool
	Charts []barChart
}

// HTML writes report.html: one file that needs nothing else.
func HTML(w io.Writer, r *Report) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return err
	}
	p, err := newPage(r)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

func newPage(r *Report) (page, error) {
	metrics := metricsOf(r.Models)
	p := page{
		Style: template.CSS(pageStyle), Title: r.title(), Lead: r.lead(), Protocol: protocolText(r.Protocol),
		Facts: r.facts(), Gate: r.Gate, Notes: r.Notes, Quality: r.quality(), Cost: r.cost(), Popular: r.popularity(),
		Slices: r.sliceTables(), Clusters: r.Clusters, Command: r.Command, Machine: r.Machine, Version: r.Version,
	}
	for i, k := range cutoffs(metrics) {
		g := chartGroup{Title: "All people", Open: i == 0}
		if k > 0 {
			g.Title = fmt.Sprintf("Lists of %d", k)
		}
		for _, m := range metrics {
			if m.k == k {
				g.Charts = append(g.Charts, newBarChart(fmt.Sprintf("chart-%d-%d", k, len(g.Charts)), m, r.Models))
			}
		}
		p.Charts = append(p.Charts, g)
	}
	if c := r.Clusters; c != nil {
		p.ClusterTable, p.ClusterCharts, p.ClusterGroups = c.points(), c.charts(), c.groups()
	}
	for i, m := range r.Models {
		if len(m.Loss) > 0 {
			xs := make([]int, len(m.Loss))
			for i := range xs {
				xs[i] = i + 1
			}
			p.Loss = append(p.Loss, newLineChart(fmt.Sprintf("loss-%d", i), m.Name, "", "iteration", xs, m.Loss, -1))
		}
		var pretty bytes.Buffer
		if len(m.Config) > 0 {
			if err := json.Indent(&pretty, m.Config, "", "  "); err != nil {
				return p, fmt.Errorf("model %q: config: %w", m.Name, err)
			}
		}
		if pretty.Len() > len("{}") {
			p.Configs = append(p.Configs, Detail{m.Name, pretty.String()})
		}
	}
	p.Glossary = glossary(metrics)
	return p, nil
}

// glossary explains the families of the metrics, once each.
func glossary(metrics []metric) []Detail {
	var out []Detail
	for _, m := range metrics {
		if m.about != "" && (len(out) == 0 || out[len(out)-1].Name != m.label) {
			out = append(out, Detail{m.label, m.about})
		}
	}
	return out
}
