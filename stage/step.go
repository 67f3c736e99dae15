package stage

import "sync/atomic"

// Step keeps the chunks of an intake in step with the batches that are cut from
// them. A chunk that begins a batch and fills it passes on as it is; as soon as
// one is cut short (the first event has woken an actor at rest, say), every batch
// after it begins within a chunk, and every event is copied. So the intake makes
// the next chunk end where a batch will.
//
// It is a hint: a wrong one costs copies and nothing else. The zero value is
// ready for use, by one intake and one batcher.
type Step struct {
	since atomic.Uint64 // events that the batcher had received when it last cut a batch that was not full
}

// restarted notes that the batch that was open has been cut, and that its last
// event was the batcher's received-th.
func (s *Step) restarted(received uint64) {
	if s != nil {
		s.since.Store(received)
	}
}

// ahead returns how many events the open batch will have when the batcher has
// received so many, if it is cut by nothing but its size.
func (s *Step) ahead(received uint64, size int) int {
	return int((received - s.since.Load()) % uint64(size))
}
