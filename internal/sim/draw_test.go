package sim

import (
	"math/rand/v2"
	"time"

	"github.com/penstock-go/penstock/stage"
)

const (
	longest     = 40 * time.Millisecond // that anything but a stall takes
	fewest      = 50                    // events a scenario has
	fewestKinds = 3                     // kinds of fault it has at least
)

// draft draws a plan.
type draft struct {
	*rand.Rand
	plan
	faults []ending // of sinks
}

// draw returns the plan of a seed, the same one each time.
func draw(seed uint64) plan {
	d := &draft{Rand: rand.New(rand.NewPCG(seed, 0x73696d))}
	d.Ties, d.Mock = d.one(4), d.one(16)
	d.shape()
	d.people()
	d.sinks()
	d.stages()
	d.OnFailure, d.OnDrop, d.OnPressure = d.hook(), d.hook(), d.hook()
	return d.plan
}

func (d *draft) one(n int) bool { return d.IntN(n) == 0 }

// span is a duration up to most.
func (d *draft) span(most time.Duration) time.Duration {
	if d.Ties {
		return time.Duration(1+d.Int64N(int64(most/time.Millisecond))) * time.Millisecond
	}
	return 1 + time.Duration(d.Int64N(int64(most)))
}

func (d *draft) shape() {
	d.QueueSize = []int{8, 8, 12, 16, 32}[d.IntN(5)]
	if d.Ties {
		d.QueueSize = 64 // the drop hook keeps up with what happens at one instant
	}
	d.BatchSize = 1 + d.IntN(8)
	d.FlushInterval = d.span(longest / 4)
	if d.one(3) {
		d.Important = 2 + d.IntN(4)
	}
	if d.one(3) {
		d.SpillSize = 1 + d.IntN(16)
	}
	d.Overflow = stage.Overflow(d.IntN(2))
	d.Workers = []int{1, 1, 1, 2, 3}[d.IntN(5)]
	if d.SizeOf = d.one(2); d.SizeOf {
		d.QueueBytes = []int64{0, 300, 600}[d.IntN(3)]
		d.BatchBytes = []int64{0, 60}[d.IntN(2)]
	}
	if d.SpillSize > 0 && !d.Ties { // for what is spilled is not what lacks bytes, but a place
		d.QueueSize, d.BatchSize, d.QueueBytes = 8, 1+d.IntN(2), 0
	}
}

// people are the callers: producers, and those of Flush and Close.
func (d *draft) people() {
	d.Producers = make([][]offer, []int{3, 4, 5, 6, 16}[d.IntN(5)])
	events := fewest + d.IntN(20)
	if d.SpillSize > 0 {
		events *= 2
	}
	for n := 0; n < events; {
		k := d.IntN(len(d.Producers))
		o := d.offer()
		d.Producers[k] = append(d.Producers[k], o)
		n += len(o.Bytes)
	}
	for range d.IntN(3) {
		d.Flushes = append(d.Flushes, visit{d.span(longest), d.span(longest)})
	}
	for range 4 {
		d.Looks = append(d.Looks, d.span(longest/2))
	}
	d.Close = visit{d.span(longest * 3 / 2), d.span(longest / 2)}
	switch d.IntN(6) {
	case 0:
		d.Close.Patience = 0
	case 1, 2:
		d.Close.Patience = time.Minute
	}
	if d.SpillSize > 0 && d.one(2) { // one to wait for what is spilled
		d.Flushes = append(d.Flushes, visit{longest/4 + d.span(longest/2), 4 * longest})
		d.Close.At += 3 * longest
	}
	if len(d.Flushes) > 0 && d.one(3) { // to overlap
		d.Flushes[0].At = max(1, d.Close.At-d.span(2*time.Millisecond))
	}
}

func (d *draft) offer() offer {
	o := offer{After: d.span(longest / 6)}
	n := 1
	switch d.IntN(6) {
	case 0:
		o.Patience = d.span(longest / 4)
	case 1, 2:
		n = 2 + d.IntN(5)
		if d.one(4) {
			n = d.QueueSize * 3 / 4 // the drop hook is shown no more than a queue's at once
		}
	}
	for range n {
		bytes := d.IntN(80)
		switch d.IntN(60) {
		case 0:
			bytes = -1
		case 1:
			bytes = 1 << 20
		}
		o.Bytes = append(o.Bytes, bytes)
	}
	return o
}

