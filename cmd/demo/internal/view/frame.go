// Package view shows experiments in text: live, as lines, and at the end.
package view

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/chart"
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
	rate := "flat out with events"
	switch {
	case s.Rate == 1:
		rate = "1 event/s"
	case s.Rate > 1:
		rate = term.Count(uint64(s.Rate)) + " events/s"
	}
	t := fmt.Sprintf("%s, %s of %d B into %s, queue %s, batch %s, %s", producers(s.Producers), rate, s.Size, s.Sink,
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
		line := fmt.Sprintf("  %s %s", c.Faint(fmt.Sprintf("%-9s", name)), fmt.Sprintf(format, args...))
		fmt.Fprintf(&out, "%s\n", strings.TrimRight(line, " "))
	}
	fmt.Fprintf(&out, "%s\n", Title(&b.Settings))
	row("time", "%.1f of %.1f s", b.To.Elapsed.Seconds(), b.Settings.Duration.Seconds())
	row("events/s", "offered %s   delivered %s   fallback %s", perSecond(b.Offered), painted(c.Good, b.Delivered), painted(c.Odd, b.Rerouted))
	row("queue", "%s %s of %s   in flight %s   waiting %d", bar(c, s.Depth, b.Settings.Queue),
		term.Count(s.Depth), term.Count(uint64(b.Settings.Queue)), term.Count(s.InFlight), s.Waiting)
	row("callers", "p50 %-7s p99 %-7s p99.9 %-7s max %-7s", term.Brief(b.Calls.P50), term.Brief(b.Calls.P99), term.Brief(b.Calls.P999), term.Brief(b.Calls.Max))
	main := &s.Sinks[0]
	row("sink", "p50 %-7s p95 %-7s p99 %-7s max %-7s", term.Brief(main.Latency.P50), term.Brief(main.Latency.P95), term.Brief(main.Latency.P99), term.Brief(main.Latency.Max))
	row("calls", "%s, failed %s, panicked %s, retries %s, given up %s", term.Count(main.Calls), term.Count(main.Failed), term.Count(main.Panics), term.Count(main.Retries), term.Count(main.Abandoned))
	row("breaker", "%s", breaker(c, main))
	row("batches", "by size %s, by age %s, by close %s", term.Count(s.Batches.Size), term.Count(s.Batches.Age), term.Count(s.Batches.Close))
	row("dropped", "%s/s; evicted %s, refused %s", painted(c.Odd, b.Dropped), term.Count(s.Evicted.Total()), term.Count(s.Rejected.Full))
	row("lost", "%s/s; failed %s, panic %s, dead %s, deadline %s, in doubt %s", painted(c.Bad, b.Lost), term.Count(s.Lost.Failed), term.Count(s.Lost.Panic), term.Count(s.Lost.Dead), term.Count(s.Lost.Deadline), term.Count(s.Lost.InDoubt))
	row("ledger", "accepted %s = delivered %s + rerouted %s + filtered %s", term.Count(s.Accepted), term.Count(s.Delivered), term.Count(s.Rerouted), term.Count(s.Filtered))
	row("", "  + evicted %s + lost %s + buffered %s", term.Count(s.Evicted.Total()), term.Count(s.Lost.Total()), term.Count(s.Buffered))
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

func perSecond(r float64) string { return term.Count(uint64(r + 0.5)) }

// painted paints what is not 0.
func painted(paint func(string) string, r float64) string {
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
	if s.Opened == 1 {
		return word + ", opened once"
	}
	return fmt.Sprintf("%s, opened %s times", word, term.Count(s.Opened))
}

// Line says the same in one line, for who cannot be drawn for. What is out is
// what the sink took, and behind the plus sign the fallback.
func (b *Between) Line() string {
	s := &b.To.Stats
	line := fmt.Sprintf("%.1fs in %s/s, out %s", b.To.Elapsed.Seconds(), whole(b.Offered), whole(b.Delivered))
	if b.Settings.Fallback != lab.None {
		line += fmt.Sprintf(" + %s", whole(b.Rerouted))
	}
	line += fmt.Sprintf("/s, queue %d%%, p99 %s", 100*s.Depth/uint64(b.Settings.Queue), term.Brief(b.Calls.P99))
	if s.Sinks[0].Breaker != stage.NoBreaker {
		line += ", breaker " + strings.Fields(breakerWord(s.Sinks[0].Breaker))[0]
	}
	return line + fmt.Sprintf(", dropped %s, lost %s", whole(float64(dropped(s))), whole(float64(s.Lost.Total())))
}

// whole is a whole number in few characters.
func whole(n float64) string { return chart.Short(math.Round(n)) }

// Every is how often a live view is drawn, and how often a line is written.
const (
	Every     = 100 * time.Millisecond
	EveryLine = time.Second
)
