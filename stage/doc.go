// Package stage holds the actors of a pipeline and the seams between them.
//
// A pipeline is a row of goroutines, each of which owns its state and is
// joined to the next by a buffered channel:
//
//	Intake ─▶ Enqueue ─▶ Batcher ─▶ custom stages ─▶ Flusher ─▶ Sink
//	                                     │              │
//	                                     └──── Failed ──┴─▶ ErrorRouter ─▶ routes
//
// The rules every actor keeps, written once:
//
//   - Events cross a channel only as a [Batch], or as a [Failure] when they have
//     left the line. Whoever received it last owns it.
//   - A stage never closes a port. Whoever started the stage closes its Out
//     when Run returns, and Failed, which has many senders, after the last of
//     them has returned.
//   - A stage may send without a select: its starter guarantees a reader until
//     the port is closed, also after the reader has died. One that is stuck in
//     user code holds up those before it.
//   - Shutdown is channels closing forward. There is no stopped-flag between
//     stages, and no edge that points back: retrying belongs to the sink.
//   - Every event of a batch is settled exactly once in the [Ledger], through
//     the receipt that travels with the batch. An emptied batch travels on,
//     because its receipt must still reach the ledger.
//   - User code (sinks, routes, stage functions, hooks) is called under a
//     guard: a panic or a runtime.Goexit in it costs its own batch. What it
//     returns is asked there, too, because an error's methods are user code.
//   - Time is read from the clock in the context ([Clock]) and waited for
//     through package clockutil.
//   - No actor starts a goroutine, and no lock is held across user code or a
//     channel operation that may wait.
package stage
