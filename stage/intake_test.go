package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// newQueue is an intake whose events are their own sizes, if it counts bytes.
func newQueue(cfg IntakeConfig[int]) (*Intake[int], *Ledger) {
	if cfg.ChunkSize == 0 {
		cfg.ChunkSize = cfg.QueueSize
	}
	if cfg.QueueBytes+cfg.MaxEventBytes > 0 && cfg.SizeOf == nil {
		cfg.SizeOf = func(ev int) int { return ev }
	}
	l := &Ledger{}
	return NewIntake(cfg, l), l
}

// poolFor is a pool of buffers for q's chunks.
func poolFor(q *Intake[int], keep int) *Buffers[int] {
	pool := NewBuffers[int](q.cfg.ChunkSize, keep, q.sized)
	if q.ranked {
		pool.Classed()
	}
	return pool
}

// offer enqueues events and returns the errors.
func offer(q *Intake[int], events ...int) (errs []error) {
	for _, ev := range events {
		errs = append(errs, q.Enqueue(&ev))
	}
	return errs
}

// takeAll takes everything that waits, and returns the events and chunks.
func takeAll(q *Intake[int]) (events []int, chunks []Batch[int]) {
	var h haul[int]
	pool := poolFor(q, 0)
	for range 2*len(q.ring.ring) + 1 {
		h.clean = append(h.clean, pool.get())
	}
	q.take(&h, false)
	for _, c := range h.full {
		events = append(events, c.Events...)
	}
	return events, h.full
}

func TestIntakeDropsTheOldest(t *testing.T) {
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 3, ChunkSize: 2})
	require.Equal(t, make([]error, 5), offer(q, 1, 2, 3, 4, 5))
	require.Equal(t, 3, q.Depth())
	events, chunks := takeAll(q)
	require.Equal(t, []int{3, 4, 5}, events)
	require.Equal(t, uint64(2), chunks[0].span.From)
	b := q.Books()
	require.Equal(t, uint64(5), b.Accepted)
	require.Equal(t, [numEviction]uint64{EvictedCount: 2}, b.Evicted)
	require.Equal(t, uint64(3), b.InFlight)
	require.Zero(t, b.Depth)
}

func TestIntakeDropsTheNewest(t *testing.T) {
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 2, Overflow: DropNewest})
	require.Equal(t, []error{nil, nil, ErrFull, ErrFull}, offer(q, 1, 2, 3, 4))
	events, _ := takeAll(q)
	require.Equal(t, []int{1, 2}, events)
	require.Equal(t, []error{nil}, offer(q, 5), "what is in flight takes no room in the queue")
	require.Equal(t, uint64(2), q.Books().Rejected[RefusedFull])
}

func TestIntakeCountsBytesUntilSettled(t *testing.T) {
	q, l := newQueue(IntakeConfig[int]{QueueSize: 100, QueueBytes: 10, MaxEventBytes: 8, ChunkSize: 4})
	require.Equal(t, []error{nil, ErrTooLarge, nil}, offer(q, 4, 9, 3))
	require.Equal(t, int64(7), q.Books().Bytes)
	events, chunks := takeAll(q)
	require.Equal(t, []int{4, 3}, events)
	require.Equal(t, []error{ErrFull, nil}, offer(q, 4, 3), "nothing is left to evict")
	require.Equal(t, []error{ErrFull}, offer(q, 5), "3 is not enough")
	require.Equal(t, []error{nil}, offer(q, 2), "2 replaces 3")
	b := q.Books()
	require.Equal(t, [numEviction]uint64{EvictedBytes: 1}, b.Evicted)
	require.Equal(t, int64(9), b.Bytes)
	require.Equal(t, uint64(1), b.Rejected[RefusedTooLarge])

	r := l.Issue(2, 7, chunks[0].span, BySize)
	require.Equal(t, int64(9), q.Books().Bytes)
	l.Settle(r, Delivered, 0)
	require.Equal(t, int64(2), q.Books().Bytes)
	require.Equal(t, []error{nil}, offer(q, 8))
}

func TestIntakeRefusesWhatItCannotMeasure(t *testing.T) {
	asked := 0
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 8, SizeOf: func(ev int) int {
		if asked++; ev == 13 {
			blowUp(io.EOF)
		}
		return ev
	}})
	errs := offer(q, 1, -1, 13, 2)
	require.NoError(t, errs[0])
	require.Equal(t, ErrInvalid, errs[1])
	require.ErrorIs(t, errs[2], ErrInvalid)
	require.ErrorIs(t, errs[2], io.EOF)
	var p *PanicError
	require.ErrorAs(t, errs[2], &p)
	require.Contains(t, p.Stack, "stage.blowUp")
	require.NoError(t, errs[3])
	bad := -1
	require.ErrorIs(t, q.EnqueueWait(t.Context(), &bad), ErrInvalid)
	require.Equal(t, 5, asked, "an event is measured once")
	events, _ := takeAll(q)
	require.Equal(t, []int{1, 2}, events)
	require.Equal(t, uint64(3), q.Books().Rejected[RefusedInvalid])
	require.Equal(t, 5, asked)
}

