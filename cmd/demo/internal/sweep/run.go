package sweep

import (
	"context"
	"runtime"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
)

// Progress is how far a sweep has come.
type Progress struct {
	Done, Total int
	Label       string        // of the combination that is next
	Left        time.Duration // as long as all runs have taken so far; 0: nobody knows yet
}

// Continue makes the runs that are left, and after each calls saved, whose
// error ends the sweep. A run that ctx cuts short is not counted.
func (r *Result) Continue(ctx context.Context, show func(Progress), saved func() error) error {
	g, err := ParseGoal(r.Goal)
	if err != nil {
		return err
	}
	cells, err := r.Grid.Cells()
	if err != nil {
		return err
	}
	turns := r.left()
	total, begun := len(r.Runs)+len(turns), time.Now()
	for i, t := range turns {
		p := Progress{Done: len(r.Runs), Total: total, Label: r.Grid.Label(cells[t.cell])}
		if i > 0 {
			p.Left = time.Since(begun) / time.Duration(i) * time.Duration(len(turns)-i)
		}
		show(p)
		s, err := r.Grid.Settings(r.Base, cells[t.cell])
		if err != nil {
			return err
		}
		runtime.GC() // nobody pays for the run before
		l, err := lab.Start(s)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-l.Over():
		case <-l.Died():
		}
		o := l.Stop()
		if ctx.Err() != nil {
			break
		}
		r.add(t, &o)
		r.Advice = r.advise(g)
		if err := saved(); err != nil {
			return err
		}
	}
	r.Advice = r.advise(g)
	return saved()
}

// Unsound returns the first run whose books did not balance, or "".
func (r *Result) Unsound() string {
	cells, _ := r.Grid.Cells()
	for _, run := range r.Runs {
		if run.Books != "" {
			return r.Grid.Label(cells[run.Cell]) + ": " + run.Books
		}
	}
	return ""
}
