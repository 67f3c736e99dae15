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
//   - [Retry]: writes again what failed, after waits that grow.
//   - [Timeout]: bounds a call, and gives up one that ignores its context.
//   - [Breaker]: spares a sink that fails all the time.
//   - [RateLimit]: so many events or batches a second.
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
//   - A decorator passes Flush, Close, WriteFailure and Report on to sinks that
//     have them, and goes by the sink's name. The indexes of the errors it
//     returns are those of the slice it was given. What it decides it decides by
//     a value without clock or goroutine, in a file of its own.
//   - Whoever waits for something other than its sink stops when Close of the
//     pipeline begins.
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
