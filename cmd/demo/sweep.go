package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/sweep"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
	"github.com/penstock-go/penstock/cmd/demo/internal/view"
)

const sweepAbout = `Usage: demo sweep [-sweep NAME=VALUE,VALUE...] [flags]
       demo sweep -resume FILE [-goal TEXT]

Runs the experiment of demo run for every combination of the values, -rounds
times, each round in another order, and writes to -out: sweep.json with all that
was measured, sweep.csv with a row for each run, sweep.html, a page with all
plots that needs nothing else, and every plot as an SVG file. NAME is a flag of
those below; -sweep may be repeated. Without it that is ` + usualSweep + `.

Then it says which combination serves best, of those that meet -goal in every
round. A goal is conditions with commas between. Which batch size for 50,000
events/s and a destination whose calls take 2ms?

  demo sweep -sweep batch=1,16,64,256,1024 -rate 50000 -latency 2ms \
      -goal "p99.9 under 1ms, no loss at 50k/s"

Figures are throughput, p50, p99, p99.9, max and loss. After an interruption
-resume goes on from the sweep.json, with the settings that are in it.

Producers run flat out and wait for room unless -rate and -overflow say
otherwise.

Losses are figures here, not failures. Exit codes: 0 done, or interrupted in
good order, 1 runtime error, or books that do not balance, 2 wrong usage, 130
second signal.

Flags:
`

// usualSweep is what is asked most often.
const usualSweep = "batch=1,16,64,256,1024"

// sweeper is the configuration of demo sweep.
type sweeper struct {
	settings lab.Settings
	grid     sweep.Grid
	rounds   int
	goal     string
	out      string
	resume   string
	json     bool
	quiet    bool

	result *sweep.Result
}

func sweepCommand(p process, args []string) int {
	s := sweeper{settings: lab.Defaults()}
	s.settings.Duration, s.settings.Rate = time.Second, 0
	// Flat out, a policy that drops has producers offer what nobody takes, and
	// that says little about any setting.
	s.settings.Overflow, s.settings.Sink = lab.Wait, lab.Memory
	fs := newFlags("demo sweep")
	s.settings.Flags(fs)
	fs.Var(&s.grid, "sweep", "`name=value,value`: a flag of these here and the values it shall take; may be repeated (default "+usualSweep+")")
	fs.IntVar(&s.rounds, "rounds", 3, "`number` of runs of each combination")
	fs.StringVar(&s.goal, "goal", "", "`conditions` for a recommendation")
	fs.StringVar(&s.out, "out", "penstock-sweep", "`directory` for the results; made if need be")
	fs.StringVar(&s.resume, "resume", "", "`file`, a sweep.json, to go on from; its directory gets the results")
	fs.BoolVar(&s.json, "json", false, "print what is in sweep.json")
	fs.BoolVar(&s.quiet, "quiet", false, "show nothing but the recommendation")
	if code, ok := parse(p, fs, sweepAbout, args, func() error { return s.check(fs) }); !ok {
		return code
	}
	return interruptible(p, "demo sweep", func(ctx context.Context) int {
		code, err := s.run(ctx, p)
		if err != nil {
			fmt.Fprintf(p.stderr, "demo sweep: %v\n", err)
			return exitRuntime
		}
		return code
	})
}

// maxRounds is as many as anybody waits for.
const maxRounds = 1000

func (s *sweeper) check(fs *flag.FlagSet) error {
	if _, err := sweep.ParseGoal(s.goal); err != nil {
		return err
	}
	if s.resume != "" {
		var err error
		fs.Visit(func(f *flag.Flag) {
			if !strings.Contains(" resume goal json quiet ", " "+f.Name+" ") {
				err = fmt.Errorf("-%s cannot be given with -resume: the settings are in the file", f.Name)
			}
		})
		return err
	}
	if s.rounds < 1 || s.rounds > maxRounds {
		return fmt.Errorf("-rounds is %d, want 1 to %d", s.rounds, maxRounds)
	}
	if len(s.grid) == 0 {
		if err := s.grid.Set(usualSweep); err != nil {
			return err
		}
	}
	cells, err := s.grid.Cells()
	for i := 0; err == nil && i < len(cells); i++ {
		_, err = s.grid.Settings(s.settings, cells[i])
	}
	return err
}

