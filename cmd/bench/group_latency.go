package main

import (
	"fmt"
	"time"
)

// stride is between the calls that are timed when producers do not pause. It
// is odd, so that it does not fall into step with batches.
const stride = 61

func latencyGroup(e env) group {
	g := group{
		name:  "latency",
		title: fmt.Sprintf("Single calls, queue %d", e.queue),
		note: fmt.Sprintf("Quantiles of single calls, the clock's reading included. A stalled output takes nothing for %v and is then "+
			"released; who blocks has that as its greatest. Paced: a call each %v or a little more, without sleeping in between, every one timed; saturated: no pause, every %dst timed, or each one of those who "+
			"have to wait for a stalled output.", e.stall, e.pause, stride),
		columns: []column{{"p50", nanoseconds, false}, {"p99", nanoseconds, false}, {"p99.9", nanoseconds, false},
			{"max", nanoseconds, false}, {"blocked", answer, false}},
		compare: 2,
	}
	for _, stalled := range []bool{false, true} {
		for _, paced := range []bool{true, false} {
			producers := e.callers
			if !paced && !stalled {
				producers = e.contenders
			}
			for _, n := range producers {
				name := fmt.Sprintf("output %s, %s, %s", pick(stalled, "stalled", "running"), pick(paced, "paced", "saturated"), plural(n, "producer"))
				g.bouts = append(g.bouts, latencyBouts(name, e, func(k kind) (trial, error) { return latency(k, e, n, stalled, paced) })...)
			}
		}
	}
	return g
}

// latencyBouts has those who wait for a full queue apart from those who lose
// something.
func latencyBouts(name string, e env, run func(kind) (trial, error)) []bout {
	each := e.stall + 50*time.Millisecond
	return []bout{
		{name + ", never waiting", channelDrops.name, each, subjects(dropping, run)},
		{name + ", losing nothing", channelBlocks.name, each, subjects(lossless, run)},
	}
}

func latency(k kind, e env, producers int, stalled, paced bool) (trial, error) {
	out := newOutput()
	w := work{producers: producers, duration: e.stall, stride: stride}
	switch {
	case paced:
		w.stride, w.pause = 1, e.pause
	case stalled && k.blocks:
		w.stride = 1 // or the one call that hangs would hardly ever be seen
	}
	if stalled {
		out.gate = make(chan struct{})
		w.ended = func() { close(out.gate) }
	}
	r, err := enter(k, setup{out: out, queue: e.queue})
	if err != nil {
		return trial{}, err
	}
	d := drive(r.peer, w)
	h := &d.timed
	t, err := r.leave(d.offered(), d.refused)
	t.Values = figures{float64(h.quantile(0.5)), float64(h.quantile(0.99)), float64(h.quantile(0.999)), float64(h.top),
		blocked(stalled, h.top, e.stall)}
	return t, err
}

// blocked reports whether a call has lasted for a good part of the stall.
func blocked(stalled bool, top int64, stall time.Duration) float64 {
	if stalled && time.Duration(top) > stall/2 {
		return 1
	}
	return 0
}
