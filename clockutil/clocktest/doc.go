// Package clocktest runs tests of code that waits, in virtual time and without
// flakes: an hour passes in microseconds, and nothing moves until everything
// that could happen at this instant has happened.
//
// A test body runs in a bubble of testing/synctest and gets a [World]. It
// injects [World.Clock] into what it tests, moves time with [World.Advance] and
// looks at what has been recorded:
//
//	func TestFlushesAfterASecond(t *testing.T) {
//		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
//			calls := clocktest.NewRecorder[int](w)
//			b := NewBuffer(w.Clock(), time.Second, func(batch []string) {
//				calls.Add(len(batch))
//			})
//			b.Put("a")
//			b.Put("b")
//			w.Advance(time.Second - 1)
//			require.Empty(t, calls.Values())
//			w.Advance(1)
//			require.Equal(t, []int{2}, calls.Values())
//			require.Equal(t, []time.Duration{time.Second}, calls.Times())
//			b.Close()
//		})
//	}
//
// [Both] runs a body on the system's clock, whose time the bubble fakes, and on
// a mock; [Explore] runs it once for each of many seeds, for a body that draws
// its plan from [World.Rand].
//
// # Rules for a body
//
//   - What it starts must have ended when it returns. The bubble panics if a
//     goroutine is left, also one that sleeps: a leak check for free.
//   - It makes its channels, timers and wait groups inside. The bubble waits for
//     goroutines blocked on those alone; one that waits for a mutex, a socket
//     or a channel from outside keeps time from moving, and so does one that
//     spins. See [WithStuckTimeout].
//   - So neither it nor the code under test holds a lock while blocked on
//     something else if another goroutine wants that lock.
//   - It takes deadlines from [World.WithTimeout], and fakes that take their time
//     sleep on [World.Clock]. On a mock the bubble's own clock creeps a
//     millisecond at each event and means nothing.
//   - It does not call t.Run or t.Parallel, and calls t.FailNow and what uses it
//     only in the goroutine it was called in.
//   - Values that goroutines share with the body go through a [Recorder]. Settling
//     makes what others wrote visible to the body; it does not keep them from
//     writing later, while the body reads.
//   - Timers due at one instant fire in an order that is random on purpose. Give
//     planned events distinct instants, with [Jitter], where replay matters.
package clocktest
