package pipeline

import (
	"context"

	"github.com/penstock-go/penstock/stage"
)

// sweepers is the number of goroutines that sweep starts. Each must have joined
// settled before.
const sweepers = 3

// sweep takes in, after a forced end, what is passed on to a flusher or a
// router that may never return from a sink, so that the other actors can end.
// It does not read what leads to a custom stage: one that holds batches back
// is to see the last batch, and let go of them. All of it was settled as lost;
// the sweepers only report it. They end with the channels they read.
func (s *supervisor[T]) sweep(waiting []stage.Batch[T]) {
	last := s.links[len(s.links)-1]
	abandoned := func(b stage.Batch[T]) { s.report(b, stage.ErrAbandoned, stage.LossDeadline) }
	for _, sweep := range [sweepers]func(context.Context){
		func(context.Context) {
			for _, b := range waiting {
				abandoned(b)
			}
		},
		func(context.Context) {
			for b := range last {
				abandoned(b)
			}
		},
		s.sweepFailed,
	} {
		s.launch(&actor{
			name: "sweeper",
			run:  func(ctx context.Context) error { sweep(ctx); return nil },
			bury: func(ctx context.Context, _ error) { sweep(ctx) },
			end:  s.settled.leave,
		})
	}
}

// report tells the failure hook of events that were settled as lost.
func (s *supervisor[T]) report(b stage.Batch[T], err error, why stage.Loss) {
	if c := s.reports(); c != nil && len(b.Events) > 0 {
		c <- stage.Failure[T]{Events: b.Events, Stage: s.cfg.Name, Err: err, Outcome: stage.Lost, Loss: why}
	}
}

// sweepFailed settles failures, and what overflow has spilled, without offering them to a route.
func (s *supervisor[T]) sweepFailed(ctx context.Context) {
	plain := stage.NewErrorRouter[T](nil, s.ledger, s.reports())
	plain.Intake = s.intake
	_ = plain.Run(ctx, s.failed.c)
}
