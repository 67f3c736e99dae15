package sinks

import "context"

// turn admits one goroutine at a time. It is a channel and not a mutex so that
// waiting for it can be given up, and so that a goroutine that waits for it
// counts as blocked for testing/synctest. It costs about 20 ns.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn, or for the end of ctx. A turn that is free is taken
// also when ctx has ended, because the work it leads to may still be wanted.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait is take for those who have no context and nothing else to do.
func (t turn) wait() { t <- struct{}{} }

// give ends the turn. It is deferred, so that a panic or a Goexit gives it too.
func (t turn) give() { <-t }
