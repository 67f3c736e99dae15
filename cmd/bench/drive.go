package main

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// work is what producers are to do.
type work struct {
	producers int
	events    int           // all producers together; 0: until duration has passed
	duration  time.Duration // of work without a number of events
	limit     int           // events of one producer at most, if duration decides; 0: none
	stride    int           // every stride-th call is timed; 0: none
	pause     time.Duration // before each call
	stamped   bool          // events carry the time they were offered
	ended     func()        // called when duration has passed, before producers are waited for
}

// done is what they did.
type done struct {
	took    time.Duration // from the barrier until the last producer had finished
	counts  []uint64      // calls of each producer
	refused uint64        // calls that said so
	timed   histogram
	allocs  uint64
}

func (d *done) offered() (n uint64) {
	for _, c := range d.counts {
		n += c
	}
	return n
}

// fairness is the least share of a producer in relation to the greatest.
func (d *done) fairness() float64 {
	least, most := d.counts[0], d.counts[0]
	for _, c := range d.counts {
		least, most = min(least, c), max(most, c)
	}
	return float64(least) / float64(most)
}

// drive has producers work from behind a barrier, so that nobody starts before
// all are there.
func drive(p peer, w work) *done {
	var d done
	d.counts = make([]uint64, w.producers)
	start := make(chan struct{})
	var stop atomic.Bool
	var mu sync.Mutex // guards d while producers end
	var ready, ended sync.WaitGroup
	for k := range w.producers {
		limit := w.limit
		if w.events > 0 {
			limit = w.events / w.producers
			if k < w.events%w.producers {
				limit++
			}
		}
		ready.Add(1)
		ended.Go(func() {
			l := loop{work: w, limit: limit, send: p.producer(), stop: &stop}
			ready.Done()
			<-start
			l.run()
			mu.Lock()
			defer mu.Unlock()
			d.counts[k] = l.n
			d.refused += l.refused
			if l.timed != nil {
				d.timed.merge(l.timed)
			}
		})
	}
	ready.Wait()
	before := mallocs()
	t := time.Now()
	close(start)
	if w.events == 0 {
		all := make(chan struct{})
		go func() { ended.Wait(); close(all) }()
		late := time.NewTimer(w.duration)
		select {
		case <-late.C:
		case <-all: // each has reached its limit
			late.Stop()
		}
		stop.Store(true)
		if w.ended != nil {
			w.ended()
		}
	}
	ended.Wait()
	d.took = time.Since(t)
	d.allocs = mallocs() - before
	return &d
}

// loop is one producer. It makes a call at least, however late it gets a core.
type loop struct {
	work
	limit int
	send  send
	stop  *atomic.Bool

	n, refused uint64
	timed      *histogram
}

func (l *loop) run() {
	if l.stride > 0 || l.pause > 0 || l.stamped {
		l.careful()
		return
	}
	// The stop flag is looked at now and then: it is not what is measured.
	for more := true; more; more = !l.stop.Load() {
		for range 64 {
			if l.limit > 0 && l.n == uint64(l.limit) {
				return
			}
			if !l.send(l.n, 0) {
				l.refused++
			}
			l.n++
		}
	}
}

// careful pauses, stamps and times.
func (l *loop) careful() {
	l.timed = new(histogram)
	for more := true; more; more = !l.stop.Load() && (l.limit == 0 || l.n < uint64(l.limit)) {
		if l.pause > 0 {
			l.rest()
		}
		timed := l.stride > 0 && l.n%uint64(l.stride) == 0
		var t, at int64
		if l.stamped || timed {
			t = now()
		}
		if l.stamped {
			at = t
		}
		ok := l.send(l.n, at)
		if timed {
			l.timed.record(now() - t)
		}
		if !ok {
			l.refused++
		}
		l.n++
	}
}

// rest waits without sleeping, which takes much longer than it is told to and
// leaves a core that has to be woken, and lets others run meanwhile.
func (l *loop) rest() {
	for due := now() + int64(l.pause); now() < due; {
		runtime.Gosched()
	}
}

// mallocs reads a counter without stopping the world, which would leave the
// consumers asleep at the start of what is measured.
func mallocs() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
