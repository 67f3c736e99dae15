package stage

import "github.com/benbjohnson/clock"

// Overflow says what Enqueue does with a full queue.
type Overflow uint8

// The overflow policies. Enqueue blocks under none of them.
const (
	DropOldest Overflow = iota // evict the oldest waiting event
	DropNewest                 // refuse the new one with ErrFull
)

// String returns the policy's name as the demo's flags spell it.
func (o Overflow) String() string {
	return name([]string{"drop-oldest", "drop-newest"}, int(o))
}

// IntakeConfig sets the bounds of an [Intake]. Package pipeline validates and
// documents them under the same names.
type IntakeConfig[T any] struct {
	QueueSize     int
	QueueBytes    int64
	MaxEventBytes int64
	SizeOf        func(T) int
	Overflow      Overflow
	PressureAt    int   // depth that counts as pressure; 0: never
	ChunkSize     int   // events that leave together
	Step          *Step // shared with the batcher if a chunk has a batch's size; nil: it has not

	// Important tells important events from the lesser ones, which have less of
	// the queue: at most LesserSize wait, and what is neither important nor
	// settled has at most LesserBytes, if QueueBytes is set. nil: all events are
	// alike.
	Important   func(T) bool
	LesserSize  int
	LesserBytes int64

	SpillSize int // overflowed events that may wait for the routes; 0: none go there

	ReportDrops    bool // somebody asks for evicted events
	DropEvents     int  // at most so many for a call; 0: QueueSize, or 4096 if that is less; negative: none, but their number
	ReportPressure bool // somebody asks for crossings

	Clock clock.Clock // nil: the system's
	Owner any         // as in a Scope: who holds a context of it must not wait here; nil: everybody may
}

// Intake is the queue in front of the pipeline: a ring of chunks that
// producers fill under one short lock and the [Enqueue] actor takes whole. It
// is the only place where overflow can happen.
//
// A producer writes its event straight into the chunk that will travel on, and
// as long as the fill index is below the limit that is all it does. The limit
// folds every reason to look closer into one comparison: a full chunk, a full
// queue, the pressure threshold, an idle consumer, waiting callers, a byte
// bound, a closed pipeline.
type Intake[T any] struct {
	// All that a producer touches shares one cache line, and nothing else is on
	// it: a hand-over between cores moves this line and the event's own. It
	// stands first, where the allocator's alignment keeps it in one piece.
	mu   backoffLock
	n    int // end of the filled part of buf
	lim  int // n >= lim: go the slow way
	free int // the same for those who wait rather than have others evicted
	buf  []T // cur.events
	_    [128 - 64]byte

	cfg    IntakeConfig[T]
	asks   bool // about each event, before it is offered
	sized  bool
	ranked bool // some events are important
	lazy   bool // a full queue may evict later what nobody asks for
	clock  clock.Clock
	ledger *Ledger
	wake   chan struct{} // to the actor, one slot: many send, nobody closes
	notice chan struct{} // to the observer, one slot: many send, nobody closes
	_      [64]byte

	// All below is guarded by mu.

	cur       *Buffer[T]   // being filled
	ring      chunks[T]    // sealed chunks
	kept      chunks[T]    // important events that overflow has passed over; all older than those in ring
	spare     []*Buffer[T] // clean buffers
	base      uint64       // events accepted before cur was opened
	hauled    uint64       // events taken by the actor
	bytes     int64        // of all unsettled events, in flight ones included
	held      int64        // of those that wait
	important tally        // those that wait and are important

	state   consumer
	marks   []uint64 // flush marks the actor has not passed, ascending
	refusal error    // why nothing more is accepted; nil while open
	why     Refusal  // the same as a reason
	over    bool     // abandoned: bytes are not counted any more

	waiters waitRoom[T]
	spills  spills[T]

	rejected  [numRefusal]uint64
	evicted   [numEviction]uint64
	direct    uint64                         // accepted and spilled at once
	grave     struct{ full, evicted uint64 } // of rejected for RefusedFull and evicted, the important ones
	flood     flood
	crossings uint64
	armed     bool // the next upward crossing of PressureAt counts

	noticed bool // the observer has been told and has not looked yet
	alarms  int  // crossings the observer has not seen
	alarmed int  // depth at the latest
	drops   [numEviction]dropLog[T]
}

// consumer is what the Enqueue actor is doing.
type consumer uint8

const (
	running consumer = iota
	idle             // the queue was empty: the next event wakes it
	paced            // resting after a busy spell: a queue half full wakes it
)

// Refusal says why an event was not accepted.
type Refusal uint8

// The reasons for a refusal.
const (
	RefusedFull Refusal = iota
	RefusedClosed
	RefusedTooLarge
	RefusedCanceled
	RefusedDead
	RefusedInvalid

	numRefusal
)

var refusalNames = [numRefusal]string{"full", "closed", "too_large", "canceled", "dead", "invalid"}

// String returns the lower-case name that Stats uses.
func (r Refusal) String() string { return name(refusalNames[:], int(r)) }

// NewIntake returns an open, empty queue whose events pass on to ledger.
func NewIntake[T any](cfg IntakeConfig[T], ledger *Ledger) *Intake[T] {
	// At most one chunk is partly evicted, one partly filled, all others are
	// full: this many always suffice, and the queue never allocates again.
	buffers := cfg.QueueSize/cfg.ChunkSize + 2
	if cfg.Important != nil {
		buffers += 2 // the same goes for kept
	}
	q := &Intake[T]{
		cfg:    cfg,
		asks:   cfg.SizeOf != nil || cfg.Important != nil,
		sized:  cfg.SizeOf != nil,
		ranked: cfg.Important != nil,
		lazy:   cfg.Overflow == DropOldest && !cfg.ReportDrops && cfg.SpillSize == 0,
		clock:  cfg.Clock,
		ledger: ledger,
		wake:   make(chan struct{}, 1),
		notice: make(chan struct{}, 1),
		ring:   chunks[T]{ring: make([]*Buffer[T], buffers)},
		spare:  make([]*Buffer[T], 0, buffers),
		armed:  true,
	}
	if q.clock == nil {
		q.clock = clock.New()
	}
	for range buffers {
		b := newBuffer[T](cfg.ChunkSize, q.sized)
		if q.ranked {
			b.classed()
		}
		q.spare = append(q.spare, b)
	}
	if q.ranked {
		q.kept.ring = make([]*Buffer[T], buffers)
	}
	q.drops = q.cfg.dropLogs()
	if cfg.SpillSize > 0 {
		q.spills.ring = make([]spilled[T], cfg.SpillSize)
		q.spills.notice = make(chan struct{}, 1)
	}
	q.waiters.free = make(chan *waiter[T], keptWaiters)
	ledger.release = q.release
	q.open()
	return q
}
