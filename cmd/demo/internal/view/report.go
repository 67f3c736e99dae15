package view

import (
	"fmt"
	"strings"

	"github.com/penstock-go/penstock/cmd/demo/internal/chart"
	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
	"github.com/penstock-go/penstock/stage"
)

// Report is what is told at the end of an experiment, the verdict excepted.
func Report(o *lab.Outcome) string {
	s := &o.Stats
	var out strings.Builder
	row := func(name string, n uint64, of string) {
		if n == 0 {
			of = ""
		}
		line := fmt.Sprintf("  %-14s %13s  %s", name, term.Count(n), of)
		fmt.Fprintf(&out, "%s\n", strings.TrimRight(line, " "))
	}
	fmt.Fprintf(&out, "%s\n", term.Wrap(fmt.Sprintf("%s, seed %d", Title(&o.Settings), o.Settings.Seed), term.Width))
	row("offered", s.Offered, "")
	row("= accepted", s.Accepted, "")
	row("+ rejected", s.Rejected.Total(), listed("full", s.Rejected.Full, "canceled", s.Rejected.Canceled, "closed", s.Rejected.Closed, "dead", s.Rejected.Dead))
	fmt.Fprintln(&out)
	row("accepted", s.Accepted, "")
	row("= delivered", s.Delivered, fmt.Sprintf("%s events/s", chart.Short(float64(s.Delivered)/max(o.Took.Seconds(), 1e-9))))
	row("+ rerouted", s.Rerouted, "to the fallback")
	row("+ filtered", s.Filtered, "")
	row("+ evicted", s.Evicted.Total(), "")
	row("+ lost", s.Lost.Total(), listed("failed", s.Lost.Failed, "panic", s.Lost.Panic, "dead", s.Lost.Dead, "deadline", s.Lost.Deadline, "in doubt", s.Lost.InDoubt))
	row("+ buffered", s.Buffered, "")
	fmt.Fprintln(&out)
	b := &s.Batches
	row("batches", b.Size+b.Age+b.Bytes+b.Flush+b.Close, listed("by size", b.Size, "by age", b.Age, "by flush", b.Flush, "by close", b.Close))
	main := &s.Sinks[0]
	row("sink calls", main.Calls, listed("failed", main.Failed, "panics", main.Panics, "retries", main.Retries, "given up", main.Abandoned))
	if main.Breaker != stage.NoBreaker {
		row("breaker opened", main.Opened, "at the end "+breakerWord(main.Breaker))
	}
	fmt.Fprintf(&out, "\n  %-29s p50 %-7s p95 %-7s p99 %-7s max %s\n", "sink's calls took", term.Brief(main.Latency.P50), term.Brief(main.Latency.P95),
		term.Brief(main.Latency.P99), term.Brief(main.Latency.Max))
	if o.Calls.Timed > 0 {
		fmt.Fprintf(&out, "  %-29s p50 %-7s p99 %-7s p99.9 %-7s max %s\n", "callers waited", term.Brief(o.Calls.P50), term.Brief(o.Calls.P99),
			term.Brief(o.Calls.P999), term.Brief(o.Calls.Max))
	}
	return out.String()
}

// listed lists names and numbers, those that are not 0.
func listed(pairs ...any) string {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if n := pairs[i+1].(uint64); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", pairs[i], term.Count(n)))
		}
	}
	return strings.Join(parts, ", ")
}
