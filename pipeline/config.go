package pipeline

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/stage"
)

// The defaults that zero values of [Config] stand for.
const (
	DefaultQueueSize     = 8192
	DefaultBatchSize     = 512
	DefaultFlushInterval = 100 * time.Millisecond
	DefaultPressure      = 0.8
	DefaultPace          = 200 * time.Microsecond
	DefaultReserve       = 0.25
)

// Config sets up a [Pipeline]. The zero value of every field is a working
// default; [New] refuses what makes no sense with a [*ConfigError]. The
// pipeline takes a copy, so a Config may be used again.
type Config[T any] struct {
	// Name is used in errors and Stats; default: the sink's.
	Name string

	// QueueSize is the greatest number of events waiting at the intake;
	// default 8192. Room for all of them is allocated by New. Downstream of the
	// queue there are at most
	//
	//	(QueueSize/C/4 + 5)·C + (13 + 5·len(Stages) + 2·Workers)·BatchSize
	//
	// events more, where C, the size of a chunk, is BatchSize but at least 64
	// and at most QueueSize, and the first quotient is at least 1 and at most
	// 4. A stage that holds batches back adds what it holds.
	QueueSize int
	// QueueBytes bounds the bytes of all unsettled events, those in flight
	// included; 0: no bound. It needs SizeOf. Under DropOldest, too, an event
	// is refused with ErrFull if evicting all that waits would not make room;
	// nothing is evicted then.
	QueueBytes int64
	// MaxEventBytes is the size above which an event is refused with
	// ErrTooLarge; default, and at most, QueueBytes. It needs SizeOf.
	MaxEventBytes int64
	// SizeOf returns an event's size in bytes. It is called once for each
	// event, on the producer's goroutine. If it panics or returns a negative
	// number the event is refused with ErrInvalid. nil: bytes are not counted.
	SizeOf func(T) int
	// Overflow says what Enqueue does when there is no room; default
	// DropOldest.
	Overflow stage.Overflow
	// Pressure is the depth, as a share of QueueSize in (0, 1], at which
	// OnPressure is called and the crossing counted; default 0.8, or of what the
	// Reserve leaves if there is one.
	Pressure float64
	// SpillSize is the number of events that overflow has pushed out of the queue
	// and that may wait for the Routes; 0: none go there. An event that
	// DropOldest would evict, or that would be refused with ErrFull, then becomes
	// a failure with the cause stage.ErrOverflow, and is rerouted, or lost if no
	// route takes it. When SpillSize of them wait, overflow is as without it; so
	// it is for an event that lacks bytes and not a place, because a spilled
	// event goes on to hold its own. Besides, up to BatchSize of them, but at
	// least 64, may be with a route. Room for all that wait is allocated by New.
	// It needs Routes.
	SpillSize int
	// Important tells the events that matter more. They may have the whole
	// queue; the lesser ones have what Reserve leaves of it. DropOldest evicts
	// the oldest lesser event for either, and an important one only for
	// another, when no lesser one waits. Order stays the order of acceptance. It
	// is called once for each event, on the producer's goroutine; if it panics
	// the event is refused with ErrInvalid. nil: all events are alike.
	Important func(T) bool
	// Reserve is the share of QueueSize, and of QueueBytes, in (0, 1), that
	// lesser events cannot use; default 0.25. It needs Important.
	Reserve float64

	// BatchSize is the number of events at which a batch is cut; default 512,
	// or QueueSize if that is less. It cannot exceed QueueSize.
	BatchSize int
	// BatchBytes cuts a batch before the event that would exceed it; 0: no
	// bound. It needs SizeOf. A larger event travels alone.
	BatchBytes int64
	// FlushInterval is the greatest age of a batch's first event, counted from
	// its arrival at the batcher, or, if the batch before could not be sent on,
	// from when it could; default 100 ms.
	FlushInterval time.Duration
	// Pace is how long the enqueue actor rests after a busy spell before it
	// looks at the queue again, so that producers need not wake it; a half
	// full queue ends the rest. What exceeds one haul may wait for another
	// rest, so an event waits up to twice as long. It is also how long a call
	// of EnqueueWait may last beyond the acceptance of its event while the
	// actor is held up: callers who have waited return one after the other.
	// Default 200 µs on the system's clock and none on an injected one;
	// negative: none. At most 100 ms.
	Pace time.Duration

	// Stages stand between the batcher and the flusher, in this order.
	Stages []stage.Stage[T]
	// Workers is the number of concurrent calls of the sink's Write; default
	// 1, which keeps order. Above 1 batches may be delivered out of order. At
	// most 65536.
	Workers int
	// Routes are where failures go, tried in order; none: failures are lost,
	// and counted.
	Routes []stage.Route[T]

	// OnPressure is called once for each time the depth rises to the pressure
	// threshold; it is re-armed when the depth has fallen below.
	OnPressure func(ctx context.Context, depth, capacity int)
	// OnFailure is called once the outcome of a failure is final, rerouted or
	// lost, so that it sees each failed event once. Events that Close's
	// deadline finds inside a stuck sink are reported when the sink returns.
	// What an actor held when it died, or a stage has swallowed, is counted and
	// not reported: nobody has it any more.
	OnFailure func(ctx context.Context, f stage.Failure[T])
	// OnDrop is called with evicted events: their number exactly, and the
	// events themselves while the hook keeps up, else the latest.
	OnDrop func(ctx context.Context, d stage.Dropped[T])
	// DropEvents is how many events are kept for a call of OnDrop; default
	// QueueSize, or 4096 if that is less; at most QueueSize; negative: none,
	// OnDrop hears of numbers alone. Room for twice as many is allocated, or for
	// four times as many if QueueBytes is set. It needs OnDrop.
	DropEvents int

	// Clock is what all waiting and all timestamps go by; default the
	// system's.
	Clock clock.Clock
}

