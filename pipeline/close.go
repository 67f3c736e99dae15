package pipeline

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/penstock-go/penstock/stage"
)

// Close seals the intake, sends on what is open, tells whoever waits inside
// the pipeline to stop waiting, lets everything drain, and flushes and closes
// every sink once, after its last write.
//
// nil means: everything that was buffered when Close began was delivered,
// rerouted or filtered, all goroutines are gone, and all sinks closed without
// error. Any other error wraps a [*LossError] that says what was lost, and the
// causes. Losses before Close are in Stats and do not count here.
//
// Close returns when ctx ends, even if a sink ignores its context: the contexts
// given to user code are then canceled, what is left is counted as lost, and
// what becomes of a stuck call changes no counter any more. Its goroutine ends,
// and the sink is closed, when the call returns.
//
// Close may be called again and concurrently. Every call waits and returns the
// same verdict; the context that ends first is the one that counts. From inside
// the pipeline it starts the closing and returns [ErrReentrant].
func (p *Pipeline[T]) Close(ctx context.Context) error {
	s := p.sup
	s.beginClose()
	if stage.Within(ctx, p) {
		return ErrReentrant
	}
	if !isClosed(s.verdict) {
		select {
		case <-s.verdict:
		case <-ctx.Done():
			s.force(context.Cause(ctx))
		}
	}
	return s.conclude()
}

// beginClose seals the intake; draining goes on by itself from there.
func (s *supervisor[T]) beginClose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.closing = true
	if s.death == nil {
		s.lossAt = s.lossTotal()
	}
	close(s.sealed)
	s.drain()
	s.intake.Seal(stage.ErrClosed, stage.RefusedClosed)
}

// drain tells whoever waits inside the pipeline to stop waiting. mu is held.
func (s *supervisor[T]) drain() {
	if !isClosed(s.draining) {
		close(s.draining)
	}
}

func (s *supervisor[T]) lossTotal() uint64 {
	books := s.ledger.Books()
	return books.LostTotal()
}

// conclude returns the verdict, which is there, and waits for the last
// goroutine to be gone if all have come to their end.
func (s *supervisor[T]) conclude() error {
	if s.alive.Load() == 0 {
		s.wg.WaitAndRecover()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result
}

// force ends the pipeline now. What is in flight is settled as lost, and
// sweepers take in what the actors pass on, so that none of them is held up by
// another that is stuck.
func (s *supervisor[T]) force(why error) {
	why = fmt.Errorf("%w: %w", stage.ErrAbandoned, trusted(why)) // its text, too, is user code
	s.mu.Lock()
	if s.judged {
		s.mu.Unlock()
		return
	}
	// Before anything moves, so that the observer is still there to be told.
	sweeping := s.settled.join(sweepers)
	// The books come before the contexts: a call that is in flight now is in
	// doubt, even if it returns as soon as its context ends.
	waiting, inDoubt := s.intake.Abandon(stage.LossDeadline)
	stuck := s.stuck()
	s.cancel(why)
	s.judgeLocked(&LossError{InDoubt: inDoubt, Stuck: stuck}, context.Cause(s.ctx))
	s.mu.Unlock()
	if sweeping { // else all have ended, and nothing was waiting
		s.sweep(waiting)
	}
}

// judge fixes the verdict when all has ended.
func (s *supervisor[T]) judge(why error) {
	s.cancel(stage.ErrClosed)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judgeLocked(&LossError{}, why)
}

func (s *supervisor[T]) judgeLocked(loss *LossError, why error) {
	if s.judged {
		return
	}
	s.judged = true
	loss.Pipeline = s.cfg.Name
	loss.Lost = s.lossTotal() - s.lossAt
	errs := append([]error{s.death, why}, s.closeErr...)
	if err := errors.Join(errs...); err != nil || loss.Lost > 0 {
		s.result = errors.Join(loss, err)
	}
	close(s.verdict)
	s.end()
}

// end closes Done, once. mu is held.
func (s *supervisor[T]) end() {
	if !isClosed(s.done) {
		close(s.done)
	}
}

func (s *supervisor[T]) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.judged {
		return s.result
	}
	return s.death
}

// stuck names the user code that has not returned: what is being called, and
// stages that leave their input alone although nothing keeps them from sending
// on. mu is held.
func (s *supervisor[T]) stuck() (names []string) {
	for i, a := range s.actors {
		name := a.watch.In()
		if custom := i >= 2 && i < len(s.links); custom && name == "" && s.idles(i) {
			name = a.name
		}
		if !a.ended && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// idles reports whether the i-th actor of the line has something to receive,
// and nothing keeps it from sending on. mu is held.
func (s *supervisor[T]) idles(i int) bool {
	in, out := s.links[i-1], s.links[i]
	due := len(in) > 0 || s.actors[i-1].ended
	held := len(out) == cap(out) || len(s.failed.c) == cap(s.failed.c)
	return due && !held
}

// distinct returns the sinks to close, each once even if it serves twice.
func distinct[T any](sink stage.Sink[T], routes []stage.Route[T]) []stage.Sink[T] {
	all := []stage.Sink[T]{sink}
	for _, r := range routes {
		known := false
		for _, s := range all {
			known = known || same(s, r.To)
		}
		if !known {
			all = append(all, r.To)
		}
	}
	return all
}

// same compares two sinks where Go can compare them; functions it cannot.
func same(a, b any) bool {
	t := reflect.TypeOf(a)
	return t == reflect.TypeOf(b) && t.Comparable() && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// SinkError is the error of a sink's Flush or Close at the end.
type SinkError struct {
	Sink string
	Err  error
}

// Error names the sink and gives its error.
func (e *SinkError) Error() string { return fmt.Sprintf("%s: %v", e.Sink, e.Err) }

// Unwrap returns the sink's error.
func (e *SinkError) Unwrap() error { return e.Err }
