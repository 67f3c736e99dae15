package sim

import (
	"slices"
	"time"

	"github.com/penstock-go/penstock/stage"
)

// plan is a scenario: what comes from outside the pipeline, and when. Times are
// since the beginning, durations of what they stand beside.
type plan struct {
	// Ties puts everything on whole milliseconds, so that much happens at one
	// instant, in an order that no seed decides. Without it nothing coincides,
	// and a plan plays the same way each time.
	Ties bool `json:",omitempty"`
	Mock bool `json:",omitempty"` // on a mock instead of the system's clock

	QueueSize     int
	Overflow      stage.Overflow `json:",omitempty"`
	SizeOf        bool           `json:",omitempty"`
	QueueBytes    int64          `json:",omitempty"`
	BatchBytes    int64          `json:",omitempty"`
	Important     int            `json:",omitempty"` // each so-manieth event of a producer matters more; 0: all are alike
	SpillSize     int            `json:",omitempty"`
	BatchSize     int
	FlushInterval time.Duration
	Workers       int

	Producers [][]offer
	Stages    []stagePlan `json:",omitempty"`
	Sinks     []sinkPlan  // the pipeline's, and then the routes'
	Flushes   []visit     `json:",omitempty"`
	Looks     []time.Duration
	Close     visit

	OnFailure  []action `json:",omitempty"` // what the i-th call does; then it starts again
	OnDrop     []action `json:",omitempty"`
	OnPressure []action `json:",omitempty"`
}

// offer is one call of a producer.
type offer struct {
	After    time.Duration
	Bytes    []int         // of the events offered; several: EnqueueAll
	Patience time.Duration `json:",omitempty"` // not 0: EnqueueWait
}

// visit is a call of Flush or Close.
type visit struct{ At, Patience time.Duration }

// stagePlan is a custom stage.
type stagePlan struct {
	Kind  stageKind
	Calls []call    `json:",omitempty"` // of a Map
	Holds int       `json:",omitempty"` // batches a raw stage holds back
	Dies  int       `json:",omitempty"` // with which batch a raw stage dies; 0: never
	How   deathKind `json:",omitempty"`
}

type stageKind string

const (
	mapped stageKind = "map"
	raw    stageKind = "raw"
)

type deathKind string

const (
	diesPanic   deathKind = "panic"
	diesGoexit  deathKind = "goexit"
	diesReturn  deathKind = "return"
	diesFailing deathKind = "error"
)

// sinkPlan is a sink, or a route with its sink.
type sinkPlan struct {
	Match bool   `json:",omitempty"` // a route that takes part of the errors only
	Cause bool   `json:",omitempty"` // a route that wants the cause
	Wraps []wrap `json:",omitempty"` // decorators around it, the innermost first
	Calls []call
	Flush []call `json:",omitempty"`
}

// wrap is a decorator.
type wrap struct {
	Kind  wrapKind
	Short time.Duration // the first wait, the grace
	Long  time.Duration // the longest wait, the cool-down, the limit
	Times int           // attempts, failures, a burst
	Holds bool          `json:",omitempty"` // a breaker's callers wait
}

type wrapKind string

const (
	retry   wrapKind = "retry"
	breaker wrapKind = "breaker"
	timeout wrapKind = "timeout"
	rate    wrapKind = "rate"
)

// matters says which events are important.
func (p *plan) matters(ev event) bool { return p.Important > 0 && ev.Seq%p.Important == 0 }

func (p *sinkPlan) wrappedIn(kind wrapKind) bool {
	return slices.ContainsFunc(p.Wraps, func(w wrap) bool { return w.Kind == kind })
}

// call is what one call of user code does. A list of them starts again at its
// end.
type call struct {
	Acts   action        `json:",omitempty"` // first
	Takes  time.Duration `json:",omitempty"`
	Heeds  bool          `json:",omitempty"` // it returns when its context ends
	Ends   ending        `json:",omitempty"`
	Events uint64        `json:",omitempty"` // bit i: the i-th fails, or is filtered
}

type ending string

const (
	ok         ending = ""
	transient  ending = "transient"
	permanent  ending = "permanent"
	partial    ending = "partial"
	badPartial ending = "bad partial" // an index is out of range
	ambiguous  ending = "ambiguous"   // an error, and everything was written
	panics     ending = "panic"
	exits      ending = "goexit"
	grows      ending = "grows" // a Map's
	filters    ending = "filters"
)

// action is a call back into the pipeline, or an end.
type action string

const (
	nothing    action = ""
	enqueues   action = "enqueue"
	waits      action = "wait"
	flushes    action = "flush"
	closes     action = "close"
	asks       action = "stats"
	hookPanics action = "panic" // a hook's
	hookExits  action = "goexit"
)