// ConfigError names the field of a Config that New refused.
type ConfigError struct {
	Field  string
	Value  any
	Reason string
}

// Error gives the field, its value and the reason.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("penstock: %s = %v: %s", e.Field, e.Value, e.Reason)
}

const (
	minChunk = 64 // smaller chunks would make a buffer of every few events
	maxPace  = 100 * time.Millisecond
	maxHaul  = 4
	linkSize = 4 // batches a channel between two actors holds

	spillBytes = 16 // that a spilled event takes beside its own

	maxWorkers     = 1 << 16
	maxQueueMemory = 1 << (30 + 12*(^uint(0)>>63)) // bytes: 1 GiB, and 4 TiB where addresses have 64 bits
)

// withDefaults returns a copy of c with zero values replaced.
func (c Config[T]) withDefaults(sink stage.Sink[T]) Config[T] {
	injected := c.Clock != nil
	setDefault(&c.Name, stage.NameOf(sink))
	setDefault(&c.QueueSize, DefaultQueueSize)
	setDefault(&c.MaxEventBytes, c.QueueBytes)
	if c.Important != nil {
		setDefault(&c.Reserve, DefaultReserve)
	}
	setDefault(&c.Pressure, DefaultPressure*(1-c.Reserve))
	setDefault(&c.BatchSize, min(DefaultBatchSize, c.QueueSize))
	setDefault(&c.FlushInterval, DefaultFlushInterval)
	setDefault(&c.Workers, 1)
	if !injected {
		c.Clock = clock.New()
		setDefault(&c.Pace, DefaultPace)
	}
	c.Pace = max(c.Pace, 0)
	c.Stages = append([]stage.Stage[T](nil), c.Stages...)
	c.Routes = append([]stage.Route[T](nil), c.Routes...)
	return c
}

func setDefault[V comparable](field *V, value V) {
	var zero V
	if *field == zero {
		*field = value
	}
}

// Validate returns the [*ConfigError] that New would return for c, or nil. It is
// for those who check several configurations before they start anything.
func (c Config[T]) Validate() error { return c.validate() }

