package main

import (
	"math/rand/v2"
	"time"
	"unsafe"
)

// event is one log record of a web service. The strings are shared.
type event struct {
	Time     int64 // nanoseconds since 1970
	Seq      uint64
	Duration time.Duration
	Producer uint32
	Status   uint16
	Level    level
	Trace    [8]byte
	User     uint64
	Message  string
	Method   string
	Path     string
	Service  string
}

const eventBytes = unsafe.Sizeof(event{})

type level uint8

var levelNames = [...]string{"DEBUG", "INFO", "WARN", "ERROR"}

// corpus is a set of events that producers go through again and again, so that
// making one costs a copy and a clock reading.
type corpus struct {
	events [256]event
	start  time.Time
}

func newCorpus(seed uint64) *corpus {
	c := &corpus{start: time.Now()}
	r := rand.New(rand.NewPCG(seed, 0x70656e73746f636b))
	for i := range c.events {
		c.events[i] = randomEvent(r)
	}
	return c
}

// fill makes ev the seq-th event of a producer.
func (c *corpus) fill(ev *event, producer int, seq uint64) {
	*ev = c.events[(seq+uint64(producer)*67)%uint64(len(c.events))]
	ev.Time = c.start.UnixNano() + int64(time.Since(c.start))
	ev.Producer = uint32(producer)
	ev.Seq = seq
}

// lineLength is the mean length of an encoded event.
func (c *corpus) lineLength() int {
	var buf []byte
	for i := range c.events {
		ev := c.events[i]
		ev.Time, ev.Seq = c.start.UnixNano(), 500_000
		buf, _ = appendJSON(buf, ev)
	}
	return len(buf) / len(c.events)
}

var (
	methods  = []string{"GET", "GET", "GET", "POST", "PUT", "DELETE"}
	services = []string{"checkout", "catalog", "search", "accounts"}
	paths    = []string{"/api/orders", "/api/cart", "/api/search?q=lamp", "/api/users/me", "/health"}
)

func randomEvent(r *rand.Rand) event {
	ev := event{
		Level:    1,
		Status:   200,
		Message:  "request served",
		Method:   methods[r.IntN(len(methods))],
		Path:     paths[r.IntN(len(paths))],
		Service:  services[r.IntN(len(services))],
		Duration: time.Duration(r.ExpFloat64() * float64(8*time.Millisecond)),
		User:     uint64(r.IntN(1_000_000)),
	}
	for i := range ev.Trace {
		ev.Trace[i] = byte(r.Uint32())
	}
	switch p := r.IntN(100); {
	case p < 2:
		ev.Level, ev.Status, ev.Message = 3, 500, `handler failed: dial tcp 10.0.3.17:5432: "connection refused"`
	case p < 8:
		ev.Level, ev.Status, ev.Message = 2, 404, "no such resource"
	case p < 20:
		ev.Level, ev.Message = 0, "cache hit"
	}
	return ev
}
