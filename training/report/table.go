package report

import "fmt"

// table is what both renderings show: the page as HTML, the text as Markdown.
type table struct {
	Caption string
	Head    []head // the first heads the rows' names
	Rows    []row
}

type head struct {
	Text string
	Note string // "baseline" over a baseline's column
}

type row struct {
	Name  string
	About string // explains the name; for a title attribute
	Cells []cell
}

type cell struct {
	Text  string
	Range string // the interval's ends, "" if it has no width
	Half  string // half of its width
	Best  bool   // the best of its row
}

// quality has a row for each metric and a column for each model.
func (r *Report) quality() table {
	t := table{Caption: "Every metric, with its bootstrap 95 % interval over people", Head: heads("Metric")}
	for _, m := range r.Models {
		h := head{Text: m.Name}
		if m.Baseline {
			h.Note = "baseline"
		}
		t.Head = append(t.Head, h)
	}
	t.Rows = metricRows(metricsOf(r.Models), r.Models)
	return t
}

func metricRows(metrics []metric, models []Model) []row {
	var rows []row
	for _, m := range metrics {
		best, contested := bestMean(models, m.name)
		line := row{Name: m.title(), About: m.about}
		for _, model := range models {
			v, ok := model.Metrics[m.name]
			if !ok {
				line.Cells = append(line.Cells, cell{Text: "–"})
				continue
			}
			c := cell{Text: metricText(v.Mean), Best: contested && metricText(v.Mean) == best}
			if v.Low < v.High {
				c.Range = metricText(v.Low) + "–" + metricText(v.High)
				c.Half = metricText((v.High - v.Low) / 2)
			}
			line.Cells = append(line.Cells, c)
		}
		rows = append(rows, line)
	}
	return rows
}

// cost has a row for each model.
func (r *Report) cost() table {
	t := table{Caption: "What each model cost", Head: heads("Model", "Wall time", "Peak memory", "Seed")}
	for _, m := range r.Models {
		t.Rows = append(t.Rows, row{Name: m.Name, Cells: []cell{
			{Text: seconds(m.Seconds)}, {Text: memory(m.PeakMemoryBytes)}, {Text: fmt.Sprint(m.Seed)},
		}})
	}
	return t
}

// popularity is the table of popularity bias; without rows if nobody measured it.
func (r *Report) popularity() table {
	t := table{
		Caption: "How far each model leans towards what everybody likes anyway",
		Head:    heads("Model", "Mean popularity percentile", "Share to the top 10 %", "Gini"),
	}
	for _, m := range r.Models {
		if p := m.Popularity; p != nil {
			t.Rows = append(t.Rows, row{Name: m.Name, Cells: []cell{
				{Text: percent(p.Mean)}, {Text: percent(p.TopShare)}, {Text: fmt.Sprintf("%.3f", p.Gini)},
			}})
		}
	}
	return t
}

// sliceTables has a table for each slice.
func (r *Report) sliceTables() []table {
	var out []table
	for _, s := range r.Slices {
		models := make([]Model, len(s.Models))
		t := table{Caption: fmt.Sprintf("%s: %s people", s.Name, count(s.People)), Head: heads("Metric")}
		for i, m := range s.Models {
			models[i] = Model{Name: m.Name, Metrics: m.Metrics}
			t.Head = append(t.Head, head{Text: m.Name})
		}
		t.Rows = metricRows(metricsOf(models), models)
		out = append(out, t)
	}
	return out
}

func heads(names ...string) (out []head) {
	for _, n := range names {
		out = append(out, head{Text: n})
	}
	return out
}
