package main

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"time"
)

func memoryGroup(e env) group {
	g := group{
		name:  "memory",
		title: fmt.Sprintf("Memory and garbage collection with %d events queued", e.memory),
		note: fmt.Sprintf("The output is stalled, and an eighth more is offered than the queue holds. Bytes are the growth of the live heap since before the "+
			"peer was made, for each event that it holds, in the queue or behind it: events are of %d bytes, lines of %d. GC is the shortest of three full collections.",
			eventBytes, lineBytes),
		columns: []column{{"bytes/event", plain, false}, {"GC ms", fraction, false}},
	}
	g.bouts = []bout{{"full queue", channelDrops.name, 150 * time.Millisecond,
		subjects(dropping, func(k kind) (trial, error) { return memory(k, e) })}}
	return g
}

func memory(k kind, e env) (trial, error) {
	out := newOutput()
	out.gate = make(chan struct{})
	before := liveHeap()
	r, err := enter(k, setup{out: out, queue: e.memory})
	if err != nil {
		return trial{}, err
	}
	d := drive(r.peer, work{producers: 1, events: e.memory + e.memory/8})
	held := liveHeap() - before
	shortest := math.Inf(1)
	for range 3 {
		t := time.Now()
		runtime.GC()
		shortest = min(shortest, float64(time.Since(t).Microseconds())/1000)
	}
	close(out.gate)
	t, err := r.leave(d.offered(), d.refused)
	// What a full diode throws away when it is read was held, too.
	t.Values = figures{float64(held) / float64(max(uint64(e.memory), t.Delivered)), shortest}
	return t, err
}

// liveHeap is what is left after a collection, and after a second one that
// frees what pools held on to.
func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// idleName is the group that takes longest and varies least.
const idleName = "idle"

func idleGroup(e env) group {
	g := group{
		name:    idleName,
		title:   fmt.Sprintf("At rest for %v, after %d events", e.idle, e.queue),
		note:    fmt.Sprintf("The whole process, what the runtime does for itself in it. %s at most.", plural(e.idleReps, "repetition")),
		columns: []column{{"CPU ms", fraction, false}, {"switches", plain, false}},
	}
	kinds := []kind{channelBlocks, penstockWaits, zerologDiode, goDiode, phusluBlocks, zapBuffer, otelBatch}
	g.bouts = []bout{{"nothing to do", channelBlocks.name, e.idle + 150*time.Millisecond,
		subjects(kinds, func(k kind) (trial, error) { return idle(k, e) })}}
	return g
}

func idle(k kind, e env) (trial, error) {
	r, err := enter(k, setup{out: newOutput(), queue: e.queue})
	if err != nil {
		return trial{}, err
	}
	r.expect(e.queue)
	d := drive(r.peer, work{producers: 1, events: e.queue})
	r.settle()
	debug.FreeOSMemory()               // else the runtime does it, for whoever comes first behind a large heap
	time.Sleep(100 * time.Millisecond) // what runs on for a moment is not idleness
	cpu, switches, ok := usage()
	time.Sleep(e.idle)
	cpuAfter, switchesAfter, _ := usage()
	t, err := r.leave(d.offered(), d.refused)
	t.Values = figures{math.NaN(), math.NaN()}
	if ok {
		t.Values = figures{float64((cpuAfter - cpu).Microseconds()) / 1000, float64(switchesAfter - switches)}
	}
	return t, err
}
