package clocktest

import (
	"fmt"
	"runtime"
	"time"
)

// watch starts the watchdog of the test called name and returns the function
// that calls it off.
func (c config) watch(name string) (stop func() bool) {
	if c.stuck <= 0 {
		return func() bool { return false }
	}
	dog := time.AfterFunc(c.stuck, func() {
		c.expire(fmt.Sprintf("clocktest: %s (seed %d) is stuck: its bubble did not finish in %v of real time.\n"+
			"Look for goroutines of the bubble that wait for what the bubble does not know: "+
			"a mutex, a socket, a channel from outside, or that spin.\n\n%s",
			name, c.seed, c.stuck, stacks()))
	})
	return dog.Stop
}

// crash ends the test binary as the time limit of package testing does. There is
// no way to end the stuck test alone.
func crash(report string) { panic(report) }

// stacks returns the stacks of all goroutines.
func stacks() []byte {
	for size := 1 << 16; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return buf[:n]
		}
	}
}
