package sweep

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Goal is what settings are to achieve, in every round.
type Goal struct{ clauses []clause }

// clause is one condition.
type clause struct {
	text   string
	metric Metric
	under  bool
	limit  float64 // in the metric's unit
}

// enough is the share of an asked-for rate that counts as having kept it: the
// draining at the end of a run takes its time.
const enough = 0.95

// ParseGoal reads conditions with commas between: "p99.9 under 1us", "throughput
// over 300k", "loss under 1%", "no loss", each perhaps with "at 500k/s" behind,
// which asks for that much throughput.
func ParseGoal(text string) (Goal, error) {
	var g Goal
	if strings.TrimSpace(text) == "" {
		return g, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		what, rate, at := strings.Cut(strings.TrimSpace(part), "at ")
		if at {
			n, err := parseCount(strings.TrimSuffix(strings.TrimSpace(rate), "/s"))
			if err != nil {
				return g, fmt.Errorf("-goal: %q: %w", part, err)
			}
			m, _ := metric("throughput")
			g.clauses = append(g.clauses, clause{"at " + strings.TrimSpace(rate), m, false, n * enough})
		}
		if what = strings.TrimSpace(what); what == "" && at {
			continue
		}
		c, err := parseClause(what)
		if err != nil {
			return g, err
		}
		g.clauses = append(g.clauses, c)
	}
	return g, nil
}

func parseClause(text string) (clause, error) {
	words := strings.Fields(text)
	if len(words) == 2 && words[0] == "no" && words[1] == "loss" {
		m, _ := metric("loss")
		return clause{text, m, true, 0}, nil
	}
	if len(words) != 3 || words[1] != "under" && words[1] != "over" {
		return clause{}, fmt.Errorf(`-goal: %q is not like "p99.9 under 1us", "throughput over 300k" or "no loss"`, text)
	}
	m, ok := metric(words[0])
	if !ok {
		return clause{}, fmt.Errorf("-goal: there is no figure %q; there are throughput, p50, p99, p99.9, max and loss", words[0])
	}
	limit, err := m.parse(words[2])
	if err != nil {
		return clause{}, fmt.Errorf("-goal: %q: %w", text, err)
	}
	return clause{text, m, words[1] == "under", limit}, nil
}

func (m *Metric) parse(s string) (float64, error) {
	switch m.Unit {
	case "s":
		d, err := time.ParseDuration(s)
		return d.Seconds(), err
	case "%":
		return strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	}
	return parseCount(strings.TrimSuffix(s, "/s"))
}

func parseCount(s string) (float64, error) {
	unit := 1.0
	for suffix, u := range map[string]float64{"k": 1e3, "M": 1e6, "G": 1e9} {
		if cut, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = cut, u
			break
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	return n * unit, err
}

// met reports whether all values, which are sorted, meet the condition.
func (c *clause) met(sorted []float64) bool {
	if len(sorted) == 0 {
		return false
	}
	if worst := sorted[len(sorted)-1]; c.under {
		return worst <= c.limit
	}
	return sorted[0] >= c.limit
}

// aim is the metric that decides between those that meet the goal: the first
// latency that it names, else throughput.
func (g *Goal) aim() Metric {
	for _, c := range g.clauses {
		if c.metric.Unit == "s" {
			return c.metric
		}
	}
	m, _ := metric("throughput")
	return m
}
