package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"sync/atomic"
)

// output is where a subject's events arrive: nowhere, or in a file. It belongs
// to whoever the subject lets call it, one at a time, and after the subject's
// close to who closed it.
type output struct {
	file   *os.File      // nil: events are looked at and forgotten
	gate   chan struct{} // nil, or every call waits until it is closed
	varied bool          // lines differ in length, and are counted by their ends
	ages   *histogram    // nil: nobody asks

	n   uint64
	sum uint64
	buf []byte
	err error

	target  atomic.Uint64
	reached chan struct{} // one slot: a token when n has come to target
}

func newOutput() *output {
	o := &output{reached: make(chan struct{}, 1)}
	o.target.Store(math.MaxUint64)
	return o
}

// arrived counts n events more.
func (o *output) arrived(n int) {
	o.n += uint64(n)
	if o.n >= o.target.Load() {
		o.target.Store(math.MaxUint64)
		o.reached <- struct{}{}
	}
}

// take takes a batch of events: into a file go as many lines, by one write.
func (o *output) take(evs []event) {
	if o.gate != nil {
		<-o.gate
	}
	var t int64
	if o.ages != nil {
		t = now()
	}
	for i := range evs {
		o.look(&evs[i], t)
	}
	o.batch(len(evs))
}

// batch takes n events that nobody looks at. The gate is the caller's.
func (o *output) batch(n int) {
	if o.file != nil {
		o.buf = o.buf[:0]
		for range n {
			o.buf = append(o.buf, readyLine...)
		}
		o.write(o.buf)
	}
	o.arrived(n)
}

// takeOne is take for subjects that have no batches.
func (o *output) takeOne(ev *event) {
	if o.gate != nil {
		<-o.gate
	}
	var t int64
	if o.ages != nil {
		t = now()
	}
	o.look(ev, t)
	if o.file != nil {
		o.write(readyLine)
	}
	o.arrived(1)
}

// look looks at an event, at time t.
func (o *output) look(ev *event, t int64) {
	o.sum += ev.Seq
	if o.ages != nil {
		o.ages.record(t - ev.Time)
	}
}

// Write takes lines. It implements [io.Writer].
func (o *output) Write(p []byte) (int, error) {
	if o.gate != nil {
		<-o.gate
	}
	n := len(p) / lineBytes
	if o.varied {
		n = bytes.Count(p, []byte{'\n'})
	}
	if o.ages != nil {
		t := now()
		for i := range n {
			o.ages.record(t - stamped(p[i*lineBytes:]))
		}
	}
	if o.file != nil {
		o.write(p)
	}
	o.arrived(n)
	return len(p), nil
}

// Sync implements zap's WriteSyncer. Nobody's file is synced.
func (o *output) Sync() error { return nil }

func (o *output) write(p []byte) {
	if _, err := o.file.Write(p); err != nil && o.err == nil {
		o.err = err
	}
}

// sink is the output as a pipeline's sink.
func (o *output) sink(_ context.Context, evs []event) error {
	o.take(evs)
	return o.err
}

// readyLine is only ever read.
var readyLine = newLine()
