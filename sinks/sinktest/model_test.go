package sinktest_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/penstock-go/penstock/sinks/sinktest"
	"github.com/penstock-go/penstock/stage"
)

var (
	errDown   = errors.New("down")
	errClosed = stage.Permanent(errors.New("closed"))
)

// ev is a record that does not compare by ==.
type ev struct {
	N    int
	Tags []string
}

func event(i int) ev { return ev{N: i, Tags: []string{"tag"}} }

// model keeps every rule. Its hooks are where the victims break one each; nil:
// nothing is broken. It has a buffer that Flush empties.
type model struct {
	turn   chan struct{}
	buf    [][]ev
	out    []ev
	fails  int           // calls of Write that will fail
	gate   chan struct{} // nil: open
	closed bool

	early func(ctx context.Context, events []ev) error // first thing in Write
	take  func(events []ev) []ev                       // what goes into the buffer
	fail  func(events []ev) (took []ev, err error)     // what a failing Write does
	deaf  bool                                         // does not heed the context
	hasty bool                                         // does not take turns
	flush func()                                       // in place of emptying the buffer
	late  func() error                                 // in place of a refusal after Close
	again func()                                       // at the second Close
	ends  func()                                       // at Close
	title string
}

func newModel() *model {
	return &model{turn: make(chan struct{}, 1), take: slices.Clone[[]ev], fail: oddOnesFail, title: "model"}
}

// oddOnesFail fails every second event.
func oddOnesFail(events []ev) (took []ev, err error) {
	if len(events) == 1 {
		return nil, errDown
	}
	pe := &stage.PartialError{Err: errDown}
	for i, e := range events {
		if i%2 > 0 {
			pe.Failed = append(pe.Failed, i)
		} else {
			took = append(took, e)
		}
	}
	return took, pe
}

func (m *model) Name() string { return m.title }

func (m *model) Write(ctx context.Context, events []ev) error {
	if m.early != nil {
		if err := m.early(ctx, events); err != nil {
			return err
		}
	}
	over := ctx.Done()
	if m.deaf {
		over = nil
	}
	if !m.hasty {
		m.turn <- struct{}{}
		defer func() { <-m.turn }()
	}
	if m.gate != nil {
		select {
		case <-m.gate:
		case <-over:
			return ctx.Err()
		}
	}
	switch {
	case m.closed && m.late != nil:
		return m.late()
	case m.closed:
		return errClosed
	case m.fails > 0 && len(events) > 0:
		m.fails--
		took, err := m.fail(events)
		m.buf = append(m.buf, slices.Clone(took))
		return err
	}
	if m.hasty {
		for _, e := range events {
			m.turn <- struct{}{} // one event at a time is not one batch at a time
			m.buf = append(m.buf, []ev{e})
			<-m.turn
			pause()
		}
		return nil
	}
	m.buf = append(m.buf, m.take(events))
	return nil
}

func (m *model) WriteFailure(ctx context.Context, f stage.Failure[ev]) error {
	return m.Write(ctx, f.Events)
}

func (m *model) Flush(context.Context) error {
	if m.flush != nil {
		m.flush()
		return nil
	}
	for _, events := range m.buf {
		m.out = append(m.out, events...)
	}
	m.buf = nil
	return nil
}

func (m *model) Close() error {
	if m.closed && m.again != nil {
		m.again()
	}
	m.closed = true
	if m.ends != nil {
		m.ends()
	}
	return nil
}

// subject is the model with all its ways.
func (m *model) subject() sinktest.Subject[ev] {
	return sinktest.Subject[ev]{
		Sink: m,
		Read: func() []ev { return m.out },
		Fail: func() { m.fails++ },
		Block: func() func() {
			gate := make(chan struct{})
			m.gate = gate
			return func() { close(gate); m.gate = nil }
		},
	}
}

// suite runs the suite on models that spoil has worked on.
func suite(t *testing.T, spoil func(m *model), change ...func(*sinktest.Config[ev])) {
	cfg := sinktest.Config[ev]{
		Event:      event,
		Concurrent: true,
		Open: func(*testing.T) sinktest.Subject[ev] {
			m := newModel()
			spoil(m)
			return m.subject()
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	sinktest.Run(t, cfg)
}
