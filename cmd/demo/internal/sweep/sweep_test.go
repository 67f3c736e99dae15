package sweep

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
)

func grid(t *testing.T, axes ...string) (g Grid) {
	t.Helper()
	for _, a := range axes {
		if err := g.Set(a); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestGridIsEveryCombination(t *testing.T) {
	g := grid(t, "batch=1,16", "overflow=wait,drop-oldest,drop-newest")
	cells, err := g.Cells()
	if err != nil || len(cells) != 6 || !slices.Equal(cells[4], []string{"16", "drop-oldest"}) {
		t.Errorf("%v, %v", cells, err)
	}
	s, err := g.Settings(lab.Defaults(), cells[4])
	if err != nil || s.Batch != 16 || s.Overflow != lab.DropOldest {
		t.Errorf("%+v, %v", s, err)
	}
	if g.Label(cells[4]) != "batch=16 overflow=drop-oldest" || g.String() != "batch=1,16 overflow=wait,drop-oldest,drop-newest" {
		t.Error(g.Label(cells[4]), g.String())
	}
	queue := grid(t, "queue=10,1000")
	if s, err := queue.Settings(lab.Defaults(), []string{"10"}); err != nil || s.Batch != 10 {
		t.Errorf("%+v, %v", s, err)
	}
	both := grid(t, "queue=10", "batch=20")
	if _, err := both.Settings(lab.Defaults(), []string{"10", "20"}); err == nil || !strings.Contains(err.Error(), "queue=10 batch=20: -batch") {
		t.Error(err)
	}
}

func TestGridsThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"batch": "want name=value", "batch=": "batch", "nosuch=1": `"nosuch"`, "batch=1,x": "-batch x", "batch=1,1": "twice",
		"seed=1,2": "the same in all runs", "producers=1": "given twice",
	} {
		g := grid(t, "producers=1,2")
		if err := g.Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	var many []string
	for range 14 {
		many = append(many, "1", "2")
	}
	g := Grid{}
	for range 14 {
		g = append(g, Axis{"batch", many[:2]})
	}
	if _, err := g.Cells(); err == nil {
		t.Error("16,384 combinations were accepted")
	}
}

func TestRoundsAreInterleaved(t *testing.T) {
	turns := plan(3, 5, 1)
	seen := map[turn]bool{}
	for i, at := range turns {
		seen[at] = true
		if at.round != i/5 {
			t.Errorf("round %d comes at %d", at.round, i)
		}
	}
	if len(seen) != 15 || slices.Equal(turns[:5], turns[5:10]) {
		t.Errorf("%v", turns)
	}
}

// measured is a sweep as if it had been run.
func measured(goal string) *Result {
	r := New(lab.Defaults(), Grid{{"batch", []string{"1", "64"}}, {"overflow", []string{"wait", "drop-oldest"}}}, 2, goal)
	for round := range 2 {
		for cell, m := range []struct {
			rate, dropped float64
			p999          time.Duration
		}{{100e3, 0, 900}, {200e3, 20, 300}, {600e3, 0, 2000}, {900e3, 5, 400}} {
			run := Run{Round: round, Cell: cell, PerSecond: m.rate + float64(round), Offered: 100, Dropped: uint64(m.dropped)}
			run.Calls.P999 = m.p999 + time.Duration(round)
			r.Runs = append(r.Runs, run)
		}
	}
	return r
}

func TestAdvice(t *testing.T) {
	for goal, want := range map[string]string{
		"":                              "2 of 4 combinations meet \"no loss\" in every round. Of them batch=64 overflow=wait has the best throughput: throughput 600k/s",
		"no loss":                       "-batch 64 -overflow wait",
		"p99.9 under 1us":               "3 of 4 combinations meet \"p99.9 under 1us\" in every round. Of them batch=1 overflow=drop-oldest has the best p99.9",
		"p99.9 under 1us, no loss":      "Of them batch=1 overflow=wait",
		"p99.9 under 900ns, no loss":    "None of 4",
		"p99.9 under 5us at 600k/s":     "2 of 4",
		"no loss at 500k/s":             "1 of 4",
		"loss under 10%":                "3 of 4",
		"throughput over 0.9M":          "Try: demo run -batch 64",
		"no loss, throughput over 800k": `The closest is batch=64 overflow=drop-oldest, which misses "no loss", for loss was 5%`,
	} {
		g, err := ParseGoal(goal)
		if err != nil {
			t.Fatal(err)
		}
		if got := measured(goal).advise(g); !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %q", goal, got, want)
		}
	}
	if got := measured("").advise(Goal{}); strings.Contains(got, "As good") {
		t.Error(got)
	}
	near := New(lab.Defaults(), Grid{{"batch", []string{"1", "2", "3", "4", "5", "6"}}}, 2, "")
	for cell, rates := range [][2]float64{{1, 2}, {50, 90}, {70, 100}, {99, 110}, {95, 96}, {80, 97}} {
		for round, rate := range rates {
			near.Runs = append(near.Runs, Run{Round: round, Cell: cell, PerSecond: rate, Offered: 1})
		}
	}
	for runs, want := range map[int]string{
		12: "batch=4 has the best throughput: throughput 104/s (99/s to 110/s), p99.9 0ns, loss 0%. As good, as far as these rounds tell: batch=3. Try",
		6:  "batch=3 has the best throughput: throughput 85/s (70/s to 100/s), p99.9 0ns, loss 0%. As good, as far as these rounds tell: batch=2. Try",
	} {
		r := *near
		r.Runs = r.Runs[:runs]
		if got := r.advise(Goal{}); !strings.Contains(got, want) {
			t.Errorf("%d runs: %s", runs, got)
		}
	}
	near.Runs[3].PerSecond, near.Runs[6].PerSecond = 97, 10
	if got, want := near.advise(Goal{}), "batch=5 has the best throughput: throughput 95.5/s (95/s to 96/s), p99.9 0ns, loss 0%. As good, as far as these rounds tell: batch=2, batch=3, batch=4 and 1 more. Try"; !strings.Contains(got, want) {
		t.Errorf("%s, want %q", got, want)
	}
	empty := New(lab.Defaults(), grid(t, "batch=1"), 1, "")
	if got := empty.advise(Goal{}); got != "Nothing was measured." {
		t.Error(got)
	}
}

