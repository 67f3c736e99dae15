package main

import "time"

// peer is a library in the role under test: something that takes events from
// many goroutines and passes them on to an output.
type peer interface {
	// producer returns the function that one goroutine calls for each event.
	producer() send
	// flush hands everything on to the output, as far as the peer has a way
	// to be asked for it.
	flush()
	// close returns when the peer says that everything is done.
	close() error
	// dropped returns, after close, how many events the peer says it has lost
	// without telling the caller. known is false if it does not say.
	dropped() (n uint64, known bool)
}

// send offers an event with a number, that was offered at a time if that is not
// 0. It reports false if the caller is told that the event was not taken. Peers
// that take values are given one that was made before, as those that take lines
// are given a line: what a caller does to make it is not what is measured.
type send func(seq uint64, at int64) bool

// kind is a peer, and a way to use it.
type kind struct {
	name   string
	blocks bool // callers wait when it is full; else something is lost
	varied bool // writes lines of its own, which differ in length
	open   func(s setup) (peer, error)
}

// setup is what a peer is opened with.
type setup struct {
	out   *output
	queue int           // events that may wait
	dir   string        // for those that write files themselves; "" if they are not to
	delay time.Duration // the greatest age of a batch; 0: the peer's default
}

// The peers. Those that take lines are given one that was made before.
var (
	channelDrops  = kind{"channel, select", false, false, openChannel(false)}
	channelBlocks = kind{"channel, blocking", true, false, openChannel(true)}
	penstockDrops = kind{"penstock Enqueue", false, false, openPenstock(false)}
	penstockWaits = kind{"penstock EnqueueWait", true, false, openPenstock(true)}
	zerologDiode  = kind{"zerolog diode", false, false, openZerolog}
	goDiode       = kind{"cloudfoundry diode", false, false, openGoDiode}
	phusluDrops   = kind{"phuslu, discarding", false, false, openPhuslu(true)}
	phusluBlocks  = kind{"phuslu AsyncWriter", true, false, openPhuslu(false)}
	zapBuffer     = kind{"zap BufferedWriteSyncer", true, false, openZap}
	mutexBuffer   = kind{"mutex and bufio", true, false, openBufio}
	otelBatch     = kind{"otel BatchProcessor", false, false, openOtel}
)

var (
	dropping = []kind{channelDrops, penstockDrops, zerologDiode, goDiode, phusluDrops, otelBatch}
	lossless = []kind{channelBlocks, penstockWaits, phusluBlocks, zapBuffer, mutexBuffer}
)

// lines gives a peer that takes lines one for each producer.
func lines(write func(line []byte) bool) func() send {
	return func() send {
		line := newLine()
		return func(_ uint64, at int64) bool {
			if at != 0 {
				stamp(line, at)
			}
			return write(line)
		}
	}
}
