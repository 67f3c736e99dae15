package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

// Timeline writes a story as lines, one for each moment; if brief is set,
// moments of one sort that follow each other are told together: batches that
// nothing happened to, events that found no room, batches that failed for one
// reason.
func Timeline(w io.Writer, moments []lab.Moment, brief bool) error {
	t := timeline{w: w}
	for _, m := range moments {
		switch {
		case !brief:
			t.line(m.At, string(m.Kind), describe(m))
		case !t.group.add(m):
			t.end()
			if !t.group.add(m) {
				t.line(m.At, string(m.Kind), describe(m))
			}
		}
	}
	t.end()
	return t.err
}

type timeline struct {
	w     io.Writer
	err   error
	group group
}

func (t *timeline) line(at time.Duration, kind, what string) {
	line := fmt.Sprintf("%s  %-9s %s", instant(at), kind, what)
	if cut := term.Clip(line, term.Width); cut != line {
		line = term.Clip(line, term.Width-1) + "…"
	}
	if _, err := fmt.Fprintln(t.w, line); t.err == nil {
		t.err = err
	}
}

// end tells what was kept back.
func (t *timeline) end() {
	if t.group.any() {
		t.line(t.group.from, string(t.group.sort), t.group.String())
	}
	t.group = group{}
}

// instant is hours, minutes, seconds and milliseconds.
func instant(d time.Duration) string {
	d = d.Round(time.Millisecond)
	return fmt.Sprintf("%02d:%02d:%02d.%03d", d/time.Hour, d/time.Minute%60, d/time.Second%60, d/time.Millisecond%1000)
}

func describe(m lab.Moment) string {
	switch m.Kind {
	case lab.Cut:
		return fmt.Sprintf("batch %d by %s, %s", m.Batch, m.What, events(m.Events))
	case lab.Delivered:
		return fmt.Sprintf("batch %d, %s, in %v", m.Batch, events(m.Events), round(m.For))
	case lab.Failed:
		return fmt.Sprintf("batch %d, %s, after %v: %s", m.Batch, events(m.Events), round(m.For), m.What)
	case lab.Stalled:
		return fmt.Sprintf("the sink hangs for %v", m.For)
	case lab.Retrying:
		return fmt.Sprintf("attempt %d failed; %s again in %v: %s", m.Tries, events(m.Events), round(m.For), m.What)
	case lab.Turned:
		return strings.ReplaceAll(m.What, "_", " ")
	case lab.ToFallback, lab.GivenUp, lab.Refused:
		return fmt.Sprintf("%s: %s", events(m.Events), m.What)
	case lab.Evicted:
		return fmt.Sprintf("%s from the full queue", events(m.Events))
	case lab.Blocked:
		return "a producer waits for room"
	}
	return "the producers have stopped"
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func events(n uint64) string {
	if n == 1 {
		return "1 event"
	}
	return term.Count(n) + " events"
}
