package stage

import (
	"context"
	"time"

	"github.com/penstock-go/penstock/clockutil"
)

// Enqueue is the first actor. It takes what has gathered in the intake and
// sends it on as chunks, and a batch with trigger ByFlush behind every flush
// mark.
type Enqueue[T any] struct {
	Intake  *Intake[T]
	Buffers *Buffers[T] // of the intake's chunk size
	// Pace is how long the actor rests after a busy spell before it looks
	// again, so that producers need not wake it; a half full queue ends the
	// rest. It is also how long callers may doze while the actor is held up.
	// 0: it looks at once, and nobody dozes.
	Pace time.Duration
	// Haul is the greatest number of chunks taken in one exchange.
	Haul int

	haul  haul[T]
	timer *clockutil.Timer
}

// dozeSize is how large a queue must be for it to be worth while that callers
// return by turns.
const dozeSize = 1024

// Name is "enqueue".
func (e *Enqueue[T]) Name() string { return "enqueue" }

// Run returns when the intake is sealed and empty. It uses only p.Out.
func (e *Enqueue[T]) Run(ctx context.Context, p Ports[T]) error {
	e.timer = clockutil.NewStoppedTimer(Clock(ctx))
	defer e.timer.Stop()
	e.haul.doze = e.Pace > 0 && e.Intake.cfg.QueueSize >= dozeSize
	for busy := false; ; {
		for len(e.haul.clean) < max(1, e.Haul) {
			e.haul.clean = append(e.haul.clean, e.Buffers.get())
		}
		switch e.Intake.take(&e.haul, busy && e.Pace > 0) {
		case deliver:
			e.send(p.Out)
			busy = true
		case rest:
			e.timer.Reset(e.Pace)
			select {
			case <-e.Intake.wake:
			case <-e.timer.C():
			}
			e.timer.Stop()
			busy = false
		case sleep:
			<-e.Intake.wake
		case finish:
			return nil
		}
	}
}

// send passes the haul on: chunks, cut where a flush mark lies, and behind
// each mark the batch that announces it.
func (e *Enqueue[T]) send(out chan<- Batch[T]) {
	h := &e.haul
	for i, chunk := range h.full {
		for len(h.marks) > 0 && h.marks[0] < chunk.span.Through {
			mark := h.marks[0]
			if k := chunk.buf.before(mark, chunk.span.From); k > 0 {
				var head Batch[T]
				head, chunk = e.cut(chunk, k)
				head.span.Through = mark
				e.pass(head, out)
			}
			chunk.span.From = max(chunk.span.From, mark)
			e.announce(out)
		}
		e.pass(chunk, out)
		h.full[i] = Batch[T]{}
	}
	h.full = h.full[:0]
	for len(h.marks) > 0 {
		e.announce(out)
	}
	h.marks = h.marks[:0]
}

func (e *Enqueue[T]) announce(out chan<- Batch[T]) {
	mark := e.haul.marks[0]
	e.haul.marks = e.haul.marks[1:]
	e.pass(Batch[T]{Trigger: ByFlush, chunk: true, span: Span{From: mark, Through: mark}}, out)
}

// pass sends b. If it has to wait, the callers that wait for room come first,
// and if it has to wait for long, nobody is kept in a call any more who has been
// let in.
func (e *Enqueue[T]) pass(b Batch[T], out chan<- Batch[T]) {
	select {
	case out <- b:
		return
	default:
	}
	if e.Intake.relieve(e.haul.doze) {
		e.timer.Reset(e.Pace)
		defer e.timer.Stop()
		select {
		case out <- b:
			return
		case <-e.timer.C():
			e.Intake.getUp()
		}
	}
	out <- b
}

// cut splits chunk behind its first k events. The tail is copied into a buffer
// of its own, since a buffer has one owner.
func (e *Enqueue[T]) cut(chunk Batch[T], k int) (head, tail Batch[T]) {
	b := e.Buffers.get()
	b.moveTail(chunk.buf, chunk.buf.head+k)

	head, tail = chunk, chunk
	head.Events = chunk.Events[:k]
	tail.Events = b.events[:b.n]
	tail.buf = b
	return head, tail
}
