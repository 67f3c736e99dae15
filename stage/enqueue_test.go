package stage

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestEnqueueSendsAtOnceWithoutAPace(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		q, l := newQueue(IntakeConfig[int]{QueueSize: 8, ChunkSize: 2})
		line := startLine(onClock(t, w), w, &Enqueue[int]{Intake: q, Buffers: NewBuffers[int](2, 4, false), Haul: 2})
		w.Advance(time.Hour)
		require.Empty(t, line.cuts())
		for ev := 1; ev <= 3; ev++ {
			offer(q, ev)
			w.Settle()
			require.Equal(t, ev, line.out.Len())
			require.Zero(t, armed(w))
		}
		q.Mark()
		w.Settle()
		q.EnqueueAll(count(4, 8), nil)
		w.Settle()
		q.Seal(ErrClosed, RefusedClosed)
		w.Settle()
		require.Equal(t, []error{nil}, line.ended.Values())
		require.Equal(t, []cutAt{
			{[]int{1}, 0, time.Hour}, {[]int{2}, 0, time.Hour}, {[]int{3}, 0, time.Hour}, {[]int{}, ByFlush, time.Hour},
			{[]int{4, 5}, 0, time.Hour}, {[]int{6, 7}, 0, time.Hour}, {[]int{8}, 0, time.Hour},
		}, line.cuts())
		require.Equal(t, uint64(8), l.Books().InFlight)
	})
}

func TestEnqueueRestsAfterABusySpell(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		const pace = 10 * time.Millisecond
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 8})
		line := startLine(onClock(t, w), w, &Enqueue[int]{Intake: q, Buffers: NewBuffers[int](8, 4, false), Pace: pace})
		expect := func(events ...int) {
			t.Helper()
			w.Settle()
			cuts := line.cuts()
			require.NotEmpty(t, cuts)
			require.Equal(t, cutAt{events, 0, w.Elapsed()}, cuts[len(cuts)-1])
		}
		nothing := func() {
			t.Helper()
			w.Settle()
			require.NotEqual(t, w.Elapsed(), line.out.Times()[line.out.Len()-1])
		}
		w.Advance(time.Minute)
		offer(q, 1)
		expect(1) // idle: at once
		w.Advance(pace / 2)
		offer(q, 2)
		nothing()
		w.Advance(pace/2 - 1)
		nothing()
		w.Advance(1)
		expect(2) // the rest is over
		w.Advance(1)
		offer(q, 3, 4, 5)
		nothing()
		offer(q, 6) // half full
		expect(3, 4, 5, 6)
		w.Advance(1)
		offer(q, 7)
		nothing()
		q.Mark()
		w.Settle()
		cuts := line.cuts()
		require.Equal(t, []cutAt{{[]int{7}, 0, w.Elapsed()}, {[]int{}, ByFlush, w.Elapsed()}}, cuts[len(cuts)-2:], "a flush ends the rest")
		w.Advance(time.Minute)
		require.Zero(t, armed(w), "an idle actor waits for no time")
		n := line.out.Len()
		w.Advance(time.Hour)
		require.Equal(t, n, line.out.Len())
		offer(q, 8)
		expect(8)
		w.Advance(1)
		offer(q, 9)
		nothing()
		q.Seal(ErrClosed, RefusedClosed)
		expect(9) // closing ends the rest
		require.Equal(t, []error{nil}, line.ended.Values())
		require.Zero(t, armed(w))
	})
}

func TestEnqueueTakesNoMoreThanAHaul(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		for haul, want := range map[int]int{0: 2, 1: 2, 2: 4, 5: 10} {
			q, _ := newQueue(IntakeConfig[int]{QueueSize: 10, ChunkSize: 2})
			offer(q, count(1, 10)...)
			e := &Enqueue[int]{Intake: q, Buffers: NewBuffers[int](2, 4, false), Haul: haul}
			out, ended := make(chan Batch[int]), make(chan struct{})
			go func() {
				defer close(ended)
				_ = e.Run(t.Context(), Ports[int]{Out: out})
			}()
			w.Settle()
			require.Equal(t, 10-want, q.Depth(), "haul %d", haul)
			q.Seal(ErrClosed, RefusedClosed)
			for i := range 5 {
				require.Equal(t, []int{2*i + 1, 2*i + 2}, (<-out).Events)
			}
			<-ended
		}
	})
}

