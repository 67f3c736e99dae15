package sinks

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/stage"
)

// toldCall is one call as the naive tallies remember it: all of them, for ever.
type toldCall struct {
	failed bool
	at     time.Time
}

// The tallies against counting anew over everything that was ever told.
func TestTallyModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		s := share{rate: rapid.SampledFrom([]float64{0.01, 0.3, 0.5, 1}).Draw(t, "rate"), least: rapid.IntRange(1, 6).Draw(t, "least")}
		ring := rapid.IntRange(s.least, 12).Draw(t, "ring")
		const slot = 100 * time.Millisecond
		row := &inARow{limit: limit}
		calls := &latestCalls{share: s, ring: make([]bool, ring)}
		window := &latestTime{share: s, slot: slot}

		start := time.Unix(rapid.Int64Range(1, 1<<32).Draw(t, "start"), 0)
		now := start
		var told []toldCall
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			if rapid.IntRange(0, 15).Draw(t, "reset") == 0 {
				row.reset()
				calls.reset()
				window.reset()
				told = nil
			}
			now = now.Add(time.Duration(rapid.SampledFrom([]int64{0, 1, 30, 99, 100, 250, 999, 1000, 5000, 1e9}).Draw(t, "ms")) * time.Millisecond)
			if len(told) == 0 {
				start = now
			}
			failed := rapid.Bool().Draw(t, "failed")
			told = append(told, toldCall{failed, now})

			inRow := 0
			for i := len(told) - 1; i >= 0 && told[i].failed; i-- {
				inRow++
			}
			if got, want := row.add(failed, now), failed && inRow >= limit; got != want {
				t.Fatalf("in a row: %v, want %v after %v", got, want, told)
			}
			latest := told[max(0, len(told)-ring):]
			if got, want := calls.add(failed, now), failed && trips(s, latest); got != want {
				t.Fatalf("latest %d: %v, want %v after %v", ring, got, want, told)
			}
			// The slot now is in, and the nine before it.
			since := start.Add((now.Sub(start)/slot - windowSlots + 1) * slot)
			var recent []toldCall
			for _, c := range told {
				if !c.at.Before(since) {
					recent = append(recent, c)
				}
			}
			if got, want := window.add(failed, now), failed && trips(s, recent); got != want {
				t.Fatalf("since %v: %v, want %v after %v", since, got, want, told)
			}
		}
	})
}

func trips(s share, calls []toldCall) bool {
	failed := 0
	for _, c := range calls {
		if c.failed {
			failed++
		}
	}
	return len(calls) >= s.least && float64(failed)/float64(len(calls)) >= s.rate-1e-12
}

// A clock that is set back does no harm.
func TestTallyOfAClockSetBack(t *testing.T) {
	w := &latestTime{share: share{1, 3}, slot: time.Second}
	now := time.Unix(1000, 0)
	for i, back := range []time.Duration{0, time.Hour, time.Minute} {
		if got := w.add(true, now.Add(-back)); got != (i == 2) {
			t.Fatalf("call %d: %v", i, got)
		}
	}
}

// The circuit against rules written as one sees them from outside: which calls
// are out, in which era they began, and what was said since.
func TestCircuitModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const coolDown = 10 * time.Second
		limit, probes := rapid.IntRange(1, 3).Draw(t, "limit"), rapid.IntRange(1, 3).Draw(t, "probes")
		c := &circuit{tally: &inARow{limit: limit}, coolDown: coolDown, probes: probes, state: stage.BreakerClosed}

		type out struct {
			generation uint64
			era        int
		}
		var (
			now         = time.Unix(1000, 0)
			state       = stage.BreakerClosed
			era, row    int
			openedAt    time.Time
			outs        []out
			passed      int
			timesOpened uint64
		)
		enter := func(s stage.BreakerState) {
			state, row, passed = s, 0, 0
			era++
			if s == stage.BreakerOpen {
				openedAt = now
				timesOpened++
			}
		}
		probing := func() (n int) {
			for _, o := range outs {
				if o.era == era {
					n++
				}
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 11).Draw(t, "s")) * time.Second)
			},
			"call": func(t *rapid.T) {
				_, let := c.let()
				generation, wait, ok := c.admit(now)
				wantWait := time.Duration(0)
				wantOK := state == stage.BreakerClosed
				if state == stage.BreakerOpen && !now.Before(openedAt.Add(coolDown)) {
					enter(stage.BreakerHalfOpen)
				}
				switch state {
				case stage.BreakerOpen:
					wantWait = openedAt.Add(coolDown).Sub(now)
				case stage.BreakerHalfOpen:
					if wantOK = probing()+passed < probes; !wantOK {
						wantWait = -1
					}
				}
				if ok != wantOK || wait != wantWait || let != (state == stage.BreakerClosed) {
					t.Fatalf("%v: admitted %v, wait %v, let %v; want %v, %v", state, ok, wait, let, wantOK, wantWait)
				}
				if ok {
					outs = append(outs, out{generation, era})
				}
			},
			"return": func(t *rapid.T) {
				if len(outs) == 0 {
					t.Skip("nobody is out")
				}
				i := rapid.IntRange(0, len(outs)-1).Draw(t, "who")
				o := rapid.SampledFrom([]outcome{success, failure, unknown}).Draw(t, "how")
				back := outs[i]
				outs = append(outs[:i:i], outs[i+1:]...)
				c.settle(back.generation, o, now)
				if back.era != era {
					return
				}
				switch {
				case o == unknown:
				case o == failure && state == stage.BreakerHalfOpen:
					enter(stage.BreakerOpen)
				case o == failure:
					if row++; row == limit {
						enter(stage.BreakerOpen)
					}
				case state == stage.BreakerHalfOpen:
					if passed++; passed == probes {
						enter(stage.BreakerClosed)
					}
				default:
					row = 0
				}
			},
			"": func(t *rapid.T) {
				if c.state != state || c.opened != timesOpened {
					t.Fatalf("state %v, opened %d; want %v, %d", c.state, c.opened, state, timesOpened)
				}
				if free := c.free(); state == stage.BreakerHalfOpen && free != probes-probing()-passed || state != stage.BreakerHalfOpen && free != 0 {
					t.Fatalf("%d free", free)
				}
			},
		})
	})
}
