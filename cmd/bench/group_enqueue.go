package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// enqueueColumns are what offering an event costs.
var enqueueColumns = []column{
	{"ns/event", nanoseconds, false},
	{"CPU ns", nanoseconds, false}, // of the whole process
	{"allocs", fraction, false},
}

func burstGroup(e env) group {
	g := group{
		name:  "burst",
		title: fmt.Sprintf("Enqueue, burst: %d events into a queue of %d", e.burst, e.ring),
		note: "Producers' wall time for each event, all of them together; the second burst of each run, into warm memory. " +
			"CPU is the whole process's until everything has arrived. Nothing is lost unless it says so. Null output.",
		columns: enqueueColumns,
	}
	kinds := slices.Concat(dropping, []kind{zapBuffer, mutexBuffer})
	for _, n := range e.producers {
		g.bouts = append(g.bouts, bout{plural(n, "producer"), channelDrops.name, 60 * time.Millisecond,
			fitting(kinds, func(k kind) (trial, error) { return burst(k, e, n) })})
	}
	return g
}

// burst measures the second of two bursts.
func burst(k kind, e env, producers int) (trial, error) {
	out := newOutput()
	out.varied = k.varied
	r, err := enter(k, setup{out: out, queue: e.ring})
	if err != nil {
		return trial{}, err
	}
	w := work{producers: producers, events: e.burst}
	r.expect(e.burst)
	first := drive(r.peer, w)
	r.settle()
	r.expect(2 * e.burst)
	r.begin()
	d := drive(r.peer, w)
	r.settle()
	n := d.offered()
	values := figures{float64(d.took) / float64(n), r.spent() / float64(n), float64(d.allocs) / float64(n)}
	t, err := r.leave(n+first.offered(), d.refused+first.refused)
	t.Values = values
	return t, err
}

// sustainedColumns are what offering costs when it goes on.
var sustainedColumns = append(slices.Clone(enqueueColumns),
	column{"fairness", fraction, true}, // least share of a producer by the greatest
	column{"M/s", fraction, true})      // until close has returned

func sustainedGroup(e env) group {
	g := group{
		name:  "sustained",
		title: fmt.Sprintf("Enqueue, sustained, nothing lost: flat out for %v, queue %d", e.sustained, e.queue),
		note: "Callers wait for room. Fairness is the least number of events of a producer, divided by the greatest. " +
			"CPU is the whole process's until close has returned, and so is M/s, millions of events that arrived in a second. Null output.",
		columns: sustainedColumns,
	}
	for _, n := range e.producers {
		g.bouts = append(g.bouts, bout{plural(n, "producer"), channelBlocks.name, e.sustained + 50*time.Millisecond,
			subjects(lossless, func(k kind) (trial, error) { return sustained(k, e, n, e.sustained) })})
	}
	return g
}

func droppingGroup(e env) group {
	g := group{
		name:  "dropping",
		title: fmt.Sprintf("Enqueue, sustained, nobody waits: flat out for %v, queue %d", e.brief, e.queue),
		note: "Nobody's output keeps up with producers that never wait, so events are lost: compare what arrived. " +
			"A low time for each event is easy to have by losing most of them.",
		columns: sustainedColumns,
	}
	for _, n := range e.producers {
		g.bouts = append(g.bouts, bout{plural(n, "producer"), channelDrops.name, e.brief + 50*time.Millisecond,
			subjects(dropping, func(k kind) (trial, error) { return sustained(k, e, n, e.brief) })})
	}
	return g
}

func crowdedGroup(e env) group {
	g := group{
		name:    "crowded",
		title:   fmt.Sprintf("Enqueue, sustained, nothing lost, with GOMAXPROCS above the %d cores: flat out for %v", runtime.NumCPU(), e.brief),
		note:    "Whoever holds a lock may be preempted; the others then wait for a time slice unless they know better.",
		columns: sustainedColumns,
	}
	for _, procs := range e.procs {
		if procs <= runtime.NumCPU() {
			continue
		}
		for _, n := range e.crowd {
			name := fmt.Sprintf("GOMAXPROCS %d, %s", procs, plural(n, "producer"))
			g.bouts = append(g.bouts, bout{name, channelBlocks.name, e.brief + 50*time.Millisecond,
				subjects(lossless, func(k kind) (trial, error) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					return sustained(k, e, n, e.brief)
				})})
		}
	}
	return g
}

// sustained measures producers that do not pause.
func sustained(k kind, e env, producers int, duration time.Duration) (trial, error) {
	r, err := enter(k, setup{out: newOutput(), queue: e.queue})
	if err != nil {
		return trial{}, err
	}
	begun := time.Now()
	d := drive(r.peer, work{producers: producers, duration: duration})
	n := d.offered()
	t, err := r.leave(n, d.refused)
	t.Values = figures{float64(d.took) / float64(n), r.spent() / float64(n), float64(d.allocs) / float64(n), d.fairness(),
		float64(t.Delivered) / float64(time.Since(begun).Microseconds())}
	return t, err
}
