package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// stepMill is an intake and a batcher whose chunks have a batch's size.
type stepMill struct {
	t     *testing.T
	q     *Intake[int]
	b     Batcher[int]
	pool  *Buffers[int]
	next  int // the latest event
	alarm ageAlarm
}

func newStepMill(t *testing.T, queue, size int) *stepMill {
	step := &Step{}
	q, l := newQueue(IntakeConfig[int]{QueueSize: queue, ChunkSize: size, Step: step})
	m := &stepMill{t: t, q: q, pool: NewBuffers[int](size, 100, false), alarm: ageAlarm{armed: true}}
	m.b = Batcher[int]{Size: size, Ledger: l, Chunks: m.pool, Batches: m.pool, Step: step}
	m.b.cut = cutter[int]{size: size, chunks: m.pool, batches: m.pool}
	return m
}

func (m *stepMill) offer(n int) {
	for range n {
		m.next++
		require.NoError(m.t, m.q.Enqueue(&m.next))
	}
}

// pass takes everything that waits to the batcher, and returns the sizes of the
// chunks and how many of the batches that this completed are chunks as they are.
func (m *stepMill) pass() (chunks []int, batches, whole int) {
	var h haul[int]
	for range 100 {
		h.clean = append(h.clean, m.pool.get())
	}
	m.q.take(&h, false)
	for _, c := range h.full {
		chunks = append(chunks, len(c.Events))
		buf := c.buf
		m.b.received += uint64(len(c.Events))
		m.b.cut.begin(c)
		for {
			batch, _, ok := m.b.cut.next()
			if !ok {
				break
			}
			require.Len(m.t, batch.Events, m.b.Size)
			batches++
			if batch.buf == buf {
				whole++
			}
		}
	}
	return chunks, batches, whole
}

// A chunk that is cut short puts one batch out of step, and the next chunk is
// short enough to bring the others back.
func TestStepIsFallenBackInto(t *testing.T) {
	m := newStepMill(t, 16, 4)
	m.offer(1)
	chunks, batches, _ := m.pass()
	require.Equal(t, []int{1}, chunks)
	require.Zero(t, batches)

	m.offer(11)
	chunks, batches, whole := m.pass()
	require.Equal(t, []int{3, 4, 4}, chunks)
	require.Equal(t, 3, batches)
	require.Equal(t, 2, whole)

	m.offer(6)
	chunks, _, _ = m.pass()
	require.Equal(t, []int{4, 2}, chunks)
	m.b.aged() // what is open; the intake sees it when it opens its next chunk
	m.offer(2)
	chunks, _, _ = m.pass()
	require.Equal(t, []int{2}, chunks)
	m.b.aged()
	m.offer(2)
	chunks, _, _ = m.pass()
	require.Equal(t, []int{2}, chunks)
	m.offer(8)
	chunks, batches, whole = m.pass()
	require.Equal(t, []int{2, 4, 2}, chunks)
	require.Equal(t, 2, batches)
	require.Equal(t, 1, whole)
}

// Short chunks take a buffer each. However many there are and whatever is
// evicted, there is one for every chunk.
func TestStepLeavesBuffersEnough(t *testing.T) {
	for queue := 1; queue <= 40; queue++ {
		for size := 1; size <= queue; size++ {
			m := newStepMill(t, queue, size)
			for i := range 60 {
				m.offer(i * 7 % (queue + 3))
				if i%3 == 0 {
					m.pass()
				}
				if i%7 == 0 {
					m.q.cfg.Step.restarted(uint64(i * 5)) // a wrong hint
				}
				require.LessOrEqual(t, m.q.Depth(), queue)
			}
		}
	}
}