func TestIntakeTriesEveryEvent(t *testing.T) {
	for _, sized := range []bool{false, true} {
		cfg := IntakeConfig[int]{QueueSize: 150, ChunkSize: 7, Overflow: DropNewest}
		if sized {
			cfg.MaxEventBytes = 1000
		}
		q, _ := newQueue(cfg)
		events := count(1, 200)
		bad := map[int]error{}
		if sized {
			events[3], events[70] = 5000, -1
			bad[3], bad[70] = ErrTooLarge, ErrInvalid
		}
		refused := map[int]error{}
		accepted := q.EnqueueAll(events, func(i int, err error) {
			q.Depth() // the lock is not held
			refused[i] = err
		})
		require.Equal(t, 150, accepted)
		require.Len(t, refused, 50)
		var want []int
		for i, ev := range events {
			switch err, ok := refused[i]; {
			case !ok:
				want = append(want, ev)
			case bad[i] != nil:
				require.Equal(t, bad[i], err)
			default:
				require.Equal(t, ErrFull, err)
			}
		}
		got, _ := takeAll(q)
		require.Equal(t, want, got)
	}
}

func TestIntakeSealed(t *testing.T) {
	dead := errors.New("dead")
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 4})
	require.False(t, q.Drained())
	offer(q, 1, 2)
	q.Seal(dead, RefusedDead)
	q.Seal(ErrClosed, RefusedClosed)
	require.Equal(t, []error{dead, dead}, offer(q, 3, 4), "the first reason stands")
	ev := 5
	require.Equal(t, dead, q.EnqueueWait(t.Context(), &ev))
	require.Zero(t, q.EnqueueAll([]int{6}, func(_ int, err error) { require.Equal(t, dead, err) }))
	require.Equal(t, uint64(4), q.Books().Rejected[RefusedDead])
	require.False(t, q.Drained())
	events, _ := takeAll(q)
	require.Equal(t, []int{1, 2}, events)
	require.True(t, q.Drained())
	h := haul[int]{clean: []*Buffer[int]{newBuffer[int](4, false)}}
	require.Equal(t, finish, q.take(&h, true))
}

func TestIntakeAbandons(t *testing.T) {
	q, l := newQueue(IntakeConfig[int]{QueueSize: 8, QueueBytes: 100, ChunkSize: 2})
	offer(q, 1, 2, 3)
	_, chunks := takeAll(q)
	r := l.Issue(2, 3, chunks[0].span, BySize)
	require.Equal(t, mayCall, l.enter(r, 2, func() {}))
	offer(q, 4, 5, 6)
	mark := q.Mark()
	q.Seal(ErrClosed, RefusedClosed)
	waiting, inDoubt := q.Abandon(LossDeadline)
	require.Len(t, waiting, 2)
	require.Equal(t, []int{4, 5, 6}, slices.Concat(waiting[0].Events, waiting[1].Events))
	require.Equal(t, uint64(2), inDoubt)
	b := q.Books()
	require.Equal(t, [numLoss]uint64{LossDeadline: 4, LossInDoubt: 2}, b.Lost)
	require.Equal(t, uint64(6), b.Accepted)
	require.Zero(t, b.Depth)
	require.Zero(t, b.InFlight)
	require.Zero(t, b.Bytes)
	require.True(t, isDone(mark))
	require.True(t, q.Drained())
	waiting, inDoubt = q.Abandon(LossDead)
	require.Empty(t, waiting)
	require.Zero(t, inDoubt)
}

// A batch may be settled in the ledger and its bytes on their way back when
// the books are closed over it.
func TestBytesGivenBackLateDoNotCount(t *testing.T) {
	q, l := newQueue(IntakeConfig[int]{QueueSize: 8, QueueBytes: 100})
	offer(q, 7)
	_, chunks := takeAll(q)
	r := l.Issue(1, 7, chunks[0].span, BySize)
	release := l.release
	l.release = func(bytes int64) {
		q.Seal(ErrClosed, RefusedClosed)
		q.Abandon(LossDeadline)
		release(bytes)
	}
	l.Settle(r, Delivered, 0)
	require.Zero(t, q.Books().Bytes)
}

func TestPressureIsReportedOncePerCrossing(t *testing.T) {
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 10, PressureAt: 8, ChunkSize: 4, ReportPressure: true})
	offer(q, count(1, 7)...)
	require.Zero(t, q.Books().Crossings)
	offer(q, count(8, 30)...)
	require.Equal(t, uint64(1), q.Books().Crossings)
	var log [numEviction]dropLog[int]
	alarms, depth := q.report(&log)
	require.Equal(t, 1, alarms)
	require.Equal(t, 8, depth)
	alarms, _ = q.report(&log)
	require.Zero(t, alarms)
	takeAll(q)
	offer(q, count(1, 8)...)
	require.Equal(t, uint64(2), q.Books().Crossings)
}

