package stage

import (
	"errors"
	"time"

	"github.com/benbjohnson/clock"
)

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
	PressureAt    int // depth that counts as pressure; 0: never
	ChunkSize     int // events that leave together

	ReportDrops    bool // somebody asks for evicted events
	ReportPressure bool // somebody asks for crossings

	Clock clock.Clock // nil: the system's
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
	mu  backoffLock
	n   int // end of the filled part of buf
	lim int // n >= lim: go the slow way
	buf []T // cur.events
	_   [128 - 48]byte

	cfg    IntakeConfig[T]
	sized  bool
	clock  clock.Clock
	ledger *Ledger
	wake   chan struct{} // to the actor, one slot: many send, nobody closes
	notice chan struct{} // to the observer, one slot: many send, nobody closes
	_      [64]byte

	// All below is guarded by mu.

	cur    *Buffer[T]   // being filled
	ring   []*Buffer[T] // sealed chunks, oldest first
	first  int          // index of the oldest in ring
	sealed int          // number of chunks in ring
	queued int          // events waiting in ring
	spare  []*Buffer[T] // clean buffers
	base   uint64       // events accepted before cur was opened
	bytes  int64        // of all unsettled events, in flight ones included
	held   int64        // of those that wait

	state   consumer
	marks   []uint64 // flush marks the actor has not passed, ascending
	refusal error    // why nothing more is accepted; nil while open
	why     Refusal  // the same as a reason
	over    bool     // abandoned: bytes are not counted any more

	waiters waitList[T]

	rejected  [numRefusal]uint64
	evicted   [numEviction]uint64
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
	q := &Intake[T]{
		cfg:    cfg,
		sized:  cfg.SizeOf != nil,
		clock:  cfg.Clock,
		ledger: ledger,
		wake:   make(chan struct{}, 1),
		notice: make(chan struct{}, 1),
		ring:   make([]*Buffer[T], buffers),
		spare:  make([]*Buffer[T], 0, buffers),
		armed:  true,
	}
	if q.clock == nil {
		q.clock = clock.New()
	}
	for range buffers {
		q.spare = append(q.spare, newBuffer[T](cfg.ChunkSize, q.sized))
	}
	if cfg.ReportDrops {
		for why := range q.drops {
			q.drops[why] = newDropLog[T](cfg.QueueSize)
		}
	}
	q.waiters.free = make(chan *waiter[T], keptWaiters)
	ledger.release = q.release
	q.open()
	return q
}

// Enqueue accepts *ev or says why not. It never blocks and does not retain ev.
func (q *Intake[T]) Enqueue(ev *T) error {
	if q.sized {
		return q.enqueueSized(ev)
	}
	if !q.mu.TryLock() { // mu.lock, by hand: it is not inlined
		q.mu.lockSlow()
	}
	n := q.n
	if n >= q.lim {
		return q.enqueueSlow(ev, 0)
	}
	q.buf[n] = *ev
	q.n = n + 1
	q.mu.Unlock()
	return nil
}

func (q *Intake[T]) enqueueSized(ev *T) error {
	size, err := q.measure(ev)
	q.mu.lock()
	if err != nil {
		err = q.refuse(err)
		q.mu.Unlock()
		return err
	}
	return q.enqueueSlow(ev, size)
}

// enqueueSlow is entered with the lock held and leaves with it released.
func (q *Intake[T]) enqueueSlow(ev *T, size int64) error {
	return q.accept(ev, size, q.look(size, time.Time{}))
}

// accept is admit, entered with the lock held, and with the lock released.
func (q *Intake[T]) accept(ev *T, size int64, now time.Time) error {
	sig, err := q.admit(ev, size, now)
	q.mu.Unlock()
	q.signal(sig)
	return err
}

// look returns the time if an event that may now be accepted, one of the given
// size or a waiter's, is the first of its chunk; else, or if it is known, it
// returns known. The clock may be the user's, so it is read with the lock
// released: the caller has not acted yet on what it saw under the lock.
func (q *Intake[T]) look(size int64, known time.Time) time.Time {
	w := q.waiters.front
	due := q.fits(size) || q.cfg.Overflow == DropOldest || w != nil && q.fits(w.size)
	if !known.IsZero() || !due || q.refusal != nil || w == nil && !q.fresh() {
		return known
	}
	q.mu.Unlock()
	now := q.clock.Now()
	q.mu.lock()
	return now
}

// refuse counts an event that measure refused with err, and returns why it is
// refused: a closed queue refuses everything alike.
func (q *Intake[T]) refuse(err error) error {
	why := RefusedInvalid
	switch {
	case q.refusal != nil:
		why, err = q.why, q.refusal
	case err == ErrTooLarge:
		why = RefusedTooLarge
	}
	q.rejected[why]++
	return err
}

// measure asks the size function. It runs before the lock is taken, and its
// result is stored beside the event and never asked for again.
func (q *Intake[T]) measure(ev *T) (size int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Join(ErrInvalid, NewPanicError(r))
		}
	}()
	size = int64(q.cfg.SizeOf(*ev))
	switch limit := q.cfg.MaxEventBytes; {
	case size < 0:
		return 0, ErrInvalid
	case limit > 0 && size > limit, q.cfg.QueueBytes > 0 && size > q.cfg.QueueBytes:
		return 0, ErrTooLarge
	}
	return size, nil
}

// EnqueueAll offers every event and returns the number accepted. refused is
// called, without a lock, for each of the others.
func (q *Intake[T]) EnqueueAll(evs []T, refused func(i int, err error)) (accepted int) {
	const run = 64 // events a lock is held for
	var (
		sizes [run]int64
		errs  [run]error
	)
	for at := 0; at < len(evs); at += run {
		part := evs[at:min(at+run, len(evs))]
		if q.sized {
			for i := range part {
				sizes[i], errs[i] = q.measure(&part[i])
			}
		}
		var sig signals
		var now time.Time
		q.mu.lock()
		for i := range part {
			switch {
			case errs[i] != nil:
				errs[i] = q.refuse(errs[i])
			case q.n < q.lim:
				q.buf[q.n] = part[i]
				q.n++
			default:
				var s signals
				now = q.look(sizes[i], now)
				s, errs[i] = q.admit(&part[i], sizes[i], now)
				sig |= s
			}
		}
		q.mu.Unlock()
		q.signal(sig)
		for i := range part {
			if errs[i] == nil {
				accepted++
				continue
			}
			refused(at+i, errs[i])
			errs[i] = nil
		}
	}
	return accepted
}

// Depth returns the number of waiting events.
func (q *Intake[T]) Depth() int {
	q.mu.lock()
	defer q.mu.Unlock()
	return q.depth()
}
