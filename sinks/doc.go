// Package sinks holds the destinations that batches end in, and decorators
// around them. None of them needs a library of its own.
//
// Destinations:
//
//   - [File]: an append-only file of lines, with rotation, retention,
//     compression and fsync.
//   - [Writer]: any io.Writer; [NewConsole] is one on a standard stream.
//   - [Discard]: counts and forgets.
//   - [Memory]: remembers, for tests; can be held and told to fail.
//
// Decorators:
//
//   - [Tee]: one batch to several sinks, synchronously.
//   - [Shared]: one sink for several pipelines.
//   - [DeadLetters]: what failed, with the reasons, to a sink of letters;
//     [ReturnedLetters] for letters that fail again. [LetterEncoder] writes
//     them as lines of JSON, [LetterReader] reads them back.
//   - [Poison]: finds sinks that keep the slice they were lent, for tests.
//
// What holds for all of them:
//
//   - Write may be called concurrently. Lines of one batch stay together and
//     batches never interleave.
//   - No event slice is retained or modified.
//   - An error is never sticky: the next Write starts anew. It names exactly
//     the events that were not delivered, by [stage.PartialError] if there are
//     others that were.
//   - A Write after Close fails with [ErrClosed], marked permanent.
//   - Close does not flush unless its comment says so; the pipeline flushes
//     first. Close may be called more than once; the first call does the work.
//   - A decorator passes Flush, Close and WriteFailure on to sinks that have
//     them.
//   - Time is read from the clock in the context given to Write. Nothing is
//     armed while a sink is idle. The goroutines a sink starts are joined by
//     its Close.
//   - Exclusion is by a channel, not by a mutex, wherever user code or another
//     sink runs inside it, so that waiting for it ends with the context, and
//     does not stop the clock of a testing/synctest bubble.
//   - Constructors start nothing and refuse what they cannot work with by an
//     error that names the field and the value. Those that return a type of
//     their own are called New; Tee, Poison and DeadLetters return a plain
//     [stage.Sink].
package sinks