func TestGoalsThatMakeNoSense(t *testing.T) {
	for _, goal := range []string{"fast", "p98 under 1us", "p99 under 1", "p99 below 1us", "throughput over x", "loss under x", "no loss at x/s"} {
		if _, err := ParseGoal(goal); err == nil || !strings.Contains(err.Error(), "-goal") {
			t.Errorf("%s: %v", goal, err)
		}
	}
}

func TestTablesAndPlots(t *testing.T) {
	r := measured("")
	r.Advice = "a < b"
	var table, page strings.Builder
	if err := errors.Join(r.CSV(&table), r.HTML(&page)); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(table.String()), "\n")
	if len(rows) != 9 || rows[0] != "batch,overflow,round,events_per_second,p50_ns,p99_ns,p999_ns,max_ns,offered,delivered,rerouted,dropped,lost" ||
		rows[2] != "1,drop-oldest,1,200000.0,0,0,300,0,100,0,0,20,0" {
		t.Error(table.String())
	}
	for _, want := range []string{"a &lt; b", "<td>900k/s</td>", "throughput over batch and overflow", "drop-oldest"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if strings.Contains(page.String(), "src=") || strings.Contains(page.String(), "NaN") {
		t.Error("the page needs something else")
	}
	if n := len(r.Plots()); n != 9 {
		t.Errorf("%d plots", n)
	}
	r.Runs[3].Books = "they do not"
	if r.Unsound() != "batch=64 overflow=drop-oldest: they do not" {
		t.Error(r.Unsound())
	}
}

// TestAnInterruptedSweepGoesOn interrupts after the first run, reads the sweep
// back, and makes the others.
func TestAnInterruptedSweepGoesOn(t *testing.T) {
	base := lab.Defaults()
	base.Duration = 20 * time.Millisecond
	path := filepath.Join(t.TempDir(), "sweep.json")
	r := New(base, grid(t, "batch=1,16", "producers=1,2"), 2, "no loss")
	ctx, cancel := context.WithCancel(t.Context())
	show := func(p Progress) {
		if p.Done == 1 {
			cancel()
		}
	}
	if err := r.Continue(ctx, show, func() error { return r.Save(path) }); err != nil || r.Left() != 7 {
		t.Fatalf("%d runs are left, %v", r.Left(), err)
	}
	again, err := Load(path)
	if err != nil || again.Left() != 7 {
		t.Fatalf("%+v, %v", again, err)
	}
	first, total := -1, 0
	err = again.Continue(t.Context(), func(p Progress) {
		if first < 0 {
			first = p.Done
		}
		total = p.Total
	}, func() error { return again.Save(path) })
	if err != nil || again.Left() != 0 || first != 1 || total != 8 || again.Unsound() != "" || !strings.Contains(again.Advice, "combinations") {
		t.Errorf("first %d of %d, %+v, %v", first, total, again, err)
	}
	if broken := errors.New("disk full"); !errors.Is(r.Continue(t.Context(), func(Progress) {}, func() error { return broken }), broken) {
		t.Error("an error of saving is not reported")
	}
}

func TestFilesThatAreNoSweeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.json")
	for _, text := range []string{"", "{}", `{"rounds":1,"grid":[{"name":"batch","values":["x"]}],"runs":[]}`,
		`{"rounds":1,"grid":[{"name":"batch","values":["1"]}],"runs":[{"cell":7}]}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if New(lab.Defaults(), nil, 1, "").Save(filepath.Join(path, "no", "such")) == nil {
		t.Error("saved nowhere")
	}
}