// sinks draws the sink and the routes. Each scenario has kinds of fault of its
// own.
func (d *draft) sinks() {
	kinds := []ending{transient, permanent, partial, badPartial, ambiguous, panics, exits}
	d.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	d.faults = kinds[:fewestKinds+d.IntN(len(kinds)-fewestKinds)]
	for i := range 1 + d.IntN(3) {
		s := sinkPlan{Match: i > 0 && d.one(3), Cause: i > 0 && d.one(2)}
		for range 12 {
			s.Calls = append(s.Calls, d.call(d.faults))
		}
		for range d.IntN(3) {
			s.Flush = append(s.Flush, d.call([]ending{transient, panics, exits}))
		}
		for _, kind := range []wrapKind{rate, timeout, breaker, retry} {
			if d.one(5) {
				s.Wraps = append(s.Wraps, d.wrap(kind))
			}
		}
		d.Sinks = append(d.Sinks, s)
	}
	for i, kind := range d.faults { // each of them happens, if it is called often enough
		d.Sinks[0].Calls[i].Ends = kind
	}
	if d.SpillSize > 0 { // a sink that stalls once, and a route that takes its time
		calls := d.Sinks[0].Calls[:len(d.faults)]
		calls[0].Takes = longest / 2
		d.Sinks[0].Calls = append(calls, make([]call, 5*len(calls))...)
		for _, route := range d.Sinks[1:] {
			for i := range route.Calls {
				route.Calls[i].Takes = longest / 6
			}
		}
	}
	d.Shuffle(len(d.faults), func(i, j int) {
		c := d.Sinks[0].Calls
		c[i], c[j] = c[j], c[i]
	})
}

func (d *draft) wrap(kind wrapKind) wrap {
	return wrap{Kind: kind, Short: d.span(4 * time.Millisecond), Long: 4*time.Millisecond + d.span(8*time.Millisecond),
		Times: 2 + d.IntN(4), Holds: d.one(3)}
}

func (d *draft) call(faults []ending) call {
	c := call{Events: d.Uint64()}
	if d.one(2) {
		c.Takes, c.Heeds = d.span(2*time.Millisecond), d.one(2)
		if d.one(4) {
			c.Takes = d.span(longest)
		}
	}
	if d.one(3) {
		c.Ends = faults[d.IntN(len(faults))]
		if (c.Ends == panics || c.Ends == exits) && !d.one(4) {
			c.Ends = transient // a stack costs as much as all else in a scenario
		}
	}
	if d.one(8) {
		c.Acts = []action{enqueues, enqueues, waits, flushes, asks}[d.IntN(5)]
	}
	if d.one(400) {
		c.Acts = closes
	}
	return c
}

func (d *draft) stages() {
	for range max(0, d.IntN(4)-1) {
		if d.one(2) {
			s := stagePlan{Kind: mapped}
			for range 6 {
				s.Calls = append(s.Calls, d.call([]ending{transient, filters, filters, filters, panics, exits, grows}))
			}
			d.Stages = append(d.Stages, s)
			continue
		}
		s := stagePlan{Kind: raw, Holds: d.IntN(4)}
		if d.one(4) {
			s.Dies = 1 + d.IntN(10)
			s.How = []deathKind{diesPanic, diesGoexit, diesReturn, diesFailing}[d.IntN(4)]
		}
		d.Stages = append(d.Stages, s)
	}
}

func (d *draft) hook() (does []action) {
	if d.one(2) {
		return nil
	}
	for range 8 {
		switch d.IntN(24) {
		case 0:
			does = append(does, hookPanics)
		case 1:
			does = append(does, hookExits)
		case 2, 3:
			does = append(does, enqueues)
		case 4, 5:
			does = append(does, []action{waits, flushes, asks}[d.IntN(3)])
		default:
			does = append(does, nothing)
		}
	}
	return does
}