// A large event may push out so many small ones that the queue is far below
// the threshold.
func TestPressureIsReArmedByEvictionsToo(t *testing.T) {
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 10, QueueBytes: 10, PressureAt: 8})
	offer(q, 1, 1, 1, 1, 1, 1, 1, 1)
	require.Equal(t, uint64(1), q.Books().Crossings)
	offer(q, 10)
	require.Equal(t, 1, q.Depth())
	offer(q, 1, 1, 1, 1, 1, 1, 1, 1)
	require.Equal(t, 8, q.Depth())
	require.Equal(t, uint64(2), q.Books().Crossings)
}

func TestNoPressureUnlessAsked(t *testing.T) {
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 4, ReportPressure: true})
	offer(q, count(1, 20)...)
	takeAll(q)
	offer(q, count(1, 20)...)
	require.Zero(t, q.Books().Crossings)
	require.Empty(t, q.notice)
}

// naiveQueue is an intake without a clever thing in it. Nobody settles, so that
// what was taken holds its bytes.
type naiveQueue struct {
	IntakeConfig[int]
	waiting  []numbered
	bytes    int64
	evicted  [numEviction]uint64
	dropped  [numEviction][]int
	rejected [numRefusal]uint64
	grave    struct{ full, evicted uint64 }
	accepted int
}

// numbered is an event with its number in the order of acceptance.
type numbered struct {
	ev     int
	number uint64
}

func (q *naiveQueue) size(ev int) int64 {
	if q.SizeOf == nil {
		return 0
	}
	return int64(ev)
}

func (q *naiveQueue) lesser(ev int) bool { return q.Important != nil && !q.Important(ev) }

// lacks says which bounds keep ev out while those wait, and bytes are held.
func (q *naiveQueue) lacks(ev int, waiting []numbered, bytes int64) (count, inBytes bool) {
	lessers, important := 0, int64(0)
	for _, w := range waiting {
		if q.lesser(w.ev) {
			lessers++
		} else {
			important += q.size(w.ev)
		}
	}
	count = len(waiting) >= q.QueueSize || q.lesser(ev) && lessers >= q.LesserSize
	inBytes = q.QueueBytes > 0 && (bytes+q.size(ev) > q.QueueBytes || q.lesser(ev) && bytes-important+q.size(ev) > q.LesserBytes)
	return count, inBytes
}

func (q *naiveQueue) enqueue(ev int) error {
	size := q.size(ev)
	if q.QueueBytes > 0 && (size > q.QueueBytes || q.lesser(ev) && size > q.LesserBytes) {
		q.rejected[RefusedTooLarge]++
		return ErrTooLarge
	}
	waiting, bytes := slices.Clone(q.waiting), q.bytes
	var dropped [numEviction][]int
	for {
		count, inBytes := q.lacks(ev, waiting, bytes)
		if !count && !inBytes {
			break
		}
		victim := slices.IndexFunc(waiting, func(w numbered) bool { return q.lesser(w.ev) })
		if victim < 0 && !q.lesser(ev) && len(waiting) > 0 {
			victim = 0
		}
		if victim < 0 || q.Overflow == DropNewest {
			q.rejected[RefusedFull]++
			if q.Important != nil && !q.lesser(ev) {
				q.grave.full++
			}
			return ErrFull
		}
		why := EvictedBytes
		if count {
			why = EvictedCount
		}
		dropped[why] = append(dropped[why], waiting[victim].ev)
		bytes -= q.size(waiting[victim].ev)
		waiting = slices.Delete(waiting, victim, victim+1)
	}
	for why, events := range dropped {
		q.evicted[why] += uint64(len(events))
		q.dropped[why] = append(q.dropped[why], events...)
		for _, ev := range events {
			if q.Important != nil && q.Important(ev) {
				q.grave.evicted++
			}
		}
	}
	q.accepted++
	q.waiting = append(waiting, numbered{ev, uint64(q.accepted)})
	q.bytes = bytes + size
	return nil
}

// drawClasses makes every third event important, with a reserve for them.
func drawClasses(t *rapid.T, cfg *IntakeConfig[int]) {
	if !rapid.Bool().Draw(t, "ranked") {
		return
	}
	cfg.Important = func(ev int) bool { return ev%3 == 0 }
	cfg.LesserSize = rapid.IntRange(1, cfg.QueueSize).Draw(t, "lesser")
	cfg.LesserBytes = rapid.Int64Range(0, cfg.QueueBytes).Draw(t, "lesser bytes")
}

func TestIntakeAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := IntakeConfig[int]{
			QueueSize:   rapid.IntRange(1, 12).Draw(t, "queue"),
			Overflow:    rapid.SampledFrom([]Overflow{DropOldest, DropOldest, DropNewest}).Draw(t, "overflow"),
			ReportDrops: rapid.Bool().Draw(t, "report"),
		}
		cfg.ChunkSize = rapid.IntRange(1, cfg.QueueSize).Draw(t, "chunk")
		cfg.PressureAt = rapid.IntRange(0, cfg.QueueSize).Draw(t, "pressure")
		if rapid.Bool().Draw(t, "sized") {
			cfg.SizeOf = func(ev int) int { return ev }
			cfg.QueueBytes = rapid.Int64Range(0, 30).Draw(t, "bytes")
		}
		drawClasses(t, &cfg)
		q, l := newQueue(cfg)
		model := naiveQueue{IntakeConfig: cfg}
		buffers, room := len(q.spare)+1, cap(q.spare)
		pool := poolFor(q, 100)
		taken := uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"enqueue": func(t *rapid.T) {
				ev := rapid.IntRange(1, 12).Draw(t, "event")
				require.Equal(t, model.enqueue(ev), q.Enqueue(&ev))
			},
			"enqueue all": func(t *rapid.T) {
				events := rapid.SliceOfN(rapid.IntRange(1, 12), 0, 100).Draw(t, "events")
				var want, got []error
				for _, ev := range events {
					if err := model.enqueue(ev); err != nil {
						want = append(want, err)
					}
				}
				n := q.EnqueueAll(events, func(_ int, err error) { got = append(got, err) })
				require.Equal(t, want, got)
				require.Equal(t, len(events)-len(want), n)
			},
			"take": func(t *rapid.T) {
				h := haul[int]{}
				for range rapid.IntRange(1, buffers).Draw(t, "haul") {
					h.clean = append(h.clean, pool.get())
				}
				chunks := len(h.clean)
				wait := rapid.Bool().Draw(t, "wait")
				then := q.take(&h, wait)
				require.Equal(t, chunks, len(h.full)+len(h.clean), "a buffer for a buffer")
				for _, c := range h.full {
					n := len(c.Events)
					require.Positive(t, n)
					for i, w := range model.waiting[:n] {
						require.Equal(t, w.ev, c.Events[i])
					}
					require.Equal(t, Span{model.waiting[0].number - 1, model.waiting[n-1].number}, c.span)
					taken += uint64(n)
					model.waiting = model.waiting[n:]
					pool.put(c.buf)
				}
				if wait {
					require.Less(t, len(model.waiting)*min(len(h.clean), 1), cfg.ChunkSize, "only a part of a chunk waits")
				} else if len(h.clean) > 0 {
					require.Empty(t, model.waiting)
				}
				require.Equal(t, len(h.full) > 0, then == deliver)
				if then == sleep {
					require.Empty(t, model.waiting)
				}
			},
			"": func(t *rapid.T) {
				b := q.Books()
				require.Equal(t, len(model.waiting), b.Depth)
				require.Equal(t, model.bytes, b.Bytes)
				require.Equal(t, model.evicted, b.Evicted)
				require.Equal(t, model.rejected, b.Rejected)
				require.Equal(t, model.grave.evicted, b.ImportantEvicted)
				require.Equal(t, model.grave.full, b.ImportantFull)
				require.Equal(t, uint64(model.accepted), b.Accepted)
				held, important := int64(0), tally{}
				for _, w := range model.waiting {
					held += model.size(w.ev)
					if cfg.Important != nil && cfg.Important(w.ev) {
						important.add(model.size(w.ev))
					}
				}
				require.Equal(t, held, q.held)
				require.Equal(t, important, q.important)
				require.Equal(t, taken, b.InFlight)
				require.Equal(t, taken, l.unissued)
				require.Equal(t, buffers, len(q.spare)+q.ring.n+q.kept.n+1, "a buffer was lost or made")
				require.Equal(t, room, cap(q.spare))
				for _, s := range q.spare {
					require.Equal(t, make([]int, cfg.ChunkSize), s.events, "a dirty spare buffer")
					require.Zero(t, s.head+s.n)
					require.Zero(t, s.bytes)
					require.Zero(t, s.important)
					require.False(t, s.sparse)
				}
			},
		})
		if cfg.ReportDrops {
			log := [numEviction]dropLog[int]{}
			q.report(&log)
			for why := range numEviction {
				d := log[why].dropped(why)
				important := 0
				for _, ev := range model.dropped[why] {
					if cfg.Important != nil && cfg.Important(ev) {
						important++
					}
				}
				require.EqualValues(t, important, d.Important)
				require.Equal(t, model.evicted[why], d.Count)
				all := model.dropped[why]
				all = all[max(0, len(all)-cfg.QueueSize):]
				require.Equal(t, append([]int{}, all...), d.Events)
			}
		}
	})
}

