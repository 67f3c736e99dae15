package sweep

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/chart"
	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

// advise says in a few sentences which settings meet the goal. Without a goal
// that is to lose nothing.
func (r *Result) advise(g Goal) string {
	if len(g.clauses) == 0 {
		c, _ := parseClause("no loss")
		g.clauses = []clause{c}
	}
	cells, _ := r.Grid.Cells()
	aim := g.aim()
	var best, closest []string
	var good [][]string
	measured, met, miss := 0, -1, ""
	for _, cell := range cells {
		if len(r.cellValues(aim, cell)) == 0 {
			continue
		}
		measured++
		ok, missed := 0, ""
		for i := range g.clauses {
			if c := &g.clauses[i]; c.met(r.cellValues(c.metric, cell)) {
				ok++
			} else if missed == "" {
				missed = fmt.Sprintf("%q, for %s was %s", c.text, c.metric.Name, r.spread(c.metric, cell))
			}
		}
		if missed == "" {
			if good = append(good, cell); best == nil || aim.better(median(r.cellValues(aim, cell)), median(r.cellValues(aim, best))) {
				best = cell
			}
		}
		if ok > met || ok == met && aim.better(median(r.cellValues(aim, cell)), median(r.cellValues(aim, closest))) {
			closest, met, miss = cell, ok, missed
		}
	}
	switch {
	case measured == 0:
		return "Nothing was measured."
	case best == nil:
		return fmt.Sprintf("None of %d combinations meets %s in every round. The closest is %s, which misses %s.", measured, g.String(), r.Grid.Label(closest), miss)
	}
	return fmt.Sprintf("%d of %d combinations meet %s in every round. Of them %s has the best %s: %s.%s Try: demo run %s",
		len(good), measured, g.String(), r.Grid.Label(best), aim.Name, r.figures(best), r.asGood(aim, best, good), r.flags(best))
}

// asGood names combinations that the best of them has not beaten in every round.
func (r *Result) asGood(aim Metric, best []string, among [][]string) string {
	const most = 3
	var names []string
	top := r.cellValues(aim, best)
	for _, cell := range among {
		v := r.cellValues(aim, cell)
		if !slices.Equal(cell, best) && v[0] <= top[len(top)-1] && top[0] <= v[len(v)-1] {
			names = append(names, r.Grid.Label(cell))
		}
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	if len(names) == 0 {
		return ""
	}
	last := len(names) - 1
	text := names[last]
	if last > 0 {
		text = strings.Join(names[:last], ", ") + " and " + text
	}
	return " As good, as far as these rounds tell: " + text + "."
}

// String is the goal as it was given.
func (g *Goal) String() string {
	var parts []string
	for _, c := range g.clauses {
		parts = append(parts, c.text)
	}
	return `"` + strings.Join(parts, ", ") + `"`
}

func (m *Metric) better(a, b float64) bool { return a < b == m.Lower && a != b }

// figures are a combination's main figures.
func (r *Result) figures(cell []string) string {
	var parts []string
	for _, m := range Metrics {
		if m.Name == "throughput" || m.Name == "p99.9" || m.Name == "loss" {
			parts = append(parts, m.Name+" "+r.spread(m, cell))
		}
	}
	return strings.Join(parts, ", ")
}

// spread is a metric's median, and how far the rounds lie apart.
func (r *Result) spread(m Metric, cell []string) string {
	v := r.cellValues(m, cell)
	s := m.Format(median(v))
	if len(v) > 1 && v[0] != v[len(v)-1] {
		s += fmt.Sprintf(" (%s to %s)", m.Format(v[0]), m.Format(v[len(v)-1]))
	}
	return s
}

// Format formats a value in the metric's unit.
func (m *Metric) Format(v float64) string {
	switch m.Unit {
	case "s":
		return term.Brief(time.Duration(v * float64(time.Second)))
	case "%":
		return chart.Short(v) + "%"
	}
	return chart.Short(v) + "/s"
}

// flags are the flags for a run of a combination, of the usual length.
func (r *Result) flags(cell []string) string {
	s, err := r.Grid.Settings(r.Base, cell)
	if err != nil {
		return ""
	}
	s.Duration = lab.Defaults().Duration
	return strings.Join(s.Args(), " ")
}
