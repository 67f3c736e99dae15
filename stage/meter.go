package stage

import (
	"errors"
	"sync/atomic"
	"time"
)

// meter counts the calls of one sink's Write or WriteFailure, as its caller
// sees them. The zero value is ready. Safe for concurrent use.
type meter struct {
	begun   atomic.Uint64
	failed  atomic.Uint64
	panics  atomic.Uint64
	taken   atomic.Uint64
	refused atomic.Uint64
	latency Histogram
}

// SinkCalls is what a pipeline has counted of the calls of one sink's Write
// (or WriteFailure). A call that returns when Close has given it up is counted
// as begun and nowhere else.
type SinkCalls struct {
	Name         string    `json:"name"`          // what the sink called itself when the pipeline was made
	Calls        uint64    `json:"calls"`         // begun; above Latency.Count by those that have not returned, or returned too late
	Failed       uint64    `json:"failed"`        // those that returned an error, also one about a part of the batch
	Panics       uint64    `json:"panics"`        // those of them that panicked or ended their goroutine
	Events       uint64    `json:"events"`        // taken by the sink
	FailedEvents uint64    `json:"failed_events"` // not taken, each counted once however often the sink retried
	Latency      Quantiles `json:"latency"`       // of the calls, what the sink waits and retries included
}

// begin notes that a call begins.
func (m *meter) begin() { m.begun.Add(1) }

// ending is how a call has ended.
type ending uint8

const (
	worked ending = iota
	erred
	panicked // or ended its goroutine
)

// endingOf is how a call has ended that returned err.
func endingOf(err error) ending {
	var p *PanicError
	switch {
	case err == nil:
		return worked
	case errors.As(err, &p):
		return panicked
	}
	return erred
}

// end notes that a call with that many events took so long, and how it ended: if
// not well, so many of them were refused. It is called under the ledger's lock,
// so it is not given an error, whose methods are user code.
func (m *meter) end(took time.Duration, events, refused int, how ending) {
	switch how {
	case worked:
		refused = 0
	case panicked:
		m.panics.Add(1)
		fallthrough
	case erred:
		m.failed.Add(1)
	}
	m.refused.Add(uint64(refused))
	m.taken.Add(uint64(events - refused))
	m.latency.Record(took)
}

// read returns the figures of the sink called name. What is counted of a call
// last is read first.
func (m *meter) read(name string) SinkCalls {
	c := SinkCalls{Name: name, Latency: m.latency.Quantiles()}
	c.Panics = m.panics.Load()
	c.Failed = m.failed.Load()
	c.FailedEvents, c.Events = m.refused.Load(), m.taken.Load()
	c.Calls = m.begun.Load()
	return c
}
