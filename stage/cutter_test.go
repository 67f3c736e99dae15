package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// cutting is one way of cutting, by the book and by the naive model below.
type cutting struct {
	size  int
	bytes int64
}

// piece is a batch in the making, in the eyes of the model.
type piece struct {
	events  []int
	bytes   int64
	trigger Trigger
}

// naive cuts events one at a time.
type naive struct {
	cutting
	open piece
	cut  []piece
}

func (n *naive) close(why Trigger) {
	n.open.trigger = why
	n.cut = append(n.cut, n.open)
	n.open = piece{}
}

func (n *naive) add(ev int, size int64) {
	if n.bytes > 0 && len(n.open.events) > 0 && n.open.bytes+size > n.bytes {
		n.close(ByBytes)
	}
	n.open.events = append(n.open.events, ev)
	n.open.bytes += size
	if len(n.open.events) == n.size {
		n.close(BySize)
	}
}

func TestCutterAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		how := cutting{size: rapid.IntRange(1, 8).Draw(t, "size")}
		sized := rapid.Bool().Draw(t, "sized")
		if sized {
			how.bytes = rapid.Int64Range(0, 20).Draw(t, "bytes")
		}
		batches := NewBuffers[int](how.size, 1000, sized)
		chunks, chunkSize := batches, how.size
		if rapid.Bool().Draw(t, "chunks of their own") {
			chunkSize = rapid.IntRange(1, 12).Draw(t, "chunk size")
			chunks = NewBuffers[int](chunkSize, 1000, sized)
		}
		c := cutter[int]{size: how.size, bytes: how.bytes, chunks: chunks, batches: batches}
		model := naive{cutting: how}

		var got []Batch[int]
		var bytes []int64
		note := func(b Batch[int], n int64) {
			got, bytes = append(got, b), append(bytes, n)
		}
		next, at := 1, uint64(0)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch why := rapid.SampledFrom([]Trigger{0, 0, 0, 0, ByAge, ByFlush}).Draw(t, "step"); {
			case why == ByFlush, why == ByAge && c.open():
				require.Equal(t, len(model.open.events) > 0, c.open())
				note(c.close(why))
				model.close(why)
			case why == 0:
				b := chunks.get()
				require.Zero(t, b.head+b.n)
				for i := range b.events {
					require.Zero(t, b.events[i], "a dirty buffer")
				}
				b.n = rapid.IntRange(1, chunkSize).Draw(t, "events")
				b.head = rapid.IntRange(0, b.n-1).Draw(t, "evicted")
				at += uint64(b.head)
				for i := b.head; i < b.n; i++ {
					b.events[i] = next
					var size int64
					if sized {
						size = rapid.Int64Range(0, 25).Draw(t, "bytes")
						b.sizes[i] = size
					}
					model.add(next, size)
					next++
				}
				n := uint64(b.n - b.head)
				c.begin(Batch[int]{Events: b.events[b.head:b.n], span: Span{at, at + n}, buf: b})
				at += n
				for {
					b, n, ok := c.next()
					if !ok {
						break
					}
					require.NotEmpty(t, b.Events)
					note(b, n)
				}
			}
		}
		note(c.close(ByClose))
		model.close(ByClose)

		require.Len(t, got, len(model.cut))
		owner := map[*Buffer[int]]int{}
		through := uint64(0)
		for i, b := range got {
			want := model.cut[i]
			// No batch was given back, so that one whose buffer is also
			// another's, or a free one, would show it here.
			require.Equal(t, append([]int{}, want.events...), append([]int{}, b.Events...), "batch %d", i)
			require.Equal(t, want.trigger, b.Trigger)
			if sized {
				require.Equal(t, want.bytes, bytes[i])
			}
			require.LessOrEqual(t, len(b.Events), how.size)
			require.True(t, how.bytes == 0 || bytes[i] <= how.bytes || len(b.Events) == 1, "%d bytes", bytes[i])
			require.GreaterOrEqual(t, b.span.From, through, "runs overlap")
			require.GreaterOrEqual(t, b.span.Through, b.span.From)
			through = b.span.Through
			if b.buf == nil {
				require.Empty(t, b.Events)
				continue
			}
			before, shared := owner[b.buf]
			require.False(t, shared, "batches %d and %d share a buffer", before, i)
			owner[b.buf] = i
		}
		require.Equal(t, at, through, "the last run ends behind the last event")

		for _, b := range got {
			batches.put(b.buf)
		}
		for _, pool := range []*Buffers[int]{chunks, batches} {
			for len(pool.free) > 0 {
				b := <-pool.free
				require.Len(t, b.events, pool.size)
				require.Zero(t, b.head+b.n)
				for i := range b.events {
					require.Zero(t, b.events[i], "a dirty buffer")
				}
				delete(owner, b)
			}
		}
		require.Empty(t, owner, "a batch's buffer does not come from the pool")
	})
}

func TestCutterPassesWholeChunksByPointer(t *testing.T) {
	m := &mill{ledger: &Ledger{}, pool: NewBuffers[int](4, 4, true)}
	c := cutter[int]{size: 4, chunks: m.pool, batches: m.pool}
	chunk := m.chunk(1, 2, 3, 4)
	c.begin(chunk)
	b, bytes, ok := c.next()
	require.True(t, ok)
	require.Same(t, chunk.buf, b.buf)
	require.Equal(t, int64(10), bytes)
	require.Equal(t, Span{0, 4}, b.span)

	part, whole := m.chunk(5), m.chunk(6, 7, 8, 9)
	c.begin(part)
	_, _, ok = c.next()
	require.False(t, ok)
	require.Same(t, part.buf, c.batch, "a fragment becomes the open batch")
	c.begin(whole)
	b, _, ok = c.next()
	require.True(t, ok)
	require.Same(t, part.buf, b.buf)
	require.Equal(t, []int{5, 6, 7, 8}, b.Events)
	_, _, ok = c.next()
	require.False(t, ok)
	require.NotSame(t, whole.buf, c.batch, "what is left of a chunk is copied")
	require.Same(t, whole.buf, <-m.pool.free)
}

func TestBuffersKeepOnlyWhatFits(t *testing.T) {
	p := NewBuffers[int](2, 1, false)
	p.put(nil)
	p.put(newBuffer[int](3, false))
	require.Empty(t, p.free, "a buffer of another size")
	a, b := p.get(), p.get()
	require.Nil(t, a.sizes)
	require.NotSame(t, a, b)
	a.events[0], a.n = 7, 1
	p.put(a)
	p.put(b)
	require.Len(t, p.free, 1, "the pool is bounded")
	require.Same(t, a, p.get())
	require.Equal(t, &Buffer[int]{events: []int{0, 0}}, a)
	require.Len(t, NewBuffers[int](2, 1, true).get().sizes, 2)
}

func TestCutterDoesNotAddUpWhatIsTooMuch(t *testing.T) {
	m := &mill{ledger: &Ledger{}, pool: NewBuffers[int](2, 4, true)}
	c := cutter[int]{size: 2, bytes: 10, chunks: m.pool, batches: m.pool}
	const huge = int64(1) << 62
	chunk := m.chunk(1, 2)
	chunk.buf.sizes[0], chunk.buf.sizes[1] = huge, huge
	c.begin(chunk)
	batch, bytes, ok := c.next()
	require.True(t, ok)
	require.Equal(t, []int{1}, batch.Events, "it travels alone")
	require.Equal(t, huge, bytes)
}
