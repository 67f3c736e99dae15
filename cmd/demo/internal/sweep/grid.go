// Package sweep runs an experiment for every combination of some settings'
// values, several times and interleaved, and makes tables, plots and a
// recommendation of what it measured.
package sweep

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
)

// Axis is a setting and the values it takes, in the words of its flag.
type Axis struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Grid is all combinations of its axes' values. It is a flag that may be given
// several times, each time as name=value,value.
type Grid []Axis

// String implements [flag.Value].
func (g *Grid) String() string {
	var parts []string
	for _, a := range *g {
		parts = append(parts, a.Name+"="+strings.Join(a.Values, ","))
	}
	return strings.Join(parts, " ")
}

// fixed are settings that a sweep has for itself.
var fixed = []string{"duration", "seed", "dir", "drain"}

// Set implements [flag.Value].
func (g *Grid) Set(text string) error {
	name, list, ok := strings.Cut(text, "=")
	values := strings.Split(list, ",")
	switch {
	case !ok:
		return fmt.Errorf("want name=value,value, as batch=1,16,64")
	case slices.Contains(fixed, name):
		return fmt.Errorf("%s is the same in all runs", name)
	case slices.ContainsFunc(*g, func(a Axis) bool { return a.Name == name }):
		return fmt.Errorf("%s is given twice", name)
	}
	for i, v := range values {
		var s lab.Settings
		if err := s.Set(name, v); err != nil {
			return err
		}
		if slices.Contains(values[:i], v) {
			return fmt.Errorf("%s has the value %s twice", name, v)
		}
	}
	*g = append(*g, Axis{name, values})
	return nil
}

// maxCells bounds a grid, so that a slip of the finger is noticed.
const maxCells = 10_000

// Cells returns the values of every combination, the last axis running
// fastest.
func (g Grid) Cells() (cells [][]string, err error) {
	cells = [][]string{nil}
	for _, a := range g {
		var next [][]string
		for _, c := range cells {
			for _, v := range a.Values {
				next = append(next, append(slices.Clip(c), v))
			}
		}
		if cells = next; len(cells) > maxCells {
			return nil, fmt.Errorf("the grid has more than %d combinations", maxCells)
		}
	}
	return cells, nil
}

// Settings returns base with a combination's values, checked. If the batch is no
// axis and larger than the queue, it becomes as large as that.
func (g Grid) Settings(base lab.Settings, cell []string) (lab.Settings, error) {
	for i, a := range g {
		if err := base.Set(a.Name, cell[i]); err != nil {
			return base, err
		}
	}
	if !slices.ContainsFunc(g, func(a Axis) bool { return a.Name == "batch" }) {
		base.Batch = min(base.Batch, base.Queue)
	}
	if err := base.Check(); err != nil {
		return base, fmt.Errorf("%s: %w", g.Label(cell), err)
	}
	return base, nil
}

// Label names a combination.
func (g Grid) Label(cell []string) string {
	var parts []string
	for i, a := range g {
		parts = append(parts, a.Name+"="+cell[i])
	}
	return strings.Join(parts, " ")
}

// turn is one run to be made.
type turn struct{ round, cell int }

// plan is the order of all runs: round after round, each in an order of its
// own, so that what slows the machine down for a while hits no one setting.
func plan(rounds, cells int, seed uint64) (turns []turn) {
	r := rand.New(rand.NewPCG(seed, 0x7377656570))
	for round := range rounds {
		for _, cell := range r.Perm(cells) {
			turns = append(turns, turn{round, cell})
		}
	}
	return turns
}
