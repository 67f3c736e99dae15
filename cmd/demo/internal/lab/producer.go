package lab

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/hist"
	"github.com/penstock-go/penstock/stage"
)

// Flat out, one call in stride is timed. The stride is odd and prime, so that
// it does not fall into step with the size of a batch or a chunk. Paced
// producers time every call.
const stride = 61

// A paced producer wakes when an event is due, but at most once in a tick, to
// send all that are; and at least once in a nap, to look what its rate is now.
const (
	tick = time.Millisecond
	nap  = 50 * time.Millisecond
)

// backlog is the most that a paced producer that was held up makes up for.
const backlog = time.Second

// producer is one goroutine's work.
type producer struct {
	id      uint32
	padding []byte
	share   *atomic.Int64 // how many producers there are
	rate    *atomic.Int64 // of all of them; 0: flat out
	put     func(context.Context, Event) error

	seq uint64 // the goroutine's

	mu    sync.Mutex
	tally Tally
	calls hist.Histogram // durations of calls, those that were timed
}

// Tally is what producers have seen.
type Tally struct {
	Offered  uint64 `json:"offered"`
	Accepted uint64 `json:"accepted"`
	Refused  uint64 `json:"refused"`  // for want of room
	Canceled uint64 `json:"canceled"` // still waiting for room at the end
	Other    uint64 `json:"other"`    // refused for another reason
}

func (t *Tally) add(o Tally) {
	t.Offered += o.Offered
	t.Accepted += o.Accepted
	t.Refused += o.Refused
	t.Canceled += o.Canceled
	t.Other += o.Other
}

// count notes what has become of an event.
func (t *Tally) count(err error) {
	t.Offered++
	switch {
	case err == nil:
		t.Accepted++
	case errors.Is(err, stage.ErrFull):
		t.Refused++
	case errors.Is(err, context.Canceled):
		t.Canceled++
	default:
		t.Other++
	}
}

// run produces until ctx ends.
func (p *producer) run(ctx context.Context) {
	beat := time.NewTimer(0)
	defer beat.Stop()
	due, last := 0.0, time.Now()
	for ctx.Err() == nil {
		rate := p.rate.Load()
		if rate == 0 {
			p.burst(ctx)
			due, last = 0, time.Now()
			continue
		}
		share := float64(rate) / float64(p.share.Load())
		beat.Reset(min(max(time.Duration((1-due)/share*float64(time.Second)), tick), nap))
		select {
		case <-beat.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		due = min(due+share*now.Sub(last).Seconds(), max(share*backlog.Seconds(), 1))
		last = now
		for ; due >= 1 && ctx.Err() == nil; due-- {
			p.timed(ctx)
		}
	}
}

// burst offers stride events, and times the first.
func (p *producer) burst(ctx context.Context) {
	p.timed(ctx)
	var t Tally
	for range stride - 1 {
		if ctx.Err() != nil {
			break
		}
		t.count(p.put(ctx, p.next()))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.add(t)
}

func (p *producer) timed(ctx context.Context) {
	ev := p.next()
	at := time.Now()
	err := p.put(ctx, ev)
	took := time.Since(at)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.count(err)
	p.calls.Record(took)
}

func (p *producer) next() Event {
	ev := Event{Producer: p.id, Seq: p.seq, padding: p.padding}
	p.seq++
	return ev
}

// addTo adds what was counted so far.
func (p *producer) addTo(t *Tally, calls *hist.Histogram) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.add(p.tally)
	calls.Merge(&p.calls)
}
