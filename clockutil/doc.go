// Package clockutil waits on any clock: timers, sleeps and deadlines that mean
// the same on the system's clock and on a mock of github.com/benbjohnson/clock.
//
// The mock of that package predates the timer semantics of Go 1.23 and differs
// from them in ways that lose deadlines, deliver stale ticks or hang. The types
// here keep Go's semantics on every clock, so that code which waits through
// them can be tested in virtual time and behave in production as it did there.
//
// # Rules
//
//   - Code that waits takes a [clock.Clock] and passes it here. It never calls
//     the waiting functions of package time, nor those of the clock itself.
//   - A nil clock is the system's clock.
//   - Durations and instants are those of the given clock. Instants of two
//     clocks are never compared: a mock usually stands in 1970.
//   - On the system's clock everything is a thin layer over packages time and
//     context and costs what they cost. Only other clocks take the longer way.
//   - A clock is the system's if it has the concrete type that [clock.New]
//     returns; whatever else implements the interface, a type that embeds
//     [clock.Mock] for example, is treated as a mock.
//   - Nothing here starts a goroutine that outlives the wait it serves, and the
//     package has no state of its own, so that it works inside the bubbles of
//     testing/synctest.
//
// There is no ticker. Re-arm a [Timer] after each tick: an owner that falls
// behind then finds one tick waiting, never a backlog and never a gap.
//
// Package clocktest, beside this one, is the matching test harness.
package clockutil
