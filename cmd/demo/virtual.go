package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
	"github.com/penstock-go/penstock/cmd/demo/internal/view"
)

const virtualAbout = `Usage: demo virtual [flags]

Plays an hour of a pipeline's life in virtual time, in milliseconds, and tells it
as a timeline: batches and what cut them, retries and their delays, what the
breaker does, what finds no room. Without flags it has a sink that hangs now and
then and is out of order for some minutes. The same flags tell the same story,
to the byte.

It is the library itself that plays, with all its goroutines, on a clock that
moves when all of them are at rest. So one thing happens at a time: an event is
offered, or one timer fires. What races within one such step, as two timers of
the same instant, is told in a fixed order. That wants one worker, and no flat
out; under load in real time the goroutines would mix more freely.

Exit codes: as demo run.

Flags:
`

// virtual is the configuration of demo virtual.
type virtual struct {
	settings lab.Settings
	all      bool
	svg      string
	json     bool
}

// aBadHour are the settings of demo virtual without flags.
func aBadHour() lab.Settings {
	s := lab.Defaults()
	s.Producers, s.Rate, s.Queue, s.Batch, s.Interval = 2, 1, 32, 10, 30*time.Second
	s.Duration, s.Drain = time.Hour, time.Minute
	s.Latency, s.FailRate = 200*time.Millisecond, 0.02
	s.Stall = lab.Span{At: 14 * time.Minute, For: 3 * time.Minute}
	s.Outage = lab.Span{At: 31 * time.Minute, For: 4 * time.Minute}
	s.Retry, s.RetryWait, s.Breaker, s.CoolDown = 3, 2*time.Second, 3, time.Minute
	s.Fallback = lab.Memory
	return s
}

func virtualCommand(p process, args []string) int {
	v := virtual{settings: aBadHour()}
	fs := newFlags("demo virtual")
	v.settings.Flags(fs)
	fs.BoolVar(&v.all, "all", false, "tell of every batch, also of those that nothing happened to")
	fs.StringVar(&v.svg, "svg", "", "`file` to draw the story to")
	fs.BoolVar(&v.json, "json", false, "print the story as JSON")
	if code, ok := parse(p, fs, virtualAbout, args, v.settings.CheckVirtual); !ok {
		return code
	}
	return interruptible(p, "demo virtual", func(ctx context.Context) int {
		code, err := v.run(ctx, p)
		if err != nil {
			fmt.Fprintf(p.stderr, "demo virtual: %v\n", err)
			return exitRuntime
		}
		return code
	})
}

func (v *virtual) run(ctx context.Context, p process) (int, error) {
	story, err := lab.Play(ctx, v.settings)
	if err != nil {
		return 0, err
	}
	if v.svg != "" {
		if err := os.WriteFile(v.svg, []byte(view.Picture(story)), 0o644); err != nil {
			return 0, err
		}
	}
	o := &story.Outcome
	if v.json {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		return verdictCode(o), enc.Encode(story)
	}
	if err := view.Timeline(p.stdout, story.Moments, !v.all); err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(p.stdout, "\n%s\n%s\n", view.Report(o), term.Wrap(o.Verdict, term.Width))
	return verdictCode(o), err
}