func TestIntakeDoesNotAllocate(t *testing.T) {
	for i := range 4 {
		sized, ranked := i&1 > 0, i&2 > 0
		for _, overflow := range []Overflow{DropOldest, DropNewest} {
			t.Run(fmt.Sprint(overflow, " sized=", sized, " ranked=", ranked), func(t *testing.T) {
				cfg := IntakeConfig[int]{QueueSize: 100, ChunkSize: 16, Overflow: overflow, PressureAt: 80, ReportDrops: true}
				if sized {
					cfg.SizeOf = func(ev int) int { return ev }
					cfg.QueueBytes, cfg.LesserBytes = 1000, 800
				}
				if ranked {
					cfg.Important, cfg.LesserSize = func(ev int) bool { return ev%5 == 0 }, 70
				}
				q, l := newQueue(cfg)
				pool := poolFor(q, 16)
				h := haul[int]{full: make([]Batch[int], 0, 16)}
				ev := 7
				require.Zero(t, testing.AllocsPerRun(500, func() { ev++; _ = q.Enqueue(&ev) }), "steady, then full")
				ev = 7
				require.Zero(t, testing.AllocsPerRun(200, func() {
					for range 40 {
						_ = q.Enqueue(&ev)
					}
					for len(h.clean) < 8 {
						h.clean = append(h.clean, pool.get())
					}
					q.take(&h, false)
					for _, c := range h.full {
						l.Settle(l.Issue(len(c.Events), int64(7*len(c.Events)), c.span, BySize), Delivered, 0)
						pool.put(c.buf)
					}
					h.full = h.full[:0]
				}), "with a reader")
			})
		}
	}
}

// payload is large enough to have a place of its own in memory.
type payload [64]byte

// freed tells whether what w points to has been collected.
func freed(w weak.Pointer[payload]) bool {
	runtime.GC()
	return w.Value() == nil
}

// plant enqueues a new event and returns a weak pointer to it.
//
//go:noinline
func plant(t *testing.T, q *Intake[*payload]) weak.Pointer[payload] {
	p := new(payload)
	require.NoError(t, q.Enqueue(&p))
	return weak.Make(p)
}

func TestNoReferenceOutlivesItsEvent(t *testing.T) {
	l := &Ledger{}
	q := NewIntake(IntakeConfig[*payload]{QueueSize: 2, ChunkSize: 2, ReportDrops: true}, l)
	pool := NewBuffers[*payload](2, 4, false)
	e := Enqueue[*payload]{Intake: q, Buffers: pool}
	a, b, c := plant(t, q), plant(t, q), plant(t, q)
	require.False(t, freed(a), "the drop hook has not heard of it")
	o := NewObserver(Hooks[*payload]{OnDrop: func(_ context.Context, d Dropped[*payload]) {
		require.Len(t, d.Events, 1)
	}}, q)
	o.look(t.Context())
	require.True(t, freed(a), "evicted, and reported")
	require.False(t, freed(b))

	e.haul.clean = append(e.haul.clean, pool.get(), pool.get())
	require.Equal(t, deliver, q.take(&e.haul, false))
	out := make(chan Batch[*payload], 4)
	e.send(out)
	require.Len(t, out, 2)
	chunk := <-out
	require.False(t, freed(b))
	pool.put(chunk.buf)
	chunk = Batch[*payload]{}
	require.True(t, freed(b), "delivered")
	require.False(t, freed(c))
	<-out // a buffer that is forfeited is let go of as well
	plant(t, q)
	plant(t, q)
	e.haul.clean = append(e.haul.clean, pool.get())
	q.take(&e.haul, false)
	require.True(t, freed(c))
	runtime.KeepAlive(q)
	runtime.KeepAlive(&e)
	runtime.KeepAlive(pool)
	runtime.KeepAlive(o)
}

// await starts an EnqueueWait and returns where its outcome will be.
func await(ctx context.Context, w *clocktest.World, q *Intake[int], ev int) *clocktest.Recorder[error] {
	outcome := clocktest.NewRecorder[error](w)
	go func() { outcome.Add(q.EnqueueWait(ctx, &ev)) }()
	w.Settle()
	return outcome
}

func TestWaitersAreServedInOrder(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 2, Overflow: DropNewest})
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, []error{nil}, await(ended, w, q, 1).Values(), "there is room")
		offer(q, 2)
		var outcomes []*clocktest.Recorder[error]
		for ev := 3; ev <= 7; ev++ {
			outcomes = append(outcomes, await(t.Context(), w, q, ev))
		}
		require.Equal(t, []error{ErrFull}, offer(q, 99))
		gone, cancel := context.WithCancel(t.Context())
		late := await(gone, w, q, 8)
		require.Equal(t, 6, q.Books().Waiting)
		cancel()
		w.Settle()
		require.Equal(t, []error{context.Canceled}, late.Values())
		require.Equal(t, []error{context.Canceled}, await(ended, w, q, 9).Values())
		require.Equal(t, uint64(2), q.Books().Rejected[RefusedCanceled])

		var got []int
		for range 2 {
			events, _ := takeAll(q)
			got = append(got, events...)
			w.Settle()
		}
		require.Equal(t, []int{1, 2, 3, 4}, got)
		for i, o := range outcomes {
			require.Equal(t, min(1, max(0, 4-i)), o.Len(), "waiter %d", i)
		}
		q.Seal(ErrClosed, RefusedClosed)
		w.Settle()
		require.Equal(t, []error{ErrClosed}, outcomes[4].Values())
		b := q.Books()
		require.Zero(t, b.Waiting)
		require.Equal(t, uint64(1), b.Rejected[RefusedClosed])
		require.Equal(t, uint64(6), b.Accepted)
		require.NotZero(t, len(q.waiters.free))
		for range len(q.waiters.free) {
			require.Zero(t, (<-q.waiters.free).ev, "a used waiter holds on to its event")
		}
	})
}

