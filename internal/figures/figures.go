// Package figures lists what the exporters make of a pipeline's Stats, so that
// it has the same names everywhere.
package figures

import (
	"reflect"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// Figure is one number for each combination of its labels' values.
type Figure struct {
	Name    string // words joined by dots and underscores, without the unit
	Help    string // a sentence without its full stop
	Unit    string // "bytes", or none
	Counter bool   // it never decreases; else it is a gauge
	Labels  []string
	Read    func(s *pipeline.Stats, emit func(v float64, labels ...string))
}

// Timing is a distribution of durations for each combination of its labels'
// values.
type Timing struct {
	Name   string
	Help   string
	Labels []string
	Read   func(s *pipeline.Stats, emit func(q stage.Quantiles, labels ...string))
}

// IsNil reports whether source is no pipeline: nil, or a nil pointer, as New
// returns with an error that nobody looked at.
func IsNil(source any) bool {
	v := reflect.ValueOf(source)
	return source == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

// Quantiles are the shares that a [stage.Quantiles] knows, the greatest, which
// is exact, left out.
var Quantiles = []struct {
	Share float64
	Text  string
	Of    func(q stage.Quantiles) float64
}{
	{0.5, "0.5", func(q stage.Quantiles) float64 { return q.P50.Seconds() }},
	{0.95, "0.95", func(q stage.Quantiles) float64 { return q.P95.Seconds() }},
	{0.99, "0.99", func(q stage.Quantiles) float64 { return q.P99.Seconds() }},
}

// All are the figures that are numbers.
var All = []Figure{
	counter("events.accepted", "Events accepted", func(s *pipeline.Stats) uint64 { return s.Accepted }),
	{"events.rejected", "Events refused at the intake, by reason", "", true, []string{"reason"}, func(s *pipeline.Stats, emit func(float64, ...string)) {
		emit(float64(s.Rejected.Full), "full")
		emit(float64(s.Rejected.Closed), "closed")
		emit(float64(s.Rejected.TooLarge), "too_large")
		emit(float64(s.Rejected.Canceled), "canceled")
		emit(float64(s.Rejected.Dead), "dead")
		emit(float64(s.Rejected.Invalid), "invalid")
	}},
	counter("important.rejected", "Important events refused because the queue was full, a part of all that were", func(s *pipeline.Stats) uint64 { return s.Rejected.FullImportant }),
	counter("events.delivered", "Events taken by the sink", func(s *pipeline.Stats) uint64 { return s.Delivered }),
	counter("events.rerouted", "Events taken by a route", func(s *pipeline.Stats) uint64 { return s.Rerouted }),
	counter("events.filtered", "Events removed by a stage", func(s *pipeline.Stats) uint64 { return s.Filtered }),
	{"events.evicted", "Events evicted from the queue for newer ones, by the bound reached", "", true, []string{"reason"}, func(s *pipeline.Stats, emit func(float64, ...string)) {
		emit(float64(s.Evicted.Count), "count")
		emit(float64(s.Evicted.Bytes), "bytes")
	}},
	counter("important.evicted", "Important events evicted, a part of all that were", func(s *pipeline.Stats) uint64 { return s.Evicted.Important }),
	counter("events.spilled", "Events that overflow has sent to the routes, whatever became of them", func(s *pipeline.Stats) uint64 { return s.Spilled }),
	{"events.lost", "Accepted events that nobody took, by reason", "", true, []string{"reason"}, func(s *pipeline.Stats, emit func(float64, ...string)) {
		emit(float64(s.Lost.Failed), "failed")
		emit(float64(s.Lost.Panic), "panic")
		emit(float64(s.Lost.Dead), "dead")
		emit(float64(s.Lost.Deadline), "deadline")
		emit(float64(s.Lost.InDoubt), "in_doubt")
		emit(float64(s.Lost.Overflow), "overflow")
	}},
	gauge("queue.depth", "Events waiting at the intake", "", func(s *pipeline.Stats) float64 { return float64(s.Depth) }),
	gauge("events.in_flight", "Events between the intake and their outcome", "", func(s *pipeline.Stats) float64 { return float64(s.InFlight) }),
	gauge("buffered", "Bytes of all events whose batch is not settled", "bytes", func(s *pipeline.Stats) float64 { return float64(s.Bytes) }),
	gauge("waiting", "Callers blocked in EnqueueWait", "", func(s *pipeline.Stats) float64 { return float64(s.Waiting) }),
	counter("pressure", "Upward crossings of the pressure threshold", func(s *pipeline.Stats) uint64 { return s.Pressure }),
	byTrigger("batches", "Batches by what cut them, empty ones included", func(s *pipeline.Stats) pipeline.Batches { return s.Batches }),
	byTrigger("batch.events", "Events in batches when they were cut, by what cut them", func(s *pipeline.Stats) pipeline.Batches { return s.BatchEvents }),
	counter("hook_panics", "Hooks that panicked", func(s *pipeline.Stats) uint64 { return s.HookPanics }),
	counter("misuse", "Settlements refused because a stage used a batch twice", func(s *pipeline.Stats) uint64 { return s.Misuse }),

	perSink("sink.calls", "Calls of the sink begun", "", func(s *pipeline.SinkStats) uint64 { return s.Calls }),
	perSink("sink.failed_calls", "Calls of the sink that returned an error", "", func(s *pipeline.SinkStats) uint64 { return s.Failed }),
	perSink("sink.panics", "Calls of the sink that panicked", "", func(s *pipeline.SinkStats) uint64 { return s.Panics }),
	perSink("sink.events", "Events the sink took", "", func(s *pipeline.SinkStats) uint64 { return s.Events }),
	perSink("sink.failed_events", "Events the sink did not take", "", func(s *pipeline.SinkStats) uint64 { return s.FailedEvents }),
	perSink("sink.written", "Bytes the sink's destination has received", "bytes", func(s *pipeline.SinkStats) uint64 { return s.Bytes }),
	perSink("sink.retries", "Attempts after the first", "", func(s *pipeline.SinkStats) uint64 { return s.Retries }),
	perSink("sink.abandoned_calls", "Calls given up that ignored their context", "", func(s *pipeline.SinkStats) uint64 { return s.Abandoned }),
	perSink("sink.throttled_calls", "Calls that had to wait for a rate limit", "", func(s *pipeline.SinkStats) uint64 { return s.Throttled }),
	perSink("sink.breaker_opened", "Times the sink's circuit breaker has opened", "", func(s *pipeline.SinkStats) uint64 { return s.Opened }),
	{"sink.breaker_state", "State of the sink's circuit breaker: 0 there is none, 1 closed, 2 half open, 3 open", "", false, sinkLabels, func(s *pipeline.Stats, emit func(float64, ...string)) {
		for i := range s.Sinks {
			emit(float64(s.Sinks[i].Breaker), s.Sinks[i].Name, s.Sinks[i].Role)
		}
	}},
}

// Timings are the figures that are distributions.
var Timings = []Timing{
	{"age", "Age of batches' oldest events at delivery", nil, func(s *pipeline.Stats, emit func(stage.Quantiles, ...string)) {
		emit(s.Age)
	}},
	{"sink.latency", "Duration of calls of the sink", sinkLabels, func(s *pipeline.Stats, emit func(stage.Quantiles, ...string)) {
		for i := range s.Sinks {
			emit(s.Sinks[i].Latency, s.Sinks[i].Name, s.Sinks[i].Role)
		}
	}},
}

var sinkLabels = []string{"sink", "role"}

func counter(name, help string, read func(*pipeline.Stats) uint64) Figure {
	f := gauge(name, help, "", func(s *pipeline.Stats) float64 { return float64(read(s)) })
	f.Counter = true
	return f
}

func gauge(name, help, unit string, read func(*pipeline.Stats) float64) Figure {
	return Figure{name, help, unit, false, nil, func(s *pipeline.Stats, emit func(float64, ...string)) { emit(read(s)) }}
}

func byTrigger(name, help string, read func(*pipeline.Stats) pipeline.Batches) Figure {
	return Figure{name, help, "", true, []string{"trigger"}, func(s *pipeline.Stats, emit func(float64, ...string)) {
		b := read(s)
		emit(float64(b.Size), "size")
		emit(float64(b.Bytes), "bytes")
		emit(float64(b.Age), "age")
		emit(float64(b.Flush), "flush")
		emit(float64(b.Close), "close")
	}}
}

func perSink(name, help, unit string, read func(*pipeline.SinkStats) uint64) Figure {
	return Figure{name, help, unit, true, sinkLabels, func(s *pipeline.Stats, emit func(float64, ...string)) {
		for i := range s.Sinks {
			emit(float64(read(&s.Sinks[i])), s.Sinks[i].Name, s.Sinks[i].Role)
		}
	}}
}
