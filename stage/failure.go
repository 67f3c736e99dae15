package stage

import "time"

// Failure is a batch, or a part of one, that left the main line, and why. It
// travels over Failed to the [ErrorRouter], and from there to routes and to
// the failure hook. Events is read-only for both; a hook or a sink may retain
// the Failure a hook was given, but not the one WriteFailure was given.
type Failure[T any] struct {
	Events   []T
	Stage    string    // where it failed: a stage's or a sink's name; a custom stage sets its own
	Err      error     // the cause; joined with the routes' errors as they fail
	Attempts int       // calls with these events that have returned; a WriteFailure does not count itself
	First    time.Time // when the first call began, on the pipeline's clock
	Last     time.Time // when the last call returned
	Outcome  Outcome   // what became of it; Pending until the router is done
	Loss     Loss      // why, if the outcome is Lost

	receipt Receipt
}

// called notes that a call with the events has returned.
func (f *Failure[T]) called(at time.Time) {
	f.Attempts++
	f.Last = at
}

// Outcome says how an event ended.
type Outcome uint8

// The final outcomes of an accepted event.
const (
	Pending   Outcome = iota // not settled yet
	Delivered                // the sink took it
	Rerouted                 // a route took it
	Filtered                 // a stage removed it
	Lost                     // nobody took it; the Loss says why
)

var outcomeNames = [...]string{"pending", "delivered", "rerouted", "filtered", "lost"}

// String returns the lower-case name that Stats uses.
func (o Outcome) String() string { return name(outcomeNames[:], int(o)) }

// Loss says why an accepted event was lost.
type Loss uint8

// The reasons for a loss.
const (
	LossFailed   Loss = iota // the sink and every matching route refused it
	LossPanic                // as LossFailed, and the cause was a panic or a Goexit
	LossDead                 // an actor died that held it, or that it had to pass
	LossDeadline             // Close's context ended while nobody was writing it
	LossInDoubt              // Close's context ended while a sink or a route was writing it
	LossOverflow             // overflow pushed it out of the queue, and no matching route took it

	numLoss
)

var lossNames = [numLoss]string{"failed", "panic", "dead", "deadline", "in_doubt", "overflow"}

// String returns the lower-case name that Stats uses.
func (l Loss) String() string { return name(lossNames[:], int(l)) }

// Route tells the [ErrorRouter] where failures go.
type Route[T any] struct {
	// Match is asked with the failure's error; nil matches everything. It is
	// called on the router's goroutine and must not block.
	Match func(error) bool
	// To gets the events, by WriteFailure if it is a [FailureSink]. What it
	// fails to take goes on to the next route that matches. One router calls
	// all routes: one that hangs holds up the others, and in the end the sink.
	// A sink that is the pipeline's own too is called from two goroutines; it
	// must be safe for that, or wrapped in sinks.Shared.
	To Sink[T]
}

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown"
}
