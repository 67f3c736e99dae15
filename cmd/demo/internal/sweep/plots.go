package sweep

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/chart"
)

// Plot is one picture.
type Plot struct {
	Name string // for a file
	SVG  string
}

// plotted are the metrics there are plots of.
var plotted = []string{"throughput", "p99.9", "loss"}

const (
	plotWidth, plotHeight = 640, 380
	maxSeries             = 7
)

// Plots draws each metric over each axis, and as a heat map over each pair.
func (r *Result) Plots() (plots []Plot) {
	for _, name := range plotted {
		m, _ := metric(name)
		for a := range r.Grid {
			plots = append(plots, r.lines(m, a))
		}
		for a := range r.Grid {
			for b := a + 1; b < len(r.Grid); b++ {
				plots = append(plots, r.heat(m, a, b))
			}
		}
	}
	return plots
}

// position returns where the axis has its values, and whether in the logarithm:
// numbers at their place, words in a row.
func (a *Axis) position() (at []float64, log, words bool) {
	for _, v := range a.Values {
		n, err := strconv.ParseFloat(v, 64)
		if d, e := time.ParseDuration(v); err != nil && e == nil {
			n, err = d.Seconds(), nil
		}
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			at = at[:0]
			for i := range a.Values {
				at = append(at, float64(i))
			}
			return at, false, true
		}
		at = append(at, n)
	}
	return at, slices.Min(at) > 0 && slices.Max(at) >= 10*slices.Min(at), false
}

// lines draws a metric over an axis, with a line for each value of the other
// axis that has most of them; over the rest it takes the median.
func (r *Result) lines(m Metric, a int) Plot {
	axis := &r.Grid[a]
	at, log, words := axis.position()
	l := chart.Lines{
		Title: m.Name + " over " + axis.Name, XLabel: axis.Name, YLabel: m.Name, LogX: log, Dots: true,
		YFormat: m.Format, LogY: m.Unit == "s",
	}
	if words {
		l.Names = axis.Values
	}
	other := -1
	for b := range r.Grid {
		if b != a && (other < 0 || len(r.Grid[b].Values) > len(r.Grid[other].Values)) {
			other = b
		}
	}
	names := []string{""}
	if other >= 0 {
		names = r.Grid[other].Values[:min(len(r.Grid[other].Values), maxSeries)]
	}
	order := make([]int, len(at))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(at[i], at[j]) })
	if !words { // by the names they were given
		named := map[float64]string{}
		for _, i := range order {
			l.Ticks = append(l.Ticks, at[i])
			named[at[i]] = axis.Values[i]
		}
		l.XFormat = func(v float64) string { return named[v] }
	}
	for _, name := range names {
		s := chart.Series{Name: m.Name}
		if other >= 0 {
			s.Name = r.Grid[other].Name + " " + name
		}
		for _, i := range order {
			s.X = append(s.X, at[i])
			s.Y = append(s.Y, median(r.values(m, func(c []string) bool {
				return c[a] == axis.Values[i] && (other < 0 || c[other] == name)
			})))
		}
		l.Series = append(l.Series, s)
	}
	return Plot{fmt.Sprintf("%s-%s", m.Name, axis.Name), l.SVG(plotWidth, plotHeight)}
}

// heat draws a metric over two axes, the median over the rest.
func (r *Result) heat(m Metric, a, b int) Plot {
	x, y := &r.Grid[a], &r.Grid[b]
	h := chart.Heat{Title: fmt.Sprintf("%s over %s and %s", m.Name, x.Name, y.Name), XLabel: x.Name, YLabel: y.Name, X: x.Values, Y: y.Values, Format: m.Format}
	for _, v := range y.Values {
		var row []float64
		for _, u := range x.Values {
			row = append(row, median(r.values(m, func(c []string) bool { return c[a] == u && c[b] == v })))
		}
		h.Z = append(h.Z, row)
	}
	return Plot{fmt.Sprintf("%s-%s-%s", m.Name, x.Name, y.Name), h.SVG(plotWidth, plotHeight)}
}
