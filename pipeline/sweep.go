package pipeline

import (
	"context"

	"github.com/penstock-go/penstock/stage"
)

// sweep takes in, after a forced end, what no actor may get to any more: the
// events that were waiting, and whatever is still passed on. All of it was
// settled as lost; the sweepers only report it. They end with the channels
// they read.
func (s *supervisor[T]) sweep(waiting []stage.Batch[T]) {
	sweepers := []func(){
		func() {
			for _, b := range waiting {
				s.report(b)
			}
		},
		s.sweepFailed,
	}
	for _, link := range s.links {
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
		c <- stage.Failure[T]{Events: b.Events, Stage: s.cfg.Name, Err: stage.ErrAbandoned, Outcome: stage.Lost}
	}
}

// sweepFailed settles failures without offering them to a route.
func (s *supervisor[T]) sweepFailed() {
	plain := stage.NewErrorRouter[T](nil, s.ledger, s.reports())
	_ = plain.Run(s.ctx, s.failed.c)
}
