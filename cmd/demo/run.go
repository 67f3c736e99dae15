package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
	"github.com/penstock-go/penstock/cmd/demo/internal/view"
)

const runAbout = `Usage: demo run [flags]

Runs one experiment: producers, a pipeline, and a sink with faults of your
choice. On a terminal the standard error shows it live; elsewhere it gets a line
a second, in which "out" is what the sink took, plus what the fallback did. The
report and the verdict go to the standard output. All figures of
the books are held against what producers, sinks and hooks counted themselves.

Around the sink stand, from the inside: -timeout, -retry, -breaker. Faults of
the sink are -latency, -fail-rate, -panic-rate, -stall and -outage. To watch a
breaker open and a fallback fill:

  demo run -outage 3s/3s -retry 2 -breaker 3 -fallback memory

With -clock virtual nothing waits: time jumps from one event to the next, one
event is taken in before the next comes, and the same flags give the same
outcome. It wants a -rate and one worker. demo virtual tells such a run's story.

The first SIGINT or SIGTERM ends the producing; the rest is delivered, within
-drain. Exit codes: 0 done, 1 runtime error, or books that do not balance, 2
wrong usage, 3 events were lost that -overflow does not allow to drop, 130
second signal.

Flags:
`

// runner is the configuration of demo run.
type runner struct {
	settings lab.Settings
	clock    choice
	json     bool
	quiet    bool
}

func runCommand(p process, args []string) int {
	r := runner{settings: lab.Defaults(), clock: choice{clockReal, []string{clockReal, clockVirtual}}}
	fs := newFlags("demo run")
	r.settings.Flags(fs)
	fs.Var(&r.clock, "clock", "`kind` of time: real, virtual")
	fs.BoolVar(&r.json, "json", false, "print the outcome as JSON")
	fs.BoolVar(&r.quiet, "quiet", false, "show nothing while it runs, and in the end the verdict alone")
	if code, ok := parse(p, fs, runAbout, args, r.check); !ok {
		return code
	}
	return interruptible(p, "demo run", func(ctx context.Context) int { return r.run(ctx, p) })
}

const (
	clockReal    = "real"
	clockVirtual = "virtual"
)

func (r *runner) check() error {
	if r.clock.word == clockVirtual {
		return r.settings.CheckVirtual()
	}
	return r.settings.Check()
}

func (r *runner) run(ctx context.Context, p process) int {
	var o lab.Outcome
	var err error
	if r.clock.word == clockVirtual {
		o, err = r.play(ctx)
	} else {
		o, err = r.watch(ctx, p)
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "demo run: %v\n", err)
		return exitRuntime
	}
	return r.finish(p, &o)
}

// watch runs the experiment in real time and shows it.
func (r *runner) watch(ctx context.Context, p process) (lab.Outcome, error) {
	l, err := lab.Start(r.settings)
	if err != nil {
		return lab.Outcome{}, err
	}
	show := r.viewer(p, l)
	beat := time.NewTicker(view.Every)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			show(l.Snapshot())
			continue
		case <-ctx.Done():
		case <-l.Over():
		case <-l.Died():
		}
		break
	}
	stopped := make(chan lab.Outcome, 1)
	go func() { stopped <- l.Stop() }()
	for {
		select {
		case <-beat.C:
			show(l.Snapshot())
		case o := <-stopped:
			show(l.Snapshot())
			return o, nil
		}
	}
}

// viewer returns what shows a snapshot, if it is time to.
func (r *runner) viewer(p process, l *lab.Lab) func(lab.Snapshot) {
	last := l.Snapshot()
	switch {
	case r.quiet:
		return func(lab.Snapshot) {}
	case term.IsTerminal(p.stderr):
		// Rates are those of the last second.
		screen, colours := term.Screen{W: p.stderr}, term.ColoursFor(p.stderr)
		recent := []lab.Snapshot{last}
		return func(at lab.Snapshot) {
			recent = append(recent, at)
			for len(recent) > 2 && at.Elapsed-recent[1].Elapsed >= time.Second {
				recent = recent[1:]
			}
			b := view.NewBetween(r.settings, recent[0], at)
			screen.Draw(b.Frame(colours))
		}
	}
	return func(at lab.Snapshot) {
		if at.Elapsed-last.Elapsed < view.EveryLine {
			return
		}
		b := view.NewBetween(r.settings, last, at)
		fmt.Fprintln(p.stderr, b.Line())
		last = at
	}
}

// finish prints the outcome and returns the exit code.
func (r *runner) finish(p process, o *lab.Outcome) int {
	var err error
	switch {
	case r.json:
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(o)
	case r.quiet:
		_, err = fmt.Fprintln(p.stdout, term.Wrap(o.Verdict, term.Width))
	default:
		_, err = fmt.Fprintf(p.stdout, "%s\n%s\n", view.Report(o), term.Wrap(o.Verdict, term.Width))
	}
	if o.Closing != "" {
		fmt.Fprintf(p.stderr, "demo run: %s\n", o.Closing)
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "demo run: %v\n", err)
		return exitRuntime
	}
	return verdictCode(o)
}

// verdictCode is the exit code for an outcome.
func verdictCode(o *lab.Outcome) int {
	switch {
	case o.Books != "":
		return exitRuntime
	case o.Lost() > 0:
		return exitLoss
	case o.Closing != "":
		return exitRuntime
	}
	return exitOK
}

// play runs the experiment in virtual time.
func (r *runner) play(ctx context.Context) (lab.Outcome, error) {
	story, err := lab.Play(ctx, r.settings)
	if err != nil {
		return lab.Outcome{}, err
	}
	return story.Outcome, nil
}
