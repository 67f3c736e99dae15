package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

const experimentAbout = `Usage: demo [flags]                              direct writing and a pipeline, compared
       demo run [flags]                          one experiment with faults, shown live
       demo sweep [-sweep NAME=VALUES] [flags]   many experiments: which settings serve best
       demo serve [flags]                        an experiment on a page in the browser
       demo virtual [flags]                      an hour of a pipeline's life in virtual time
       demo ship -in FILE -out FILE [flags]      lines of real logs through a pipeline
       demo replay -in FILE -out FILE [flags]    dead letters on their way again

Each explains itself with -h. This is about the first of them.

Writes the same log events to a file directly from the caller and through a
pipeline, flat out and at a fixed rate, with one and with several producers, and
reports the throughput, the caller's latency and the books. Nothing may be lost:
the lines of each file are counted. The files are temporary; flat out, one may
reach a gigabyte.

Exit codes: 0 done, 1 runtime error, 2 wrong usage, 3 events lost, 130 second
signal. The first SIGINT or SIGTERM ends the run in progress in good order.

Flags:
`

// maxProducers is the greatest number of producers a flag may ask for.
const maxProducers = 1024

// experiment is the configuration of the throughput experiment.
type experiment struct {
	duration  time.Duration
	producers intList
	rate      int
	dir       string
	seed      uint64
	queue     int
	batch     int
	json      bool
	quiet     bool
}

func experimentCommand(p process, args []string) int {
	e := experiment{producers: intList{1, 4}}
	fs := newFlags("demo")
	fs.DurationVar(&e.duration, "duration", 10*time.Second, "measuring time of all runs together; at least 10ms")
	fs.Var(&e.producers, "producers", "comma-separated `numbers` of producers to try")
	fs.IntVar(&e.rate, "rate", 50_000, "`events` per second of the paced runs, all producers together; 0: no paced runs")
	fs.StringVar(&e.dir, "dir", "", "`directory` for the files (default the system's for temporary files)")
	fs.Uint64Var(&e.seed, "seed", 1, "`number` that determines the events' contents")
	fs.IntVar(&e.queue, "queue", 8192, "`events` that may wait in the pipeline's queue")
	fs.IntVar(&e.batch, "batch", 512, "`events` in a batch; at most -queue")
	fs.BoolVar(&e.json, "json", false, "print the results as JSON")
	fs.BoolVar(&e.quiet, "quiet", false, "do not show what is going on")
	if code, ok := parse(p, fs, experimentAbout, args, e.check); !ok {
		return code
	}
	dir, err := os.MkdirTemp(e.dir, "penstock-demo-")
	if err != nil {
		fmt.Fprintf(p.stderr, "demo: %v\n", err)
		return exitRuntime
	}
	defer os.RemoveAll(dir) // also when a second signal leaves a run behind
	e.dir = dir
	return interruptible(p, "demo", func(ctx context.Context) int { return e.run(ctx, p) })
}

func (e *experiment) check() error {
	switch {
	case e.duration < 10*time.Millisecond:
		return fmt.Errorf("-duration is %v, want 10ms or more", e.duration)
	case e.rate < 0:
		return fmt.Errorf("-rate is %d, want 0 or more", e.rate)
	case e.queue < 1:
		return fmt.Errorf("-queue is %d, want 1 or more", e.queue)
	case e.batch < 1 || e.batch > e.queue:
		return fmt.Errorf("-batch is %d, want 1 to %d (-queue)", e.batch, e.queue)
	}
	return nil
}

// plan lists the runs without their results.
func (e *experiment) plan() (runs []result) {
	rates := []int{0}
	if e.rate > 0 {
		rates = append(rates, e.rate)
	}
	for _, rate := range rates {
		for _, n := range e.producers {
			for _, lane := range []string{laneDirect, lanePipeline} {
				runs = append(runs, result{Lane: lane, Producers: n, Rate: rate})
			}
		}
	}
	return runs
}

func (e *experiment) run(ctx context.Context, p process) int {
	c := newCorpus(e.seed)
	plan := e.plan()
	each := e.duration / time.Duration(len(plan))
	rep := newReport(e, c, len(plan), each)
	if !e.json {
		rep.writeHead(p.stdout)
	}
	progress := newProgress(p.stderr)
	if e.quiet {
		progress = newProgress(io.Discard)
	}
	for i, r := range plan {
		if ctx.Err() != nil {
			rep.Interrupted = context.Cause(ctx).Error()
			break
		}
		progress.begin(fmt.Sprintf("%d/%d %s", i+1, len(plan), r.label()))
		runtime.GC() // nobody pays for the run before
		err := e.measure(ctx, &r, c, each, progress)
		progress.end()
		if err != nil {
			fmt.Fprintf(p.stderr, "demo: %v\n", err)
			return exitRuntime
		}
		rep.Runs = append(rep.Runs, r)
		if !e.json {
			rep.writeRow(p.stdout, i)
		}
	}
	if ctx.Err() != nil {
		rep.Interrupted = context.Cause(ctx).Error()
	}
	return rep.finish(p, e.json)
}

// measure fills in r. Its error is one of setting up or looking at the file;
// what went wrong in the run itself is in r.
func (e *experiment) measure(ctx context.Context, r *result, c *corpus, d time.Duration, progress *progress) error {
	path := filepath.Join(e.dir, "events.log")
	l, err := e.open(r.Lane, path)
	if err != nil {
		return err
	}
	ld := load{corpus: c, producers: r.Producers, rate: r.Rate, duration: d}
	o := ld.run(ctx, l, func(sent uint64, since time.Duration) {
		progress.update(fmt.Sprintf("%.1f of %.1f s, %s events/s, %s waiting",
			since.Seconds(), d.Seconds(), term.Count(uint64(float64(sent)/since.Seconds())), term.Count(uint64(l.waiting()))))
	})
	lines, lineErr := countLines(path)
	r.fill(o, lines, l.ledger(), lineErr)
	return os.Remove(path)
}

func (e *experiment) open(lane, path string) (lane, error) {
	switch lane {
	case laneDirect:
		return openDirect(path)
	case lanePipeline:
		return openPiped(path, e.queue, e.batch)
	}
	return nil, errors.New("no such lane: " + lane)
}