func TestEnqueueDoesNotOvertakeWaiters(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 2})
		offer(q, 1, 2)
		first := await(t.Context(), w, q, 3)
		require.Equal(t, []error{nil}, offer(q, 4), "it takes the place of the oldest, not of who waits")
		require.Zero(t, first.Len())
		events, _ := takeAll(q)
		require.Equal(t, []int{2, 4}, events)
		w.Settle()
		require.Equal(t, []error{nil}, first.Values())
		events, _ = takeAll(q)
		require.Equal(t, []int{3}, events)
	})
}

func TestWaiterForBytes(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, l := newQueue(IntakeConfig[int]{QueueSize: 8, QueueBytes: 10})
		offer(q, 6)
		_, chunks := takeAll(q)
		gone, cancel := context.WithCancel(t.Context())
		big, small := await(gone, w, q, 9), await(t.Context(), w, q, 2)
		require.Zero(t, small.Len(), "a smaller event does not overtake")
		cancel()
		w.Settle()
		require.Equal(t, []error{context.Canceled}, big.Values())
		require.Equal(t, []error{nil}, small.Values(), "the way is free once the first has left")
		third := await(t.Context(), w, q, 8)
		require.Equal(t, []error{ErrTooLarge}, await(t.Context(), w, q, 11).Values())
		l.Settle(l.Issue(1, 6, chunks[0].span, BySize), Delivered, 0)
		w.Settle()
		require.Equal(t, []error{nil}, third.Values())
		require.Equal(t, int64(10), q.Books().Bytes)
	})
}

// An Enqueue that evicts a larger event than its own leaves room for a caller
// that waits. The actor must not go to sleep over that event.
func TestActorDoesNotSleepOverAWaiter(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 8, QueueBytes: 10})
		offer(q, 8)
		waiter := await(t.Context(), w, q, 5)
		require.Equal(t, []error{ErrFull, nil}, offer(q, 9, 1), "8 bytes are not enough for 9 while somebody waits")
		h := haul[int]{clean: []*Buffer[int]{newBuffer[int](8, true)}}
		then := q.take(&h, false)
		w.Settle()
		require.Equal(t, []error{nil}, waiter.Values())
		if then == sleep {
			require.Zero(t, q.Depth(), "the actor sleeps until woken, and an accepted event waits")
		}
	})
}

// Who gives bytes back reads the clock for the caller that they let in, with the
// lock released. The actor that comes by just then must take that caller's event
// along: behind it nobody wakes it any more.
func TestActorDoesNotSleepOverAWaiterBesideTheClock(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		c := &watchedClock{Clock: w.Clock()}
		q, l := newQueue(IntakeConfig[int]{QueueSize: 8, QueueBytes: 10, Clock: c})
		offer(q, 8)
		_, chunks := takeAll(q)
		waiter := await(t.Context(), w, q, 5)
		var taken []int
		c.look = func() {
			c.look = nil // taking reads the clock, too
			taken, _ = takeAll(q)
		}
		l.Settle(l.Issue(1, 8, chunks[0].span, BySize), Delivered, 0)
		w.Settle()
		require.Equal(t, []error{nil}, waiter.Values())
		require.Equal(t, []int{5}, taken)
		require.Zero(t, q.Depth())
	})
}

