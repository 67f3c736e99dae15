package stage

import "context"

// Ports are a stage's doors. In is sent on and closed by the stage before; Out
// and Failed are closed by whoever started the stage, never by the stage. All
// are buffered. A send never needs a select: there is a reader until the port
// is closed, though one that is stuck in user code makes the sender wait.
type Ports[T any] struct {
	In     <-chan Batch[T]
	Out    chan<- Batch[T]
	Failed chan<- Failure[T]
}

// Stage is an actor between the batcher and the flusher. One goroutine runs
// it, which owns its state.
//
// Run receives from p.In until it is closed, and lets every batch it received
// go: by Out, after [Batch.Keep] if events were removed, or by Failed, after
// [Batch.Fail]. It may hold batches back, and must release all of them when it
// receives one with trigger [ByFlush] or [ByClose], ahead of that one. Batches may
// be empty, and travel on as well. Run returns when p.In is closed and it
// holds nothing: if a stage before it has died, p.In is closed without a batch
// with trigger ByClose. What it keeps all the same is counted as lost.
//
// Run that returns earlier, panics, or ends its goroutine has died: the
// pipeline then refuses new events, sends what the stage would have received
// to the error router, and counts what it held as lost. A stage that only
// computes is better made with [Map], which survives its function.
//
// A name for errors and Stats is taken from a method Name() string.
type Stage[T any] interface {
	Run(ctx context.Context, p Ports[T]) error
}
