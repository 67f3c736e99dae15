package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// penstockSoon is a pipeline whose batches leave after a millisecond.
var penstockSoon = kind{"penstock, 1 ms", false, false, func(s setup) (peer, error) {
	s.delay = time.Millisecond
	return penstockDrops.open(s)
}}

func offeredGroup(e env) group {
	where := e.places[0]
	if len(e.places) > 1 {
		where = e.places[1]
	}
	g := group{
		name:  "offered",
		title: fmt.Sprintf("Age at the output and throughput over the load, %s, queue %d", where.name, e.queue),
		note: "One producer that does not wait offers at a fixed rate for " + e.offer.String() + "; the age is that of each event when the output has it, from " +
			"just before its call. penstock writes a batch by one call; the others, which have no batches, write each line. penstock's batches wait for company " +
			"for up to 100 ms unless they are full, or for 1 ms if told so. K/s are thousands that arrived in a second.",
		columns: []column{{"age p50", nanoseconds, false}, {"age p99", nanoseconds, false}, {"K/s", fraction, true}, {"offered", fraction, true}},
	}
	kinds := []kind{channelDrops, penstockDrops, penstockSoon, zerologDiode}
	for _, load := range e.loads {
		g.bouts = append(g.bouts, bout{rateName(load), channelDrops.name, e.offer + 100*time.Millisecond,
			subjects(kinds, func(k kind) (trial, error) { return offered(k, e, load, where) })})
	}
	return g
}

func offered(k kind, e env, load int, where place) (t trial, err error) {
	out := newOutput()
	out.ages = new(histogram)
	dir, err := where.open(out)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, where.remove(out, dir)) }()
	r, err := enter(k, setup{out: out, queue: e.queue})
	if err != nil {
		return t, err
	}
	begun := time.Now()
	n, refused := offer(r.peer, load, e.offer)
	produced := time.Since(begun)
	t, err = r.leave(n, refused)
	took := time.Since(begun)
	t.Values = figures{float64(out.ages.quantile(0.5)), float64(out.ages.quantile(0.99)),
		float64(t.Delivered) / took.Seconds() / 1000, float64(n) / produced.Seconds() / 1000}
	return t, err
}

// offer calls at a fixed rate: whatever is due is offered, and then it sleeps
// until the next is, or lets others run if that is soon.
func offer(p peer, load int, d time.Duration) (n, refused uint64) {
	send := p.producer()
	gap := float64(time.Second) / float64(load)
	begun := now()
	for {
		t := now()
		if t-begun >= int64(d) {
			return n, refused
		}
		for due := uint64(float64(t-begun)/gap) + 1; n < due; n++ {
			if n%16 == 0 { // a producer that is behind must not make its events older
				if t = now(); t-begun >= int64(d) {
					return n, refused
				}
			}
			if !send(n, t) {
				refused++
			}
		}
		if wait := begun + int64(float64(n)*gap) - now(); wait > int64(100*time.Microsecond) {
			time.Sleep(time.Duration(wait))
		} else {
			runtime.Gosched()
		}
	}
}