// Marks cut chunks exactly, wherever they lie, and are announced right behind
// the events they were set behind.
func TestEnqueueCutsAtMarks(t *testing.T) {
	type step = any // the number of events to offer, or "mark"
	for _, c := range []struct {
		plan []step
		want [][]int // nil: an announcement
	}{
		{[]step{"mark"}, [][]int{nil}},
		{[]step{"mark", "mark"}, [][]int{nil}},
		{[]step{3, "mark", 5}, [][]int{{1, 2, 3}, nil, {4}, {5, 6, 7, 8}}},
		{[]step{4, "mark", 1}, [][]int{{1, 2, 3, 4}, nil, {5}}},
		{[]step{1, "mark", 1, "mark", 1, "mark", 1}, [][]int{{1}, nil, {2}, nil, {3}, nil, {4}}},
		{[]step{2, "mark", "mark", 2}, [][]int{{1, 2}, nil, {3, 4}}},
		{[]step{"mark", 5, "mark"}, [][]int{nil, {1, 2, 3, 4}, {5}, nil}},
	} {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 12, ChunkSize: 4, SizeOf: func(int) int { return 1 }})
		next := 1
		for _, s := range c.plan {
			if n, ok := s.(int); ok {
				offer(q, count(next, next+n-1)...)
				next += n
			} else {
				q.Mark()
			}
		}
		var got [][]int
		for _, b := range pump(q, 8) {
			got = append(got, b.Events)
		}
		require.Equal(t, c.want, got, "%v", c.plan)
	}
}

// pump runs the actor's loop by hand, without a goroutine, until there is
// nothing to send.
func pump(q *Intake[int], haul int) (sent []Batch[int]) {
	e := &Enqueue[int]{Intake: q, Buffers: poolFor(q, 8), Haul: haul}
	out := make(chan Batch[int], 1000)
	for {
		for len(e.haul.clean) < haul {
			e.haul.clean = append(e.haul.clean, e.Buffers.get())
		}
		if q.take(&e.haul, false) != deliver {
			close(out)
			for b := range out {
				sent = append(sent, b)
			}
			return sent
		}
		e.send(out)
	}
}

// overflows says which of the events that wait, 0 being none, has to go for the
// new one, or -1, and whether there is room then.
func overflows(cfg IntakeConfig[int], waiting []int, grave map[int]bool, ev int) (victim int, ok bool) {
	var events, lessers []int // where they are
	for i, w := range waiting {
		if w > 0 {
			events = append(events, i)
		}
		if w > 0 && !grave[w] {
			lessers = append(lessers, i)
		}
	}
	switch {
	case len(events) < cfg.QueueSize && (grave[ev] || len(lessers) < cfg.LesserSize):
		return -1, true
	case len(lessers) > 0:
		return lessers[0], true
	case grave[ev]:
		return events[0], true
	}
	return -1, false
}

func TestEnqueueAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := IntakeConfig[int]{QueueSize: rapid.IntRange(1, 20).Draw(t, "queue"), SizeOf: func(ev int) int { return ev }}
		cfg.ChunkSize = rapid.IntRange(1, cfg.QueueSize).Draw(t, "chunk")
		haul := rapid.IntRange(1, 4).Draw(t, "haul")
		grave := map[int]bool{} // by event
		if rapid.Bool().Draw(t, "ranked") {
			cfg.Important = func(ev int) bool { return grave[ev] }
			cfg.LesserSize = rapid.IntRange(1, cfg.QueueSize).Draw(t, "lesser")
		}
		q, l := newQueue(cfg)
		next, evicted := 1, 0
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			var want []int // 0: an announcement
			marked := -1
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 6), 0, 12).Draw(t, "plan") {
				if n == 0 && marked != next {
					q.Mark()
					marked = next
					want = append(want, 0)
				}
				for range n {
					grave[next] = cfg.Important == nil || rapid.Bool().Draw(t, "important")
					victim, ok := overflows(cfg, want, grave, next)
					if !ok {
						require.Equal(t, []error{ErrFull}, offer(q, next))
						continue
					}
					if victim >= 0 { // marks stay
						want = slices.Delete(want, victim, victim+1)
						evicted++
					}
					require.Equal(t, []error{nil}, offer(q, next))
					want = append(want, next)
					next++
				}
			}
			var got []int
			through := uint64(0)
			owners := map[*Buffer[int]]bool{}
			for _, b := range pump(q, haul) {
				if b.Trigger == ByFlush {
					require.Empty(t, b.Events)
					require.Equal(t, b.span.From, b.span.Through)
					got = append(got, 0)
					continue
				}
				require.LessOrEqual(t, len(b.Events), cfg.ChunkSize)
				require.NotEmpty(t, b.Events)
				first, last := uint64(b.Events[0]), uint64(b.Events[len(b.Events)-1])
				if cfg.Important == nil {
					require.Equal(t, Span{first - 1, last}, b.span)
				}
				require.LessOrEqual(t, through, b.span.From)
				require.Less(t, b.span.From, first)
				require.GreaterOrEqual(t, b.span.Through, last)
				through = b.span.Through
				require.False(t, owners[b.buf], "a buffer with two owners")
				owners[b.buf] = true
				got = append(got, b.Events...)
				require.Equal(t, b.Events, b.buf.events[b.buf.head:b.buf.n])
				for i, ev := range b.buf.events {
					if i < b.buf.head || i >= b.buf.n {
						require.Zero(t, ev, "the buffer holds more than the chunk")
					} else {
						require.Equal(t, int64(ev), b.buf.sizes[i])
					}
				}
			}
			require.Equal(t, append([]int{}, want...), append([]int{}, got...))
		}
		require.Equal(t, uint64(next-1-evicted), l.Books().InFlight)
	})
}