// validate checks c as the user wrote it.
func (c *Config[T]) validate() error {
	refuse := func(field string, value any, reason string) error {
		return &ConfigError{Field: field, Value: value, Reason: reason}
	}
	queue := c.QueueSize
	if queue == 0 {
		queue = DefaultQueueSize
	}
	switch {
	case c.QueueSize < 0:
		return refuse("QueueSize", c.QueueSize, "must not be negative")
	case uint64(c.QueueSize) > maxQueueMemory/uint64(max(1, reflect.TypeFor[T]().Size())):
		return refuse("QueueSize", c.QueueSize, "needs more memory than any machine has")
	case c.QueueBytes < 0:
		return refuse("QueueBytes", c.QueueBytes, "must not be negative")
	case c.MaxEventBytes < 0:
		return refuse("MaxEventBytes", c.MaxEventBytes, "must not be negative")
	case c.QueueBytes > 0 && c.MaxEventBytes > c.QueueBytes:
		return refuse("MaxEventBytes", c.MaxEventBytes, fmt.Sprintf("must not exceed QueueBytes = %d", c.QueueBytes))
	case c.BatchBytes < 0:
		return refuse("BatchBytes", c.BatchBytes, "must not be negative")
	case c.SizeOf == nil && c.QueueBytes > 0:
		return refuse("QueueBytes", c.QueueBytes, "needs SizeOf")
	case c.SizeOf == nil && c.MaxEventBytes > 0:
		return refuse("MaxEventBytes", c.MaxEventBytes, "needs SizeOf")
	case c.SizeOf == nil && c.BatchBytes > 0:
		return refuse("BatchBytes", c.BatchBytes, "needs SizeOf")
	case c.Overflow > stage.DropNewest:
		return refuse("Overflow", uint8(c.Overflow), "must be DropOldest or DropNewest")
	case math.IsNaN(c.Pressure) || c.Pressure < 0 || c.Pressure > 1:
		return refuse("Pressure", c.Pressure, "must be above 0 and at most 1")
	case c.SpillSize < 0:
		return refuse("SpillSize", c.SpillSize, "must not be negative")
	case uint64(c.SpillSize) > maxQueueMemory/uint64(reflect.TypeFor[T]().Size()+spillBytes):
		return refuse("SpillSize", c.SpillSize, "needs more memory than any machine has")
	case c.SpillSize > 0 && len(c.Routes) == 0:
		return refuse("SpillSize", c.SpillSize, "needs Routes")
	case math.IsNaN(c.Reserve) || c.Reserve < 0 || c.Reserve >= 1:
		return refuse("Reserve", c.Reserve, "must be above 0 and below 1")
	case c.Important == nil && c.Reserve > 0:
		return refuse("Reserve", c.Reserve, "needs Important")
	case c.DropEvents != 0 && c.OnDrop == nil:
		return refuse("DropEvents", c.DropEvents, "needs OnDrop")
	case c.DropEvents > queue:
		return refuse("DropEvents", c.DropEvents, fmt.Sprintf("must not exceed QueueSize = %d", queue))
	case c.BatchSize < 0:
		return refuse("BatchSize", c.BatchSize, "must not be negative")
	case c.BatchSize > queue:
		return refuse("BatchSize", c.BatchSize, fmt.Sprintf("must not exceed QueueSize = %d", queue))
	case c.FlushInterval < 0:
		return refuse("FlushInterval", c.FlushInterval, "must not be negative")
	case c.Pace > maxPace:
		return refuse("Pace", c.Pace, fmt.Sprintf("must not exceed %v", maxPace))
	case c.Workers < 0:
		return refuse("Workers", c.Workers, "must not be negative")
	case c.Workers > maxWorkers:
		return refuse("Workers", c.Workers, fmt.Sprintf("must not exceed %d", maxWorkers))
	}
	for i, s := range c.Stages {
		if s == nil {
			return refuse(fmt.Sprintf("Stages[%d]", i), s, "must not be nil")
		}
	}
	for i, r := range c.Routes {
		if r.To == nil {
			return refuse(fmt.Sprintf("Routes[%d].To", i), r.To, "must not be nil")
		}
	}
	return nil
}

// chunkSize is the number of events that leave the intake together.
func (c *Config[T]) chunkSize() int { return min(max(c.BatchSize, minChunk), c.QueueSize) }

// step is shared by the intake and the batcher if a chunk can become a batch as
// it is.
func (c *Config[T]) step() *stage.Step {
	if c.chunkSize() != c.BatchSize || c.BatchBytes > 0 || c.Important != nil {
		return nil
	}
	return &stage.Step{}
}

// haulSize is the number of chunks the enqueue actor takes at a time.
func (c *Config[T]) haulSize() int { return min(max(c.QueueSize/c.chunkSize()/4, 1), maxHaul) }

func (c *Config[T]) intake(owner any, step *stage.Step) stage.IntakeConfig[T] {
	return stage.IntakeConfig[T]{
		QueueSize:      c.QueueSize,
		QueueBytes:     c.QueueBytes,
		MaxEventBytes:  c.MaxEventBytes,
		SizeOf:         c.SizeOf,
		Overflow:       c.Overflow,
		PressureAt:     max(1, int(math.Ceil(c.Pressure*float64(c.QueueSize)))),
		ChunkSize:      c.chunkSize(),
		Step:           step,
		SpillSize:      c.SpillSize,
		Important:      c.Important,
		LesserSize:     c.QueueSize - int(c.Reserve*float64(c.QueueSize)),
		LesserBytes:    c.QueueBytes - int64(c.Reserve*float64(c.QueueBytes)),
		ReportDrops:    c.OnDrop != nil,
		DropEvents:     c.DropEvents,
		ReportPressure: c.OnPressure != nil,
		Clock:          c.Clock,
		Owner:          owner,
	}
}
