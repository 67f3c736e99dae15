package lab

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/penstock-go/penstock/cmd/demo/internal/hist"
)

// crew is the producers of one experiment. Their number may be changed while
// they work; what those who left have counted is kept.
type crew struct {
	ctx     context.Context // of the producing
	padding []byte
	rate    *atomic.Int64
	put     func(context.Context, Event) error
	size    atomic.Int64
	work    sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	next    uint32   // producer's number
	working []worker // the oldest first; as many as size says
	leaving map[*producer]bool
	tally   Tally // of those who left
	calls   hist.Histogram
}

// worker is a producer that has not been told to leave.
type worker struct {
	*producer
	leave context.CancelFunc
}

// resize has n producers work. When the producing is over it does nothing.
func (c *crew) resize(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ctx.Err() != nil {
		return
	}
	for len(c.working) > n {
		last := c.working[len(c.working)-1]
		c.working = c.working[:len(c.working)-1]
		c.leaving[last.producer] = true
		last.leave()
	}
	c.size.Store(int64(n))
	for len(c.working) < n {
		c.hire()
	}
}

func (c *crew) hire() {
	ctx, leave := context.WithCancel(c.ctx)
	p := &producer{id: c.next, padding: c.padding, share: &c.size, rate: c.rate, put: c.put}
	c.next++
	c.working = append(c.working, worker{p, leave})
	c.work.Go(func() {
		defer leave()
		p.run(ctx)
		c.left(p)
	})
}

// left takes over what a producer that was told to leave has counted.
func (c *crew) left(p *producer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving[p] {
		delete(c.leaving, p)
		p.addTo(&c.tally, &c.calls)
	}
}

// wait returns when all have left, for the producing is over.
func (c *crew) wait() {
	c.mu.Lock()
	c.closed = true // nobody is hired from here on
	c.mu.Unlock()
	c.work.Wait()
}

// addTo adds what was counted so far, and returns how many work.
func (c *crew) addTo(t *Tally, calls *hist.Histogram) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.add(c.tally)
	calls.Merge(&c.calls)
	for _, w := range c.working {
		w.addTo(t, calls)
	}
	for p := range c.leaving {
		p.addTo(t, calls)
	}
	return len(c.working)
}
