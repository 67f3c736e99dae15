package sweep

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
)

// Result is a sweep, finished or not. As JSON it is what a sweep is resumed
// from.
type Result struct {
	Go       string       `json:"go"`
	Platform string       `json:"platform"`
	Procs    int          `json:"gomaxprocs"`
	Base     lab.Settings `json:"base"`
	Grid     Grid         `json:"grid"`
	Rounds   int          `json:"rounds"`
	Goal     string       `json:"goal,omitempty"`
	Advice   string       `json:"advice"`
	Runs     []Run        `json:"runs"`
}

// Run is what one run measured.
type Run struct {
	Round     int         `json:"round"`
	Cell      int         `json:"cell"` // its number in the grid, the last axis running fastest
	PerSecond float64     `json:"events_per_second"`
	Calls     lab.Latency `json:"calls_ns"`
	Offered   uint64      `json:"offered"`
	Delivered uint64      `json:"delivered"`
	Rerouted  uint64      `json:"rerouted"`
	Dropped   uint64      `json:"dropped"`
	Lost      uint64      `json:"lost"`
	Books     string      `json:"books"` // "" if they balance
}

// New returns a sweep of which nothing has been run.
func New(base lab.Settings, g Grid, rounds int, goal string) *Result {
	return &Result{
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Procs: runtime.GOMAXPROCS(0),
		Base: base, Grid: g, Rounds: rounds, Goal: goal, Runs: []Run{},
	}
}

// Load reads a sweep back.
func Load(path string) (*Result, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%s is no sweep: %w", path, err)
	}
	return r, nil
}

func (r *Result) check() error {
	cells, err := r.Grid.Cells()
	switch {
	case err != nil:
		return err
	case r.Rounds < 1 || len(r.Grid) == 0:
		return errors.New("it has nothing to run")
	}
	for _, run := range r.Runs {
		if run.Cell < 0 || run.Cell >= len(cells) {
			return fmt.Errorf("it has a run of combination %d", run.Cell)
		}
	}
	for _, c := range cells {
		if _, err := r.Grid.Settings(r.Base, c); err != nil {
			return err
		}
	}
	return nil
}

// left returns the runs that are still to be made.
func (r *Result) left() []turn {
	cells, _ := r.Grid.Cells()
	return slices.DeleteFunc(plan(r.Rounds, len(cells), r.Base.Seed), func(t turn) bool {
		return slices.ContainsFunc(r.Runs, func(run Run) bool { return run.Round == t.round && run.Cell == t.cell })
	})
}

// Left is the number of runs still to be made.
func (r *Result) Left() int { return len(r.left()) }

// add notes the outcome of a run.
func (r *Result) add(t turn, o *lab.Outcome) {
	r.Runs = append(r.Runs, Run{
		Round: t.round, Cell: t.cell, PerSecond: o.PerSecond, Calls: o.Calls, Offered: o.Stats.Offered, Delivered: o.Stats.Delivered,
		Rerouted: o.Stats.Rerouted, Dropped: o.Dropped(), Lost: o.Lost(), Books: o.Books,
	})
}

// Save writes the sweep to path, in one step: a crash leaves the old one.
func (r *Result) Save(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".sweep-")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// CSV writes every run as a row.
func (r *Result) CSV(w io.Writer) error {
	cells, err := r.Grid.Cells()
	if err != nil {
		return err
	}
	c := csv.NewWriter(w)
	var head []string
	for _, a := range r.Grid {
		head = append(head, a.Name)
	}
	err = c.Write(append(head, "round", "events_per_second", "p50_ns", "p99_ns", "p999_ns", "max_ns", "offered", "delivered", "rerouted", "dropped", "lost"))
	for _, run := range r.Runs {
		row := append(slices.Clip(cells[run.Cell]), strconv.Itoa(run.Round+1), strconv.FormatFloat(run.PerSecond, 'f', 1, 64))
		for _, d := range []time.Duration{run.Calls.P50, run.Calls.P99, run.Calls.P999, run.Calls.Max} {
			row = append(row, strconv.FormatInt(int64(d), 10))
		}
		for _, n := range []uint64{run.Offered, run.Delivered, run.Rerouted, run.Dropped, run.Lost} {
			row = append(row, strconv.FormatUint(n, 10))
		}
		err = errors.Join(err, c.Write(row))
	}
	c.Flush()
	return errors.Join(err, c.Error())
}

// Metric is a figure of a run.
type Metric struct {
	Name  string
	Unit  string // "", "s" or "%"
	Of    func(Run) float64
	Lower bool // is better
}

// Metrics are the figures that are plotted, and that goals may name.
var Metrics = []Metric{
	{"throughput", "", func(r Run) float64 { return r.PerSecond }, false},
	{"p50", "s", func(r Run) float64 { return r.Calls.P50.Seconds() }, true},
	{"p99", "s", func(r Run) float64 { return r.Calls.P99.Seconds() }, true},
	{"p99.9", "s", func(r Run) float64 { return r.Calls.P999.Seconds() }, true},
	{"max", "s", func(r Run) float64 { return r.Calls.Max.Seconds() }, true},
	{"loss", "%", func(r Run) float64 { return 100 * float64(r.Dropped+r.Lost) / float64(max(r.Offered, 1)) }, true},
}

func metric(name string) (Metric, bool) {
	i := slices.IndexFunc(Metrics, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return Metrics[i], true
}

// values returns a metric of all runs of the cells that want says.
func (r *Result) values(m Metric, want func(cell []string) bool) (values []float64) {
	cells, _ := r.Grid.Cells()
	for _, run := range r.Runs {
		if want(cells[run.Cell]) {
			values = append(values, m.Of(run))
		}
	}
	slices.Sort(values)
	return values
}

// cellValues are a metric's values in all rounds of one combination.
func (r *Result) cellValues(m Metric, cell []string) []float64 {
	return r.values(m, func(c []string) bool { return slices.Equal(c, cell) })
}

// median returns NaN of nothing.
func median(sorted []float64) float64 {
	if len(sorted) == 0 {
		return nan
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

var nan = math.NaN()
