package lab

import (
	"fmt"
	"strings"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/hist"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
	"github.com/penstock-go/penstock/pipeline"
)

// Outcome is what became of an experiment.
type Outcome struct {
	Settings  Settings       `json:"settings"`
	Clock     string         `json:"clock"` // real or virtual
	Produced  time.Duration  `json:"produced_ns"`
	Took      time.Duration  `json:"took_ns"`           // with the draining
	PerSecond float64        `json:"events_per_second"` // delivered and rerouted, from the start to the end of the draining
	Calls     Latency        `json:"calls_ns"`
	Tally     Tally          `json:"tally"`
	Counted   Counted        `json:"counted"`
	Stats     pipeline.Stats `json:"stats"`
	Books     string         `json:"books"` // "" if they balance and agree with all counts
	Closing   string         `json:"closing,omitempty"`
	Verdict   string         `json:"verdict"`
}

// Counted is what was counted outside of the pipeline, by sinks and hooks.
type Counted struct {
	Sink     uint64 `json:"sink"`
	Fallback uint64 `json:"fallback"`
	Evicted  uint64 `json:"evicted"`
	Failed   uint64 `json:"failed"`
	Rescued  uint64 `json:"rescued"`
}

// Latency is that of the producers' calls, those that were timed.
type Latency struct {
	Timed uint64        `json:"timed"`
	Mean  time.Duration `json:"mean"`
	P50   time.Duration `json:"p50"`
	P99   time.Duration `json:"p99"`
	P999  time.Duration `json:"p999"`
	Max   time.Duration `json:"max"`
}

// LatencyOf reads a histogram.
func LatencyOf(h *hist.Histogram) Latency {
	return Latency{Timed: h.N, Mean: h.Mean(), P50: h.Quantile(0.5), P99: h.Quantile(0.99), P999: h.Quantile(0.999), Max: h.Top}
}

// outcome is called when the pipeline has been closed.
func (r *rig) outcome(s *Settings, at Snapshot, produced time.Duration, closing error) Outcome {
	o := Outcome{
		Settings: *s, Clock: "real", Produced: produced, Took: at.Elapsed, Calls: LatencyOf(at.Calls), Tally: at.Tally, Stats: at.Stats,
		Counted: Counted{Sink: r.sink.count(), Evicted: r.evicted.Load(), Failed: r.failed.Load(), Rescued: r.rescued.Load()},
	}
	if r.fallback != nil {
		o.Counted.Fallback = r.fallback.count()
	}
	if closing != nil {
		o.Closing = strings.ReplaceAll(closing.Error(), "\n", "; ")
	}
	o.PerSecond = float64(o.Stats.Delivered+o.Stats.Rerouted) / max(o.Took.Seconds(), 1e-9)
	o.Books = o.audit()
	o.Verdict = o.verdict()
	return o
}

// audit holds the books against themselves and against what others counted.
// It returns what does not fit. Deliveries of calls that were given up are not
// in the books, so with a timeout, or if the draining was cut off, the sink may
// have more.
func (o *Outcome) audit() string {
	s, t, c := &o.Stats, &o.Tally, &o.Counted
	givenUp := o.Settings.Timeout > 0 || s.Lost.InDoubt > 0
	for _, fit := range []struct {
		what      string
		one, two  uint64
		mayExceed bool // one may be more than two
	}{
		{"offered: the books and their sum", s.Offered, s.Accepted + s.Rejected.Total(), false},
		{"accepted: the books and their sum", s.Accepted, s.Delivered + s.Rerouted + s.Filtered + s.Evicted.Total() + s.Lost.Total() + s.Buffered, false},
		{"buffered at the end: the books and nothing", s.Buffered, 0, false},
		{"offered: the producers and the books", t.Offered, s.Offered, false},
		{"accepted: the producers and the books", t.Accepted, s.Accepted, false},
		{"refused: the producers and the books", t.Refused, s.Rejected.Full, false},
		{"delivered: the sink and the books", c.Sink, s.Delivered, givenUp},
		{"rerouted: the fallback and the books", c.Fallback, s.Rerouted, givenUp},
		{"evicted: the hook and the books", c.Evicted, s.Evicted.Total(), false},
		{"rerouted: the hook and the books", c.Rescued, s.Rerouted, givenUp},
		{"lost: the books and the hook", s.Lost.Total(), c.Failed, givenUp},
	} {
		if fit.one != fit.two && !(fit.mayExceed && fit.one > fit.two) {
			return fmt.Sprintf("%s do not agree: %d and %d", fit.what, fit.one, fit.two)
		}
	}
	return ""
}

// Dropped is the number of events that the overflow policy let go.
func (o *Outcome) Dropped() uint64 { return o.Stats.Evicted.Total() + o.Stats.Rejected.Full }

// Lost is the number of events that were lost although no policy allows it.
func (o *Outcome) Lost() uint64 { return o.Stats.Lost.Total() + o.Stats.Rejected.Dead }

// verdict is one line.
func (o *Outcome) verdict() string {
	s := &o.Stats
	var b strings.Builder
	fmt.Fprintf(&b, "offered %s in %s: delivered %s", term.Count(s.Offered), took(o.Took), term.Count(s.Delivered))
	if s.Rerouted > 0 {
		fmt.Fprintf(&b, ", to the fallback %s", term.Count(s.Rerouted))
	}
	if n := o.Dropped(); n > 0 {
		fmt.Fprintf(&b, ", dropped %s as %s allows", term.Count(n), o.Settings.Overflow)
	}
	if n := s.Rejected.Canceled; n > 0 {
		fmt.Fprintf(&b, ", %s still waited for room", term.Count(n))
	}
	if n := o.Lost(); n > 0 {
		fmt.Fprintf(&b, ", LOST %s", term.Count(n))
		if s.Lost.InDoubt > 0 {
			fmt.Fprintf(&b, " (%s of them in doubt)", term.Count(s.Lost.InDoubt))
		}
	} else {
		b.WriteString(", lost 0")
	}
	if o.Books == "" {
		b.WriteString("; the books balance")
	} else {
		fmt.Fprintf(&b, "; THE BOOKS DO NOT BALANCE (%s)", o.Books)
	}
	return b.String()
}

func took(d time.Duration) string {
	if d < time.Minute {
		return term.Brief(d)
	}
	return d.Round(10 * time.Millisecond).String()
}
