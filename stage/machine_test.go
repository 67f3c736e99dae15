package stage

import (
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fate is what has become of one event, in the eyes of the model.
type fate uint8

const (
	waiting fate = iota // at the intake
	passing             // taken, and in no batch yet
	poured              // spilled, and not fetched yet
	issued              // in a batch or a failure with a receipt
	delivered
	rerouted
	filtered
	evicted
	lost
)

func (f fate) settled() bool { return f >= delivered }

// parcel is a receipt that is open, with the events it stands for. A call to
// a sink may hold it.
type parcel struct {
	events  []int // numbers from 1
	batch   Batch[int]
	failure Failure[int] // instead of batch, if it is one
	calling bool
	group   *group
}

func (p *parcel) receipt() Receipt {
	if p.failure.receipt != (Receipt{}) {
		return p.failure.receipt
	}
	return p.batch.receipt
}

// group is what was issued together: its bytes come back when the last of its
// events is settled.
type group struct {
	bytes  int64
	events []int
}

// standing is a flush mark, and the losses the model knows of.
type standing struct {
	mark *Mark
	seq  int
	lost uint64
}

// tickingClock is a clock at an instant.
type tickingClock struct {
	clock.Clock
	now *time.Time
}

func (c tickingClock) Now() time.Time { return *c.now }

// world is the model: a slice of events with fates, and nothing clever.
type world struct {
	cfg    IntakeConfig[int]
	fates  []fate  // of event i+1
	sizes  []int64 // likewise
	born   []time.Time
	losses [numLoss]uint64
	misuse uint64
	bytes  int64
	now    time.Time // the clock's
	over   bool
	marks  []*standing

	spill   []int // what is poured, in order
	spilled int   // so far
}

func (m *world) all(f fate) (numbers []int) {
	for i, have := range m.fates {
		if have == f {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

func (m *world) lesser(ev int) bool { return m.cfg.Important != nil && !m.cfg.Important(ev) }

func (m *world) become(f fate, events ...int) {
	for _, ev := range events {
		m.fates[ev-1] = f
	}
}

func (m *world) lose(why Loss, events ...int) {
	m.become(lost, events...)
	m.losses[why] += uint64(len(events))
	for _, s := range m.marks {
		for _, ev := range events {
			if ev <= s.seq {
				s.lost++
			}
		}
	}
}

// enqueue makes room as the policy says, and says whether the event was
// accepted.
func (m *world) enqueue(size int64) bool {
	number := len(m.fates) + 1
	fits := func(waiting []int, bytes int64) bool {
		lessers, important := 0, int64(0)
		for _, ev := range waiting {
			if m.lesser(ev) {
				lessers++
			} else {
				important += m.sizes[ev-1]
			}
		}
		return len(waiting) < m.cfg.QueueSize && (m.cfg.QueueBytes == 0 || bytes+size <= m.cfg.QueueBytes) &&
			(!m.lesser(number) || lessers < m.cfg.LesserSize && (m.cfg.QueueBytes == 0 || bytes-important+size <= m.cfg.LesserBytes))
	}
	// lacksBytes is what is left of fits if the count is no matter.
	lacksBytes := func(waiting []int, bytes int64) bool {
		important := int64(0)
		for _, ev := range waiting {
			if !m.lesser(ev) {
				important += m.sizes[ev-1]
			}
		}
		return m.cfg.QueueBytes > 0 && (bytes+size > m.cfg.QueueBytes || m.lesser(number) && bytes-important+size > m.cfg.LesserBytes)
	}
	queue, bytes, fate := m.all(waiting), m.bytes, waiting
	var victims, spilled []int
	for !fits(queue, bytes) {
		i := slices.IndexFunc(queue, m.lesser)
		if i < 0 && !m.lesser(number) && len(queue) > 0 {
			i = 0
		}
		if i < 0 || m.cfg.Overflow == DropNewest {
			if queue = m.all(waiting); len(m.spill) >= m.cfg.SpillSize || lacksBytes(queue, m.bytes) {
				return false
			}
			victims, spilled, bytes, fate = nil, []int{number}, m.bytes, poured
			break
		}
		if len(m.spill)+len(spilled) < m.cfg.SpillSize && !lacksBytes(queue, bytes) {
			spilled = append(spilled, queue[i])
		} else {
			bytes -= m.sizes[queue[i]-1]
			victims = append(victims, queue[i])
		}
		queue = slices.Delete(queue, i, i+1)
	}
	m.fates, m.sizes, m.born = append(m.fates, fate), append(m.sizes, size), append(m.born, m.now)
	m.become(evicted, victims...)
	m.become(poured, spilled...)
	m.spill, m.spilled = append(m.spill, spilled...), m.spilled+len(spilled)
	m.bytes = bytes + size
	return true
}

// machine is the intake, the cutter and the ledger, run by hand on one
// goroutine, beside the model.
type machine struct {
	world
	q       *Intake[int]
	l       *Ledger
	other   *mill
	enqueue Enqueue[int]
	batcher Batcher[int]
	alarm   ageAlarm
	chunks  chan Batch[int] // from enqueue to batcher
	batches chan Batch[int] // from the batcher
	parcels []*parcel
	used    []Receipt
}

func newMachine(t *rapid.T) *machine {
	m := &machine{other: newMill(), chunks: make(chan Batch[int], 1000), batches: make(chan Batch[int], 1000)}
	m.cfg = IntakeConfig[int]{QueueSize: rapid.IntRange(1, 10).Draw(t, "queue")}
	m.cfg.ChunkSize = rapid.IntRange(1, m.cfg.QueueSize).Draw(t, "chunk")
	m.cfg.SizeOf = func(number int) int { return number % 4 } // what the event is told from is its number
	m.cfg.Overflow = rapid.SampledFrom([]Overflow{DropOldest, DropOldest, DropNewest}).Draw(t, "overflow")
	m.cfg.SpillSize = rapid.SampledFrom([]int{0, 0, 1, 3, 20}).Draw(t, "spill")
	m.cfg.QueueBytes = rapid.SampledFrom([]int64{0, 8, 20}).Draw(t, "bytes")
	drawClasses(t, &m.cfg)
	m.cfg.Clock = tickingClock{clock.NewMock(), &m.now}
	m.now = time.Unix(0, 0)
	if m.cfg.Important == nil {
		m.cfg.Step = &Step{} // whether it fits or not
	}
	m.q, m.l = newQueue(m.cfg)
	pool := poolFor(m.q, 4)
	m.enqueue = Enqueue[int]{Intake: m.q, Buffers: pool}
	m.batcher = Batcher[int]{
		Size: rapid.IntRange(1, 6).Draw(t, "batch"), Bytes: rapid.SampledFrom([]int64{0, 5}).Draw(t, "batch bytes"),
		Ledger: m.l, Chunks: pool, Step: m.cfg.Step,
	}
	m.batcher.Batches = NewBuffers[int](m.batcher.Size, 4, true)
	m.batcher.cut = cutter[int]{size: m.batcher.Size, bytes: m.batcher.Bytes, chunks: pool, batches: m.batcher.Batches}
	m.alarm = ageAlarm{clock: clock.NewMock(), interval: math.MaxInt64}
	return m
}

// collect takes in the batches that were cut.
func (m *machine) collect(t require.TestingT) {
	for len(m.batches) > 0 {
		b := <-m.batches
		p := &parcel{events: slices.Clone(b.Events), batch: b, group: &group{events: slices.Clone(b.Events)}}
		for _, ev := range p.events {
			p.group.bytes += m.sizes[ev-1]
		}
		queue := m.all(passing)
		require.Equal(t, append([]int{}, queue[:len(p.events)]...), append([]int{}, p.events...), "order")
		if len(p.events) > 0 {
			// The first event of its chunk is one of the latest before it.
			oldest := p.events[0]
			chunk := max(0, oldest-m.cfg.ChunkSize)
			if m.cfg.Important != nil || m.cfg.SpillSize > 0 { // it may have been moved to one that was begun long ago
				chunk = 0
			}
			require.Contains(t, m.born[chunk:oldest], b.born)
		} else {
			require.Zero(t, b.born)
		}
		m.become(issued, p.events...)
		m.parcels = append(m.parcels, p)
	}
}

// fetch takes the next spilled events, as the router does.
func (m *machine) fetch(t require.TestingT) bool {
	f, ok := m.q.fetch()
	require.Equal(t, len(m.spill) > 0, ok)
	if !ok {
		return false
	}
	p := &parcel{events: slices.Clone(f.Events), failure: f, group: &group{events: slices.Clone(f.Events)}}
	require.NotEmpty(t, p.events)
	require.Equal(t, m.spill[:len(p.events)], p.events)
	require.LessOrEqual(t, len(p.events), m.cfg.ChunkSize)
	if len(m.marks) == 0 {
		require.Len(t, p.events, min(len(m.spill), m.cfg.ChunkSize))
	}
	require.ErrorIs(t, f.Err, ErrOverflow)
	m.spill = m.spill[len(p.events):]
	for _, ev := range p.events {
		p.group.bytes += m.sizes[ev-1]
	}
	m.become(issued, p.events...)
	m.parcels = append(m.parcels, p)
	return true
}

// pick draws one of the open parcels.
func (m *machine) pick(t *rapid.T) (int, *parcel) {
	if len(m.parcels) == 0 {
		t.Skip("nothing is open")
	}
	i := rapid.IntRange(0, len(m.parcels)-1).Draw(t, "parcel")
	return i, m.parcels[i]
}

// ended strikes a parcel off that was settled.
func (m *machine) ended(i int) {
	p := m.parcels[i]
	m.used = append(m.used, p.receipt())
	m.parcels = slices.Delete(m.parcels, i, i+1)
	m.release(p.group)
}

// release gives back the bytes of a group whose events are all settled.
func (m *machine) release(g *group) {
	for _, ev := range g.events {
		if !m.fates[ev-1].settled() {
			return
		}
	}
	m.bytes -= g.bytes
	g.bytes = 0
}

func (m *machine) check(t require.TestingT) {
	b := m.q.Books()
	n := func(f fate) uint64 { return uint64(len(m.all(f))) }
	require.Equal(t, uint64(len(m.fates)), b.Accepted)
	require.Equal(t, int(n(waiting)), b.Depth)
	require.Equal(t, n(passing)+n(poured)+n(issued), b.InFlight)
	require.EqualValues(t, m.spilled, b.Spilled)
	require.Equal(t, n(delivered), b.Delivered)
	require.Equal(t, n(rerouted), b.Rerouted)
	require.Equal(t, n(filtered), b.Filtered)
	require.Equal(t, n(evicted), b.Evicted[EvictedCount]+b.Evicted[EvictedBytes])
	require.Equal(t, m.losses, b.Lost)
	require.Equal(t, n(lost), b.LostTotal())
	require.Equal(t, m.misuse, b.Misuse)
	require.Equal(t, m.bytes, b.Bytes)
	held := int64(0)
	for _, ev := range m.all(waiting) {
		held += m.sizes[ev-1]
	}
	require.Equal(t, held, m.q.held)
	for k := m.q.spills.n; k < len(m.q.spills.ring); k++ {
		require.Zero(t, *m.q.spills.at(k), "what was fetched is still there")
	}
	for _, s := range m.marks {
		if isDone(s.mark) {
			for i, f := range m.fates[:s.seq] {
				require.True(t, f.settled(), "the mark at %d passed event %d, which is %d", s.seq, i+1, f)
			}
		}
	}
}

// actions are the steps of the machine.
func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"": func(t *rapid.T) { m.check(t) },
		"enqueue": func(t *rapid.T) {
			for range rapid.IntRange(1, 8).Draw(t, "events") {
				m.now = m.now.Add(time.Second)
				number := len(m.fates) + 1
				if m.over {
					require.ErrorIs(t, m.q.Enqueue(&number), ErrClosed)
					continue
				}
				err := m.q.Enqueue(&number)
				switch size := int64(number % 4); {
				case m.cfg.QueueBytes > 0 && m.lesser(number) && size > m.cfg.LesserBytes:
					require.ErrorIs(t, err, ErrTooLarge)
				case m.world.enqueue(size):
					require.NoError(t, err)
				default:
					require.ErrorIs(t, err, ErrFull)
				}
			}
		},
		"take": func(t *rapid.T) {
			if m.over {
				t.Skip("all was taken")
			}
			for range rapid.IntRange(1, 3).Draw(t, "haul") {
				m.enqueue.haul.clean = append(m.enqueue.haul.clean, m.enqueue.Buffers.get())
			}
			before := m.l.Books().InFlight
			m.q.take(&m.enqueue.haul, rapid.Bool().Draw(t, "wait"))
			m.enqueue.send(m.chunks)
			taken := m.l.Books().InFlight - before
			m.become(passing, m.all(waiting)[:taken]...)
		},
		"fetch": func(t *rapid.T) {
			if m.over {
				t.Skip("all was taken")
			}
			m.fetch(t)
		},
		"batch": func(t *rapid.T) {
			if len(m.chunks) == 0 {
				t.Skip("no chunks")
			}
			chunk := <-m.chunks
			if m.over {
				return
			}
			m.batcher.add(chunk, m.batches, &m.alarm)
			m.collect(t)
		},
		"age": func(t *rapid.T) {
			if !m.batcher.cut.open() || m.over {
				t.Skip("nothing is open")
			}
			m.alarm.stop()
			m.batches <- m.batcher.aged()
			m.collect(t)
		},
		"call": func(t *rapid.T) {
			_, p := m.pick(t)
			switch got := m.l.enter(p.receipt(), len(p.events), func() {}); {
			case p.calling:
				require.Equal(t, notOurs, got)
				m.misuse++
			default:
				require.Equal(t, mayCall, got)
				p.calling = true
			}
		},
		"return": func(t *rapid.T) {
			_, p := m.pick(t)
			m.l.leave(p.receipt(), func() {})
			p.calling = false
		},
		"settle": func(t *rapid.T) {
			i, p := m.pick(t)
			o := rapid.SampledFrom([]Outcome{Delivered, Delivered, Rerouted, Filtered, Lost}).Draw(t, "outcome")
			why := Loss(rapid.IntRange(0, int(numLoss)-1).Draw(t, "why"))
			require.True(t, m.l.Settle(p.receipt(), o, why))
			switch o {
			case Delivered:
				m.become(delivered, p.events...)
			case Rerouted:
				m.become(rerouted, p.events...)
			case Filtered:
				m.become(filtered, p.events...)
			case Lost:
				m.lose(why, p.events...)
			}
			m.ended(i)
		},
		"settle part": func(t *rapid.T) {
			_, p := m.pick(t)
			if len(p.events) < 2 {
				t.Skip("too small")
			}
			k := rapid.IntRange(1, len(p.events)-1).Draw(t, "failed")
			old := p.receipt()
			r, ok := m.l.settlePart(old, k, Delivered)
			require.True(t, ok)
			m.used = append(m.used, old)
			m.become(delivered, p.events[k:]...)
			p.events = p.events[:k]
			if p.failure.receipt != (Receipt{}) {
				p.failure.Events, p.failure.receipt = p.failure.Events[:k], r
			} else {
				p.batch.Events, p.batch.receipt = p.batch.Events[:k], r
			}
		},
		"keep": func(t *rapid.T) {
			_, p := m.pick(t)
			if p.failure.receipt != (Receipt{}) {
				t.Skip("a failure")
			}
			k := rapid.IntRange(0, len(p.events)).Draw(t, "kept")
			m.used = append(m.used, p.receipt())
			p.batch = p.batch.Keep(p.batch.Events[:k])
			m.become(filtered, p.events[k:]...)
			p.events = p.events[:k]
			m.release(p.group)
			require.Equal(t, append([]int{}, p.events...), append([]int{}, p.batch.Events...))
		},
		"fail": func(t *rapid.T) {
			_, p := m.pick(t)
			if p.failure.receipt != (Receipt{}) || p.calling || len(p.events) == 0 {
				t.Skip("not a stage's")
			}
			indexes := rapid.SliceOfNDistinct(rapid.IntRange(0, len(p.events)-1), 1, len(p.events), rapid.ID[int]).Draw(t, "indexes")
			m.used = append(m.used, p.receipt())
			rest, f := p.batch.Fail(indexes, io.EOF)
			var failed, kept []int
			for i, ev := range p.events {
				if slices.Contains(indexes, i) {
					failed = append(failed, ev)
				} else {
					kept = append(kept, ev)
				}
			}
			require.Equal(t, failed, f.Events)
			require.Equal(t, append([]int{}, kept...), append([]int{}, rest.Events...))
			p.batch, p.events = rest, kept
			m.parcels = append(m.parcels, &parcel{events: failed, failure: f, group: p.group})
		},
		"use again": func(t *rapid.T) {
			if len(m.used) == 0 {
				t.Skip("nothing was used")
			}
			r := rapid.SampledFrom(m.used).Draw(t, "receipt")
			ok := true
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0:
				ok = m.l.Settle(r, Delivered, 0)
			case 1:
				_, ok = r.shrink(0)
			case 2:
				_, _, ok = r.split(0, 0)
			case 3:
				_, ok = m.l.settlePart(r, 0, Rerouted)
			}
			require.False(t, ok)
			if !m.over {
				m.misuse++
			}
		},
		"foreign": func(t *rapid.T) {
			require.False(t, m.l.Settle(m.other.issue(1), Delivered, 0))
			if !m.over {
				m.misuse++
			}
		},
		"mark": func(t *rapid.T) {
			s := &standing{mark: m.q.Mark(), seq: len(m.fates)}
			require.Equal(t, uint64(s.seq), s.mark.seq+m.q.direct, "what was spilled at once does not count there")
			m.marks = append(m.marks, s)
		},
		"forget": func(t *rapid.T) {
			if len(m.marks) == 0 {
				t.Skip("no marks")
			}
			i := rapid.IntRange(0, len(m.marks)-1).Draw(t, "mark")
			s := m.marks[i]
			m.marks = slices.Delete(m.marks, i, i+1)
			if got := m.l.Forget(s.mark); m.over {
				require.GreaterOrEqual(t, got, s.lost, "an end may count more: nobody asks after it")
			} else {
				require.Equal(t, s.lost, got, "lost before the mark at %d", s.seq)
			}
		},
		"abandon": func(t *rapid.T) {
			if m.over || rapid.IntRange(0, 9).Draw(t, "rarely") > 0 {
				t.Skip("not now")
			}
			m.q.Seal(ErrClosed, RefusedClosed)
			back, inDoubt := m.q.Abandon(LossDeadline)
			var events []int
			for _, b := range back {
				events = append(events, b.Events...)
			}
			require.Equal(t, append(m.all(waiting), m.spill...), events)
			m.spill = nil
			doubt := 0
			for _, p := range m.parcels {
				if p.calling {
					doubt += len(p.events)
					m.lose(LossInDoubt, p.events...)
				}
				m.used = append(m.used, p.receipt())
			}
			for _, f := range []fate{waiting, passing, poured, issued} {
				m.lose(LossDeadline, m.all(f)...)
			}
			require.Equal(t, uint64(doubt), inDoubt)
			m.parcels, m.bytes, m.over = nil, 0, true
		},
	}
}

// finish settles what is open, oldest last, and finds every mark passed.
func (m *machine) finish(t *rapid.T) {
	steps := m.actions()
	for !m.over && m.q.take(m.filled(), false) == deliver {
		m.become(passing, m.all(waiting)[:m.l.Books().InFlight-uint64(len(m.all(passing))+len(m.all(poured))+len(m.all(issued)))]...)
		m.enqueue.send(m.chunks)
	}
	for len(m.chunks) > 0 {
		steps["batch"](t)
	}
	if m.batcher.cut.open() && !m.over {
		steps["age"](t)
	}
	for !m.over && m.fetch(t) {
	}
	for len(m.parcels) > 0 {
		i := len(m.parcels) - 1
		require.True(t, m.l.Settle(m.parcels[i].receipt(), Delivered, 0))
		m.become(delivered, m.parcels[i].events...)
		m.ended(i)
	}
	m.check(t)
	require.Zero(t, m.q.Books().InFlight)
	require.Zero(t, m.bytes)
	for _, s := range m.marks {
		require.True(t, isDone(s.mark), "everything is settled, and the mark at %d stands", s.seq)
	}
}

func (m *machine) filled() *haul[int] {
	h := &m.enqueue.haul
	for len(h.clean) < 2 {
		h.clean = append(h.clean, m.enqueue.Buffers.get())
	}
	return h
}

func TestIntakeAndLedgerAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(m.actions())
		m.finish(t)
	})
}
