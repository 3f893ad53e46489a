package report

import (
	"fmt"
	"math"
	"strings"
)

// px is a length in a plot: two decimals, so that the same numbers give the same bytes.
type px float64

// String writes the length without trailing zeros.
func (v px) String() string { return trimZeros(fmt.Sprintf("%.2f", float64(v))) }

// tick is one labelled place on an axis.
type tick struct {
	At    px
	Label string
}

// ticks divides [low, high] by the round step that gives about n parts, and returns
// the widened ends and the step.
func ticks(low, high float64, n int) (from, to, step float64) {
	if !(high > low) {
		high = low + math.Max(1e-9, math.Abs(low)/10)
	}
	raw := (high - low) / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step = 10 * power
	for _, m := range []float64{1, 2, 2.5, 5} {
		if raw <= m*power*(1+1e-9) {
			step = m * power
			break
		}
	}
	return math.Floor(low/step+1e-9) * step, math.Ceil(high/step-1e-9) * step, step
}

// barChart compares one metric over the models: a bar for each, with its interval.
type barChart struct {
	ID, Title, About, Text string // Text says in words what the plot shows
	Width, Height          px
	Plot                   struct{ Left, Right, Top, Bottom px }
	Ticks                  []tick
	Bars                   []bar
}

type bar struct {
	Name, Value   string
	Class         string // best, model or baseline
	Y, Mid, Width px     // top, middle and length of the bar
	NameX, ValueX px
	Whisker       string // path of the interval, "" if it has no width
}

// The size of a bar chart, in the SVG's own units; it is scaled to its column.
const (
	chartWidth = 340
	nameWidth  = 82
	valueWidth = 48
	barHeight  = 14
	barStep    = 25
	axisHeight = 20
)

// newBarChart lays out the bars of metric m for every model that has it.
func newBarChart(id string, m metric, models []Model) barChart {
	c := barChart{ID: id, Title: m.title(), About: m.about, Width: chartWidth}
	var shown []Model
	low, high := 0.0, 0.0
	for _, model := range models {
		if v, ok := model.Metrics[m.name]; ok {
			shown = append(shown, model)
			low, high = min(low, v.Low), max(high, v.High)
		}
	}
	if low == 0 && high == 0 {
		high = 1 // nobody scored: show an empty scale
	}
	from, to, step := ticks(low, high, 4)
	left, right := float64(nameWidth), float64(chartWidth-valueWidth)
	at := func(v float64) px { return px(left + (right-left)*(v-from)/(to-from)) }
	c.Plot.Left, c.Plot.Right, c.Plot.Top, c.Plot.Bottom = px(left), px(right), 2, px(4+barStep*len(shown))
	c.Height = c.Plot.Bottom + axisHeight
	for i := 0; from+float64(i)*step <= to+step/2; i++ {
		v := from + float64(i)*step
		c.Ticks = append(c.Ticks, tick{at(v), short(v, step)})
	}
	best, contested := bestMean(shown, m.name)
	var said []string
	for i, model := range shown {
		v := model.Metrics[m.name]
		b := bar{
			Name: clip(model.Name, 13), Value: metricText(v.Mean), Class: "model",
			Y: px(6 + barStep*i), NameX: px(left - 7), ValueX: px(right + 6),
			Width: max(at(v.Mean)-at(0), 0),
		}
		b.Mid = b.Y + barHeight/2
		if v.Low < v.High {
			b.Whisker = whisker(at(v.Low), at(v.High), b.Mid)
		}
		switch {
		case contested && b.Value == best:
			b.Class = "best"
		case model.Baseline:
			b.Class = "baseline"
		}
		c.Bars = append(c.Bars, b)
		said = append(said, model.Name+" "+interval(v))
	}
	c.Text = m.title() + ": " + strings.Join(said, "; ")
	return c
}

// whisker is the path of an interval from low to high with its two ends.
func whisker(low, high, mid px) string {
	top, bottom := mid-3.5, mid+3.5
	return fmt.Sprintf("M%s %sH%sM%s %sV%sM%s %sV%s", low, mid, high, low, top, bottom, high, top, bottom)
}

// lineChart is one curve, such as inertia over k.
type lineChart struct {
	ID, Title, About, Text string
	Width, Height          px
	Plot                   struct{ Left, Right, Top, Bottom px }
	X, Y                   []tick
	XLabel                 string
	Path                   string
	Dots                   []dot
	Mark                   *dot // the point that was chosen
}

type dot struct {
	X, Y  px
	Label string
}

// newLineChart lays out the curve through (xs[i], ys[i]), of which chosen (an
// index, or -1) is marked. xs ascend and are whole numbers.
func newLineChart(id, title, about, xLabel string, xs []int, ys []float64, chosen int) lineChart {
	c := lineChart{ID: id, Title: title, About: about, XLabel: xLabel, Width: chartWidth, Height: 200}
	left, right, top, bottom := 46.0, float64(chartWidth-12), 12.0, 162.0
	c.Plot.Left, c.Plot.Right, c.Plot.Top, c.Plot.Bottom = px(left), px(right), px(top), px(bottom)
	low, high := ys[0], ys[0]
	for _, y := range ys {
		low, high = min(low, y), max(high, y)
	}
	from, to, step := ticks(low, high, 4)
	first, last := float64(xs[0]), float64(xs[len(xs)-1])
	atX := func(v float64) px {
		if last == first {
			return px((left + right) / 2)
		}
		return px(left + 8 + (right-left-16)*(v-first)/(last-first))
	}
	atY := func(v float64) px { return px(bottom - (bottom-top)*(v-from)/(to-from)) }
	for i := 0; from+float64(i)*step <= to+step/2; i++ {
		v := from + float64(i)*step
		c.Y = append(c.Y, tick{atY(v), short(v, step)})
	}
	every := 1 + (len(xs)-1)/10 // at most about ten labels
	var path strings.Builder
	for i, x := range xs {
		d := dot{atX(float64(x)), atY(ys[i]), fmt.Sprintf("%s %d: %s", xLabel, x, short(ys[i], step/100))}
		if i%every == 0 {
			c.X = append(c.X, tick{d.X, fmt.Sprint(x)})
		}
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&path, "%s%s %s", command, d.X, d.Y)
		c.Dots = append(c.Dots, d)
	}
	c.Path = path.String()
	c.Text = describe(title, c.Dots)
	if chosen >= 0 {
		c.Mark = &c.Dots[chosen]
		c.Text += "; chosen: " + c.Mark.Label
	}
	return c
}

// describe says a curve in words: all of a short one, the ends of a long one.
func describe(title string, dots []dot) string {
	if len(dots) > 12 {
		return fmt.Sprintf("%s: %s; … %s", title, dots[0].Label, dots[len(dots)-1].Label)
	}
	labels := make([]string, len(dots))
	for i, d := range dots {
		labels[i] = d.Label
	}
	return title + ": " + strings.Join(labels, "; ")
}

// clip shortens a name that its column has no room for.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