// Random producers against a random reader: nobody who waits is overtaken by
// another who does, and no event is lost.
func TestWaitersUnderLoad(t *testing.T) {
	clocktest.Explore(t, 60, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("plan")
		cfg := IntakeConfig[int]{QueueSize: 1 + r.IntN(6), Overflow: Overflow(r.IntN(2)), ReportDrops: true}
		cfg.ChunkSize = 1 + r.IntN(cfg.QueueSize)
		if r.IntN(2) == 0 {
			cfg.QueueBytes, cfg.SizeOf = 10, func(ev int) int { return ev%3 + 1 }
		}
		q, l := newQueue(cfg)
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var outcomes []*clocktest.Recorder[error]
		var got, waited []int
		waits := map[int]bool{}
		var flying []Receipt
		take := func() {
			h := haul[int]{}
			for range 1 + r.IntN(2) {
				h.clean = append(h.clean, newBuffer[int](q.cfg.ChunkSize, q.sized))
			}
			if q.take(&h, false) == sleep {
				require.Zero(t, q.Depth(), "the actor sleeps over an event")
			}
			for _, c := range h.full {
				got = append(got, c.Events...)
				var bytes int64
				for _, n := range c.buf.sizes[min(c.buf.head, len(c.buf.sizes)):min(c.buf.n, len(c.buf.sizes))] {
					bytes += n
				}
				flying = append(flying, l.Issue(len(c.Events), bytes, c.span, BySize))
			}
		}
		settle := func() {
			for _, f := range flying {
				require.True(t, l.Settle(f, Delivered, 0))
			}
			flying = nil
		}
		for ev := 1; ev <= 60; ev++ {
			switch r.IntN(4) {
			case 0, 1:
				waits[ev] = true
				waited = append(waited, ev)
				outcomes = append(outcomes, await(ctx, w, q, ev))
			case 2:
				offer(q, ev)
			case 3:
				take()
				if r.IntN(2) == 0 {
					settle()
				}
			}
			w.Settle()
		}
		for q.Books().Waiting+q.Depth() > 0 {
			take()
			settle()
			w.Settle()
		}
		settle()
		for _, o := range outcomes {
			require.Equal(t, []error{nil}, o.Values())
		}
		var log [numEviction]dropLog[int]
		q.report(&log)
		b := q.Books()
		require.Equal(t, b.Accepted, uint64(len(got))+b.Evicted[EvictedCount]+b.Evicted[EvictedBytes])
		require.Equal(t, int64(0), b.Bytes)
		var order []int
		for _, ev := range got {
			if waits[ev] {
				order = append(order, ev)
			}
		}
		require.True(t, slices.IsSorted(order), "%v", order)
		if cfg.Overflow == DropNewest {
			require.Equal(t, waited, order)
		}
	})
}

// The actor lets waiters in when much of the queue is free. Until then there is
// room that is theirs, but not all of it: an Enqueue that finds room for itself
// and for all of them evicts nothing and is not refused.
func TestEnqueueUsesRoomThatNoWaiterNeeds(t *testing.T) {
	for _, overflow := range []Overflow{DropOldest, DropNewest} {
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
			q, _ := newQueue(IntakeConfig[int]{QueueSize: 8, ChunkSize: 2, Overflow: overflow})
			offer(q, count(1, 8)...)
			waiter := await(t.Context(), w, q, 9)
			h := haul[int]{clean: []*Buffer[int]{newBuffer[int](2, false)}}
			require.Equal(t, deliver, q.take(&h, false))
			w.Settle()
			require.Equal(t, []error{nil}, offer(q, 10), "%v with two places free and one caller waiting", overflow)
			w.Settle()
			require.Equal(t, []error{nil}, waiter.Values())
			require.Zero(t, q.Books().Evicted, "%v", overflow)
			require.Equal(t, 8, q.Depth())
		})
	}
}

// tens are important.
func tens(ev int) bool { return ev%10 == 0 }

func TestLesserEventsLeaveTheReserve(t *testing.T) {
	for _, overflow := range []Overflow{DropOldest, DropNewest} {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 4, ChunkSize: 2, Overflow: overflow, Important: tens, LesserSize: 3})
		offer(q, 10, 1, 2, 3, 4)
		if overflow == DropOldest {
			require.Equal(t, []error{nil, nil, nil, nil, ErrFull}, offer(q, 20, 30, 40, 50, 5), "none but important ones wait")
			b := q.Books()
			require.Equal(t, [numEviction]uint64{EvictedCount: 5}, b.Evicted)
			require.Equal(t, uint64(1), b.ImportantEvicted)
			require.Equal(t, uint64(1), b.Rejected[RefusedFull])
			require.Zero(t, b.ImportantFull)
			events, _ := takeAll(q)
			require.Equal(t, []int{20, 30, 40, 50}, events)
			continue
		}
		require.Equal(t, []error{ErrFull, ErrFull}, offer(q, 20, 30))
		b := q.Books()
		require.Equal(t, uint64(3), b.Rejected[RefusedFull])
		require.Equal(t, uint64(2), b.ImportantFull)
		events, _ := takeAll(q)
		require.Equal(t, []int{10, 1, 2, 3}, events)
	}
}

// The reserve of bytes is there although lesser events in flight hold theirs.
func TestLesserEventsLeaveBytes(t *testing.T) {
	q, l := newQueue(IntakeConfig[int]{
		QueueSize: 100, ChunkSize: 4, QueueBytes: 40, SizeOf: func(ev int) int { return ev },
		Important: tens, LesserSize: 99, LesserBytes: 25,
	})
	require.Equal(t, []error{ErrTooLarge, nil, nil}, offer(q, 26, 9, 9))
	_, chunks := takeAll(q)
	require.Equal(t, []error{ErrFull, nil, ErrFull, nil}, offer(q, 9, 7, 8, 10))
	require.Equal(t, int64(35), q.Books().Bytes)
	require.Equal(t, []error{nil, ErrFull}, offer(q, 20, 30), "one in the place of 7 and 10")
	b := q.Books()
	require.Equal(t, [numEviction]uint64{EvictedBytes: 2}, b.Evicted)
	require.Equal(t, uint64(1), b.ImportantEvicted)
	require.Equal(t, uint64(1), b.ImportantFull)
	l.Settle(l.Issue(2, 18, chunks[0].span, BySize), Delivered, 0)
	require.Equal(t, int64(20), q.Books().Bytes)
	require.Equal(t, []error{nil, nil}, offer(q, 9, 11))
	require.Equal(t, []error{nil}, offer(q, 1), "in the place of 9")
}