// open makes or reads the sweep.
func (s *sweeper) open() (err error) {
	if s.resume == "" {
		s.result = sweep.New(s.settings, s.grid, s.rounds, s.goal)
		return os.MkdirAll(s.out, 0o755)
	}
	s.out = filepath.Dir(s.resume)
	if s.result, err = sweep.Load(s.resume); err == nil && s.goal != "" {
		s.result.Goal = s.goal
	}
	return err
}

func (s *sweeper) run(ctx context.Context, p process) (int, error) {
	if err := s.open(); err != nil {
		return exitRuntime, err
	}
	r := s.result
	file := filepath.Join(s.out, "sweep.json")
	if s.resume != "" {
		file = s.resume
	}
	if !s.quiet && !s.json {
		head := fmt.Sprintf("%s; %s; %d runs of %v", view.Title(&r.Base), r.Grid.String(), r.Left(), r.Base.Duration)
		fmt.Fprintln(p.stdout, term.Wrap(head, term.Width))
	}
	progress := newProgress(p.stderr)
	if s.quiet {
		progress = newProgress(io.Discard)
	}
	show := func(at sweep.Progress) {
		label := fmt.Sprintf("%d/%d %s", at.Done+1, at.Total, at.Label)
		if at.Left > 0 {
			label += fmt.Sprintf(", %v left", at.Left.Round(time.Second))
		}
		progress.begin(label)
	}
	err := r.Continue(ctx, show, func() error { return r.Save(file) })
	progress.end()
	if err == nil {
		err = s.write()
	}
	if err != nil {
		return exitRuntime, err
	}
	if ctx.Err() != nil {
		fmt.Fprintf(p.stderr, "demo sweep: %v; %d runs are left. Go on with: demo sweep -resume %s\n", context.Cause(ctx), r.Left(), file)
	}
	return s.finish(p)
}

// finish prints the results.
func (s *sweeper) finish(p process) (int, error) {
	code, r := exitOK, s.result
	if bad := r.Unsound(); bad != "" {
		fmt.Fprintf(p.stderr, "demo sweep: the books do not balance: %s\n", bad)
		code = exitRuntime
	}
	if s.json {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		return code, enc.Encode(r)
	}
	if !s.quiet {
		s.table(p)
	}
	_, err := fmt.Fprintln(p.stdout, term.Wrap(r.Advice, term.Width))
	return code, err
}

// table prints a line for each combination, cut off if there are many axes.
func (s *sweeper) table(p process) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, a := range s.result.Grid {
		fmt.Fprintf(w, "%s\t", a.Name)
	}
	for _, m := range sweep.Metrics {
		fmt.Fprintf(w, "%s\t", m.Name)
	}
	fmt.Fprintln(w)
	for _, row := range s.result.Rows() {
		fmt.Fprintln(w, strings.Join(append(row.Values, row.Figures...), "\t")+"\t")
	}
	w.Flush()
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(p.stdout, term.Clip(strings.TrimRight(line, "\n"), term.Width))
	}
	fmt.Fprintf(p.stdout, "\nFigures are medians of the rounds. More of them, and plots, are in %s.\n\n", filepath.Join(s.out, "sweep.html"))
}

// write writes the files beside sweep.json.
func (s *sweeper) write() error {
	var table, page strings.Builder
	err := errors.Join(s.result.CSV(&table), s.result.HTML(&page))
	put := func(name, text string) {
		if err == nil {
			err = os.WriteFile(filepath.Join(s.out, name), []byte(text), 0o644)
		}
	}
	put("sweep.csv", table.String())
	put("sweep.html", page.String())
	for _, plot := range s.result.Plots() {
		put(plot.Name+".svg", plot.SVG)
	}
	return err
}
