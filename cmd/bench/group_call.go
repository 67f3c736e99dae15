package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	phuslu "github.com/phuslu/log"

	"github.com/penstock-go/penstock/logging"
)

func callGroup(e env) group {
	g := group{
		name:  "call",
		title: fmt.Sprintf("Whole logging calls with a message and three attributes, burst of %d, queue %d", e.burst, e.ring),
		note: "JSON with time and level, to nowhere. The callers' wall time for each call, all of them together; penstock alone encodes " +
			"behind the queue, which the CPU of the whole process until everything has arrived has in it. The second burst of each run.",
		columns: enqueueColumns,
	}
	kinds := []kind{slogDirect, slogBuffered, penstockLogs, zerologLogs, zapLogs, phusluLogs}
	for _, n := range e.calls {
		g.bouts = append(g.bouts, bout{plural(n, "producer"), slogDirect.name, 300 * time.Millisecond,
			fitting(kinds, func(k kind) (trial, error) { return burst(k, e, n) })})
	}
	return g
}

func encodeGroup(e env) group {
	g := group{
		name:  "encode",
		title: "Encoding that record on one core",
		note: "One goroutine that does nothing else. For penstock this is what the flusher does for each record, so events per second of a core; " +
			"for the others, what their callers do: zerolog, zap and phuslu build the record in the same calls. The last is what slog itself " +
			"does in each call, above, before any handler has the record.",
		columns: []column{{"ns/event", nanoseconds, false}, {"M/s a core", fraction, true}, {"allocs", fraction, false}},
	}
	b := bout{name: "to nowhere", base: "slog JSONHandler", each: e.encode}
	for _, s := range []struct {
		name string
		make func() (func(), error)
	}{
		{"slog JSONHandler", func() (func(), error) { return slogEncoder(), nil }},
		{"penstock EncodeJSON", penstockEncoder},
		{"zerolog", func() (func(), error) { return zerologCall(io.Discard), nil }},
		{"zap", func() (func(), error) { return zapCall(io.Discard), nil }},
		{"phuslu", func() (func(), error) { return phusluCall(phuslu.IOWriter{Writer: io.Discard}), nil }},
		{"slog, idle handler", func() (func(), error) { return slogCall(idleHandler{}), nil }},
	} {
		b.subjects = append(b.subjects, subject{s.name, true, false, func() (trial, error) { return encode(e, s.make) }})
	}
	g.bouts = []bout{b}
	return g
}

func slogEncoder() func() {
	h := slog.NewJSONHandler(io.Discard, nil)
	r := slog.NewRecord(time.Now(), slog.LevelInfo, logMessage, 0)
	r.Add("path", logPath, "status", logStatus, "took", logTook)
	return func() { _ = h.Handle(context.Background(), r) }
}

// penstockEncoder encodes a record that the handler has made.
func penstockEncoder() (func(), error) {
	var kept lastRecord
	h, err := logging.NewHandler(&kept, logging.HandlerConfig{Forms: logging.FormJSON})
	if err != nil {
		return nil, err
	}
	slogCall(h)()
	var line []byte
	return func() { line, _ = logging.EncodeJSON(line[:0], kept.r) }, nil
}

// lastRecord is a queue of one record.
type lastRecord struct{ r logging.Record }

func (l *lastRecord) Enqueue(r logging.Record) error { l.r = r; return nil }

// idleHandler is enabled, and does nothing.
type idleHandler struct{}

func (idleHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (idleHandler) Handle(context.Context, slog.Record) error { return nil }
func (h idleHandler) WithAttrs([]slog.Attr) slog.Handler      { return h }
func (h idleHandler) WithGroup(string) slog.Handler           { return h }

// encode calls f on one goroutine for a time.
func encode(e env, open func() (func(), error)) (trial, error) {
	f, err := open()
	if err != nil {
		return trial{}, err
	}
	d := drive(encoding(f), work{producers: 1, duration: e.encode})
	n := d.offered()
	return trial{
		Values:  figures{float64(d.took) / float64(n), float64(n) / float64(d.took.Microseconds()), float64(d.allocs) / float64(n)},
		Offered: n, Delivered: n,
	}, nil
}

// encoding is a peer that has everything done when a call returns.
type encoding func()

func (f encoding) producer() send        { return func(uint64, int64) bool { f(); return true } }
func (encoding) flush()                  {}
func (encoding) close() error            { return nil }
func (encoding) dropped() (uint64, bool) { return 0, true }