func TestImportantWaitersAreNotHeldUpByLesserOnes(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 3, ChunkSize: 1, Overflow: DropNewest, Important: tens, LesserSize: 1})
		offer(q, 1)
		second, third := await(t.Context(), w, q, 2), await(t.Context(), w, q, 3)
		require.Equal(t, []error{ErrFull, nil}, offer(q, 4, 10))
		require.Equal(t, []error{nil}, await(t.Context(), w, q, 20).Values(), "the reserve is theirs")
		fourth := await(t.Context(), w, q, 30)
		require.Equal(t, []error{ErrFull}, offer(q, 40), "30 is not overtaken")
		one := func() (events []int) {
			h := haul[int]{clean: []*Buffer[int]{poolFor(q, 1).get()}}
			q.take(&h, false)
			q.relieve(false)
			w.Settle()
			return h.full[0].Events
		}
		require.Equal(t, []int{1}, one())
		require.Equal(t, []error{nil}, second.Values(), "2 came before 30")
		require.Zero(t, third.Len()+fourth.Len())
		require.Equal(t, []int{10}, one())
		require.Equal(t, []error{nil}, fourth.Values(), "3 is kept out by the reserve")
		require.Zero(t, third.Len())
		q.Seal(ErrClosed, RefusedClosed)
		w.Settle()
		require.Equal(t, []error{ErrClosed}, third.Values())
		require.Zero(t, q.Books().Waiting)
	})
}

func TestWhatCannotBeRankedIsRefused(t *testing.T) {
	asked := 0
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 8, LesserSize: 6, Important: func(ev int) bool {
		if asked++; ev == 13 {
			blowUp(io.EOF)
		}
		return ev == 1
	}})
	errs := offer(q, 1, 13, 2)
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], ErrInvalid)
	require.ErrorIs(t, errs[1], io.EOF)
	require.NoError(t, errs[2])
	require.Equal(t, 2, q.EnqueueAll([]int{3, 13, 1}, func(i int, err error) {
		require.Equal(t, 1, i)
		require.ErrorIs(t, err, ErrInvalid)
	}))
	require.Equal(t, 6, asked, "each is asked for once")
	b := q.Books()
	require.Equal(t, uint64(2), b.Rejected[RefusedInvalid])
	require.Equal(t, tally{events: 2}, q.important)
}

// Lesser events alone end the actor's pause when they are near what they may
// have.
func TestLesserEventsEndThePause(t *testing.T) {
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 100, Important: tens, LesserSize: 4})
	offer(q, 1)
	takeAll(q)
	h := haul[int]{clean: []*Buffer[int]{poolFor(q, 1).get()}}
	require.Equal(t, rest, q.take(&h, true))
	for len(q.wake) > 0 {
		<-q.wake
	}
	offer(q, 1)
	require.Empty(t, q.wake)
	offer(q, 2)
	require.Len(t, q.wake, 1)
}

func TestSpillingDoesNotAllocate(t *testing.T) {
	for _, overflow := range []Overflow{DropOldest, DropNewest} {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 8, Overflow: overflow, SpillSize: 10_000})
		offer(q, count(1, 8)...)
		ev := 9
		require.Zero(t, testing.AllocsPerRun(500, func() { _ = q.Enqueue(&ev) }))
		require.Equal(t, 501, q.spills.n)
		require.Equal(t, uint64(501), q.Books().InFlight)
	}
}

// No panic on the way in leaves the lock behind, or what is owed unpaid.
func TestPanicsOnTheWayIn(t *testing.T) {
	c := &watchedClock{Clock: clock.New()}
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 4, ChunkSize: 2, ReportDrops: true, Clock: c})
	require.Panics(t, func() { _ = q.Enqueue(nil) })
	require.Panics(t, func() { _ = q.EnqueueWait(t.Context(), nil) })
	offer(q, 1, 2, 3, 4, 5)
	<-q.notice
	log := q.cfg.dropLogs()
	q.report(&log)
	c.look = func() { blowUp(io.EOF) }
	require.Panics(t, func() { q.EnqueueAll([]int{6, 7}, nil) }, "6 evicts an event, and 7 is the first of a chunk")
	require.Len(t, q.notice, 1)
	require.Panics(t, func() { _ = q.EnqueueWait(t.Context(), &[]int{7}[0]) })
	c.look = nil
	require.Equal(t, []error{nil, nil}, offer(q, 8, 9))
	require.Equal(t, 4, q.Depth())
}
