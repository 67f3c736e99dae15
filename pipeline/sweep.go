package pipeline

import (
	"context"

	"github.com/penstock-go/penstock/stage"
)

// sweep takes in, after a forced end, what no actor may get to any more: the
// events that were waiting, and what is passed on to an actor that is deaf.
// The others go on, so that a stage that holds batches back still lets them
// go. All of it was settled as lost; the sweepers only report it. They end
// with the channels they read.
func (s *supervisor[T]) sweep(waiting []stage.Batch[T], deaf []chan stage.Batch[T]) {
	sweepers := []func(){
		func() {
			for _, b := range waiting {
				s.report(b)
			}
		},
		s.sweepFailed,
	}
	for _, link := range deaf {
		sweepers = append(sweepers, func() {
			for b := range link {
				s.report(b)
			}
		})
	}
	if !s.settled.join(len(sweepers)) {
		return // all has ended meanwhile
	}
	for _, sweep := range sweepers {
		s.launch(&actor{
			name: "sweeper",
			run:  func(context.Context) error { sweep(); return nil },
			end:  s.settled.leave,
		})
	}
}

func (s *supervisor[T]) report(b stage.Batch[T]) {
	if c := s.reports(); c != nil && len(b.Events) > 0 {
		c <- stage.Failure[T]{Events: b.Events, Stage: s.cfg.Name, Err: stage.ErrAbandoned, Outcome: stage.Lost, Loss: stage.LossDeadline}
	}
}

// sweepFailed settles failures without offering them to a route.
func (s *supervisor[T]) sweepFailed() {
	plain := stage.NewErrorRouter[T](nil, s.ledger, s.reports())
	_ = plain.Run(s.ctx, s.failed.c)
}
