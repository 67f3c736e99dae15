package lab

import (
	"context"
	"sync/atomic"

	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// hooks that write everything into the diary.
func (d *diary) hooks() hooks {
	return hooks{
		fate: func(f fate) {
			if f.stall > 0 {
				d.note(atSink, Moment{Kind: Stalled, For: f.stall})
			}
		},
		retrying: func(r sinks.Retrying) {
			d.note(atSink, Moment{Kind: Retrying, Events: uint64(r.Events), Tries: r.Attempts, For: r.Wait, What: reason(r.Err)})
		},
		breaker: func(c sinks.BreakerChange) {
			d.note(atSink, Moment{Kind: Turned, What: c.From.String() + " to " + c.To.String()})
		},
		dropped: func(n uint64) { d.note(atIntake, Moment{Kind: Evicted, Events: n}) },
		failure: func(f stage.Failure[Event]) {
			m := Moment{Kind: ToFallback, Events: uint64(len(f.Events)), What: reason(f.Err)}
			if f.Outcome == stage.Lost {
				m.Kind = GivenUp
			}
			d.note(atRouter, m)
		},
		sink:   func(s stage.Sink[Event]) stage.Sink[Event] { return &sinkWitness{Sink: s, diary: d} },
		stages: []stage.Stage[Event]{cutWitness{d}},
	}
}

// cutWitness is a stage that notes what cut each batch.
type cutWitness struct{ diary *diary }

// Name implements [stage.Stage].
func (cutWitness) Name() string { return "witness" }

// Run implements [stage.Stage].
func (w cutWitness) Run(_ context.Context, p stage.Ports[Event]) error {
	n := uint64(0)
	for b := range p.In {
		if len(b.Events) > 0 {
			n++
			w.diary.note(atBatcher, Moment{Kind: Cut, Batch: n, Events: uint64(len(b.Events)), What: b.Trigger.String()})
		}
		p.Out <- b
	}
	return nil
}

// sinkWitness notes what became of each batch. With one worker the n-th call is
// about the n-th batch.
type sinkWitness struct {
	stage.Sink[Event]
	diary *diary
	calls atomic.Uint64
}

// Write implements [stage.Sink].
func (w *sinkWitness) Write(ctx context.Context, events []Event) error {
	m := Moment{Kind: Delivered, Batch: w.calls.Add(1), Events: uint64(len(events))}
	began := w.diary.clk.Now()
	panicked := true
	defer func() {
		if panicked {
			m.Kind, m.What = Failed, "panic"
		}
		m.For = w.diary.clk.Since(began)
		w.diary.note(atSink, m)
	}()
	err := w.Sink.Write(ctx, events)
	panicked = false
	if err != nil {
		m.Kind, m.What = Failed, reason(err)
	}
	return err
}

// Flush passes Flush on.
func (w *sinkWitness) Flush(ctx context.Context) error { return stage.FlushSink(ctx, w.Sink) }

// Close passes Close on.
func (w *sinkWitness) Close() error { return stage.CloseSink(w.Sink) }

// Report passes Report on.
func (w *sinkWitness) Report(to *stage.SinkReport) { stage.ReportSink(w.Sink, to) }

// Name is the sink's.
func (w *sinkWitness) Name() string { return stage.NameOf(w.Sink) }
