// Package view shows experiments in text: live, as lines, and at the end.
package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// Between is what happened from one snapshot to a later one.
type Between struct {
	Settings  lab.Settings
	From, To  lab.Snapshot
	Offered   float64 // events per second, and so the others
	Delivered float64
	Rerouted  float64
	Dropped   float64
	Lost      float64
	Calls     lab.Latency // of the producers
}

// NewBetween compares two snapshots of an experiment.
func NewBetween(s lab.Settings, from, to lab.Snapshot) Between {
	per := max((to.Elapsed - from.Elapsed).Seconds(), 1e-9)
	a, b := &from.Stats, &to.Stats
	rate := func(from, to uint64) float64 { return float64(to-from) / per }
	return Between{
		Settings: s, From: from, To: to,
		Offered:   rate(a.Offered, b.Offered),
		Delivered: rate(a.Delivered, b.Delivered),
		Rerouted:  rate(a.Rerouted, b.Rerouted),
		Dropped:   rate(dropped(a), dropped(b)),
		Lost:      rate(a.Lost.Total(), b.Lost.Total()),
		Calls:     lab.LatencyOf(to.Calls.Since(from.Calls)),
	}
}

func dropped(s *pipeline.Stats) uint64 { return s.Evicted.Total() + s.Rejected.Full }

// breakerWord is the breaker's state in one word.
func breakerWord(b stage.BreakerState) string { return strings.ReplaceAll(b.String(), "_", " ") }

// Title says what the experiment is.
func Title(s *lab.Settings) string {
	rate := "flat out"
	if s.Rate > 0 {
		rate = term.Count(uint64(s.Rate)) + " events/s"
	}
	t := fmt.Sprintf("%s, %s of %d bytes into %s, queue %s, batch %s, %s", producers(s.Producers), rate, s.Size, s.Sink,
		term.Count(uint64(s.Queue)), term.Count(uint64(s.Batch)), s.Overflow)
	if s.Workers > 1 {
		t += fmt.Sprintf(", %d workers", s.Workers)
	}
	return t
}

func producers(n int) string {
	if n == 1 {
		return "1 producer"
	}
	return fmt.Sprintf("%d producers", n)
}

// Frame is a live view of a dozen lines.
func (b *Between) Frame(c term.Colours) string {
	s := &b.To.Stats
	var out strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&out, "  %s %s\n", c.Faint(fmt.Sprintf("%-9s", name)), fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&out, "%s\n", Title(&b.Settings))
	row("time", "%.1f of %.1f s", b.To.Elapsed.Seconds(), b.Settings.Duration.Seconds())
	row("events/s", "offered %s   delivered %s   fallback %s   dropped %s   lost %s",
		perSecond(b.Offered), c.Good(perSecond(b.Delivered)), alarming(c.Odd, b.Rerouted), alarming(c.Odd, b.Dropped), alarming(c.Bad, b.Lost))
	row("queue", "%s %s of %s   in flight %s   producers waiting %d", bar(c, s.Depth, b.Settings.Queue),
		term.Count(s.Depth), term.Count(uint64(b.Settings.Queue)), term.Count(s.InFlight), s.Waiting)
	row("callers", "p50 %-7s p99 %-7s p99.9 %-7s max %-7s", term.Brief(b.Calls.P50), term.Brief(b.Calls.P99), term.Brief(b.Calls.P999), term.Brief(b.Calls.Max))
	main := &s.Sinks[0]
	row("sink", "p50 %-7s p95 %-7s p99 %-7s max %-7s", term.Brief(main.Latency.P50), term.Brief(main.Latency.P95), term.Brief(main.Latency.P99), term.Brief(main.Latency.Max))
	row("calls", "%s, failed %s, panicked %s, retries %s, given up %s", term.Count(main.Calls), term.Count(main.Failed), term.Count(main.Panics), term.Count(main.Retries), term.Count(main.Abandoned))
	row("breaker", "%s", breaker(c, main))
	row("batches", "by size %s, by age %s, by close %s", term.Count(s.Batches.Size), term.Count(s.Batches.Age), term.Count(s.Batches.Close))
	row("dropped", "evicted %s, refused %s", term.Count(s.Evicted.Total()), term.Count(s.Rejected.Full))
	row("lost", "failed %s, panic %s, dead %s, deadline %s, in doubt %s", term.Count(s.Lost.Failed), term.Count(s.Lost.Panic), term.Count(s.Lost.Dead), term.Count(s.Lost.Deadline), term.Count(s.Lost.InDoubt))
	row("ledger", "%s", ledger(s))
	return out.String()
}

const barWidth = 30

// bar shows how full the queue is.
func bar(c term.Colours, depth uint64, queue int) string {
	full := min(int((depth*barWidth+uint64(queue)-1)/uint64(queue)), barWidth)
	b := strings.Repeat("#", full)
	switch {
	case full == barWidth:
		b = c.Bad(b)
	case full >= barWidth*8/10:
		b = c.Odd(b)
	default:
		b = c.Good(b)
	}
	return "[" + b + strings.Repeat(".", barWidth-full) + "]"
}

func perSecond(r float64) string { return fmt.Sprintf("%-10s", term.Count(uint64(r+0.5))) }

// alarming paints what should be 0.
func alarming(paint func(string) string, r float64) string {
	if r == 0 {
		return perSecond(r)
	}
	return paint(perSecond(r))
}

func breaker(c term.Colours, s *pipeline.SinkStats) string {
	if s.Breaker == stage.NoBreaker {
		return "none"
	}
	word := breakerWord(s.Breaker)
	switch s.Breaker {
	case stage.BreakerClosed:
		word = c.Good(word)
	case stage.BreakerHalfOpen:
		word = c.Odd(word)
	default:
		word = c.Bad(strings.ToUpper(word))
	}
	return fmt.Sprintf("%s, opened %s times", word, term.Count(s.Opened))
}

// ledger is the identity of accepted events, with short figures so that it fits
// a line.
func ledger(s *pipeline.Stats) string {
	return fmt.Sprintf("%s accepted = %s delivered + %s rerouted + %s evicted + %s lost + %s held",
		short(s.Accepted), short(s.Delivered), short(s.Rerouted), short(s.Evicted.Total()), short(s.Lost.Total()), short(s.Buffered))
}

// short has at most nine characters up to 999,999,999,999.
func short(n uint64) string {
	if n < 10_000_000 {
		return term.Count(n)
	}
	return term.Count(n/1_000_000) + "M"
}

// Line says the same in one line, for who cannot be drawn for.
func (b *Between) Line() string {
	s := &b.To.Stats
	line := fmt.Sprintf("%.1fs offered %s/s, delivered %s/s, fallback %s/s, queue %d%%, p99 %s", b.To.Elapsed.Seconds(),
		term.Count(uint64(b.Offered)), term.Count(uint64(b.Delivered)), term.Count(uint64(b.Rerouted)), 100*s.Depth/uint64(b.Settings.Queue), term.Brief(b.Calls.P99))
	if s.Sinks[0].Breaker != stage.NoBreaker {
		line += ", breaker " + breakerWord(s.Sinks[0].Breaker)
	}
	return line + fmt.Sprintf(", dropped %s, lost %s", term.Count(dropped(s)), term.Count(s.Lost.Total()))
}

// Every is how often a live view is drawn, and how often a line is written.
const (
	Every     = 100 * time.Millisecond
	EveryLine = time.Second
)
