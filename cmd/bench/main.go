package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// The exit codes.
const (
	exitOK      = 0
	exitRuntime = 1
	exitUsage   = 2
	exitFault   = 3
	exitQuit    = 130 // a second signal
)

// process is what the command has of the process it runs in.
type process struct {
	stdout, stderr io.Writer
	signals        <-chan os.Signal
}

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(process{os.Stdout, os.Stderr, signals}, os.Args[1:]))
}

// run is main without the process.
func run(p process, args []string) int {
	o, code, ok := parse(p, args)
	if !ok {
		return code
	}
	// Both diodes print to the standard logger when producers meet.
	was := log.Writer()
	log.SetOutput(io.Discard)
	defer log.SetOutput(was)

	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	result := make(chan int, 1)
	go func() { result <- o.run(ctx, p) }()
	for {
		select {
		case code := <-result:
			return code
		case s := <-p.signals:
			if ctx.Err() != nil {
				fmt.Fprintf(p.stderr, "\nbench: %v again: quitting at once\n", s)
				return exitQuit
			}
			fmt.Fprintf(p.stderr, "\nbench: %v: ending after this run; a second signal quits at once\n", s)
			stop(errors.New(s.String()))
		}
	}
}

// run measures and writes what was asked for.
func (o *options) run(ctx context.Context, p process) int {
	r, err := measure(ctx, o, newProgress(p.stderr))
	r.writeText(p.stdout)
	err = errors.Join(err, o.write(r))
	switch {
	case err != nil:
		fmt.Fprintf(p.stderr, "bench: %v\n", err)
		return exitRuntime
	case len(r.Faults) > 0:
		return exitFault
	}
	return exitOK
}

// write writes the files.
func (o *options) write(r *report) error {
	var errs []error
	if o.json != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		errs = append(errs, err, os.WriteFile(o.json, append(text, '\n'), 0o644))
	}
	if o.svg != "" {
		errs = append(errs, os.WriteFile(o.svg, r.picture(), 0o644))
	}
	if o.md != "" {
		errs = append(errs, writeMarkdown(o.md, r.markdown()))
	}
	return errors.Join(errs...)
}

// measure runs all subjects of all cases, o.reps times. When ctx ends it
// or a run fails, it returns what there is.
func measure(ctx context.Context, o *options, progress *progress) (*report, error) {
	r := newReport(o.groups)
	r.Machine, r.Quick, r.Reps, r.Seed = describe(), o.quick, o.reps, o.seed
	draw := rand.New(rand.NewPCG(o.seed, 0x62656e6368))
	progress.total = o.estimate()
	defer progress.end()
	for rep := range o.reps {
		for gi, g := range o.groups {
			if g.name == idleName && rep >= o.scale.idleReps {
				continue
			}
			for bi, b := range g.bouts {
				// In turns, and in another order each time.
				for _, si := range draw.Perm(len(b.subjects)) {
					if ctx.Err() != nil {
						r.Interrupted = context.Cause(ctx).Error()
						return r, nil
					}
					s := b.subjects[si]
					where := g.name + ", " + b.name
					progress.step(fmt.Sprintf("%d/%d %s", rep+1, o.reps, g.name), b.name+", "+s.name)
					t, err := s.run()
					if err != nil {
						r.Interrupted = fmt.Sprintf("an error (%s: %v)", where, err)
						return r, fmt.Errorf("%s: %w", where, err)
					}
					progress.done += b.each
					r.audit(where, s, t)
					trials := &r.Groups[gi].Cases[bi].Subjects[si].Trials
					*trials = append(*trials, t)
				}
			}
		}
	}
	return r, nil
}

// estimate is how long everything takes, roughly.
func (o *options) estimate() (d time.Duration) {
	for _, g := range o.groups {
		reps := o.reps
		if g.name == idleName {
			reps = min(reps, o.scale.idleReps)
		}
		for _, b := range g.bouts {
			d += time.Duration(reps*len(b.subjects)) * b.each
		}
	}
	return d
}
