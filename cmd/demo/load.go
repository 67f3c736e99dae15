package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/hist"
)

// One call in stride of a flat-out producer is timed. The stride is odd and
// prime, so that it does not fall into step with the size of a batch or a
// chunk. Paced producers time every call.
const stride = 61

// tick is how often a paced producer wakes to send what is due.
const tick = time.Millisecond

// load is what producers do to a lane.
type load struct {
	corpus    *corpus
	producers int
	rate      int // events per second, of all producers together; 0: flat out
	duration  time.Duration
}

// tally is one producer's outcome. Only sent is read while it runs.
type tally struct {
	sent    atomic.Uint64
	_       [56]byte // a cache line for each
	latency hist.Histogram
	err     error
}

// outcome is that of all producers.
type outcome struct {
	sent    uint64
	elapsed time.Duration // until the lane was closed
	latency hist.Histogram
	err     error
}

// run loads l until the duration is over or ctx ends, then closes l. Now and
// again it calls show with what has been sent and the time since the start.
func (ld load) run(ctx context.Context, l lane, show func(sent uint64, since time.Duration)) outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var stop atomic.Bool
	defer context.AfterFunc(ctx, func() { stop.Store(true) })()
	tallies := make([]tally, ld.producers)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range tallies {
		wg.Go(func() {
			t, put := &tallies[i], l.producer()
			<-begin
			if ld.rate > 0 {
				t.err = ld.paced(i, put, t, &stop)
			} else {
				t.err = ld.flatOut(i, put, t, &stop)
			}
			if t.err != nil {
				stop.Store(true)
				cancel()
			}
		})
	}
	start := time.Now()
	close(begin)
	watch(ctx, ld.duration, func() { show(sum(tallies), time.Since(start)) })
	stop.Store(true)
	wg.Wait()
	err := l.close()
	o := outcome{elapsed: time.Since(start), sent: sum(tallies)}
	errs := []error{err}
	for i := range tallies {
		o.latency.Merge(&tallies[i].latency)
		errs = append(errs, tallies[i].err)
	}
	o.err = errors.Join(errs...)
	return o
}

// watch calls show ten times a second until d is over or ctx ends.
func watch(ctx context.Context, d time.Duration, show func()) {
	over := time.NewTimer(d)
	defer over.Stop()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for {
		select {
		case <-over.C:
			return
		case <-ctx.Done():
			return
		case <-beat.C:
			show()
		}
	}
}

func sum(tallies []tally) (sent uint64) {
	for i := range tallies {
		sent += tallies[i].sent.Load()
	}
	return sent
}

func (ld load) flatOut(producer int, put func(*event) error, t *tally, stop *atomic.Bool) error {
	var ev event
	seq := uint64(0)
	defer func() { t.sent.Store(seq) }()
	for !stop.Load() {
		ld.corpus.fill(&ev, producer, seq)
		var err error
		if seq%stride == 0 {
			t.sent.Store(seq)
			at := time.Now()
			err = put(&ev)
			t.latency.Record(time.Since(at))
		} else {
			err = put(&ev)
		}
		if err != nil {
			return err
		}
		seq++
	}
	return nil
}

// paced sends what is due every tick: small bursts, as a busy service makes
// them.
func (ld load) paced(producer int, put func(*event) error, t *tally, stop *atomic.Bool) error {
	var ev event
	share := float64(ld.rate) / float64(ld.producers)
	beat := time.NewTicker(tick)
	defer beat.Stop()
	start := time.Now()
	for seq := uint64(0); !stop.Load(); <-beat.C {
		due := uint64(share * time.Since(start).Seconds())
		for ; seq < due && !stop.Load(); seq++ {
			ld.corpus.fill(&ev, producer, seq)
			at := time.Now()
			err := put(&ev)
			t.latency.Record(time.Since(at))
			if err != nil {
				return err
			}
			t.sent.Store(seq + 1)
		}
	}
	return nil
}
