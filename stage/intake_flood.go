package stage

// flood counts events that overflow (evicted, spilled or refused) and says when
// a producer is to give way.
//
// Producers that never wait are preempted once in ten milliseconds. An actor that
// needs a processor stands in line behind all of them, the queue is full again
// after a hundredth of one such slice, and nearly everything is dropped although
// nobody is slow. So after some overflows a producer goes to the end of the line
// itself. If the actor does not come by for a whole line of producers, it does
// not wait for a processor, but for the sink, and ways are given more rarely:
// too rarely to be seen in a thousand calls.
type flood struct {
	events int // overflowed since a producer last gave way
	vain   int // ways given since the actor last came by
}

const (
	floodSize = 256  // overflows for each way given
	floodLine = 128  // ways given in vain
	stallSize = 8192 // overflows for each way given after that
)

// overflowed notes an overflow and reports whether its producer is to give way.
func (f *flood) overflowed() bool {
	f.events++
	if f.events < floodSize || f.vain >= floodLine && f.events < stallSize {
		return false
	}
	f.events = 0
	f.vain++
	return true
}

// moved notes that the actor came by.
func (f *flood) moved() { f.vain = 0 }
