package oracle

import (
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/pipeline"
)

// TB is what Check needs of a *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Check holds s against the single events. It is called when nothing moves:
// no producer is inside a call, and the hooks have caught up.
func (o *Oracle) Check(t TB, s pipeline.Stats) {
	t.Helper()
	if err := o.Audit(s); err != nil {
		t.Errorf("the books do not balance: %v\nstats: %+v", err, s)
	}
}

// CheckClosed is Check after Close: nothing may be left, and no bytes.
func (o *Oracle) CheckClosed(t TB, s pipeline.Stats) {
	t.Helper()
	o.Check(t, s)
	if s.Buffered != 0 || s.Depth != 0 || s.InFlight != 0 || s.Bytes != 0 || s.Waiting != 0 {
		t.Errorf("something is left after Close: %+v", s)
	}
}

// Audit is Check with the findings as an error.
func (o *Oracle) Audit(s pipeline.Stats) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	errs := append([]error(nil), o.errs...)
	differ := func(what string, stats, seen uint64) {
		if stats != seen {
			errs = append(errs, fmt.Errorf("%s: Stats say %d, single events %d", what, stats, seen))
		}
	}

	// Every event that was offered has ended once, or is still on its way.
	var open, swallowed, unreported uint64
	for id, f := range o.fates {
		if f.offered == 0 {
			continue // complained about when it was seen
		}
		ends := 0
		for _, n := range f.seen {
			ends += n
		}
		again := o.Duplicates && f.seen[delivered] > 0 && ends > 1
		doubt := f.inDoubt && f.seen[lost] == 1 && f.seen[delivered] == 1 && ends == 2
		switch {
		case ends == 0:
			open++
			if f.dark {
				swallowed++
			}
		case ends > 1 && !doubt && !again:
			errs = append(errs, fmt.Errorf("%v ended %d times: %v", id, ends, f.seen))
		}
		if doubt {
			o.counts.delivered-- // the sink took it, and the books rightly do not say so
			f.seen[delivered] = 0
		}
	}
	open -= min(open, o.hidden) // evicted, and the drop hook was not shown them
	// What a dead actor held, or a stuck sink has not given back, is counted
	// and cannot be shown to anyone.
	if dark := s.Lost.Dead + s.Lost.InDoubt + min(swallowed, s.Lost.Deadline); open > s.Buffered {
		unreported = min(open-s.Buffered, dark)
	}

	differ("buffered", s.Buffered, open-unreported)
	differ("lost", s.Lost.Total(), o.counts.lost+unreported)
	differ("offered", s.Offered, o.counts.offered)
	differ("delivered", s.Delivered, o.counts.delivered)
	differ("rerouted", s.Rerouted, o.counts.rerouted)
	differ("filtered", s.Filtered, o.counts.filtered)
	if s.Rejected != o.counts.rejected {
		errs = append(errs, fmt.Errorf("rejected: Stats say %+v, single events %+v", s.Rejected, o.counts.rejected))
	}
	if s.Evicted != o.counts.evicted {
		errs = append(errs, fmt.Errorf("evicted: Stats say %+v, single events %+v", s.Evicted, o.counts.evicted))
	}
	errs = append(errs, Identities(s)...)
	return errors.Join(errs...)
}

// Identities checks what must hold in every snapshot, also in mid-flight.
func Identities(s pipeline.Stats) (errs []error) {
	if sum := s.Accepted + s.Rejected.Total(); s.Offered != sum {
		errs = append(errs, fmt.Errorf("offered %d, accepted + rejected %d", s.Offered, sum))
	}
	if sum := s.Delivered + s.Rerouted + s.Filtered + s.Evicted.Total() + s.Lost.Total() + s.Buffered; s.Accepted != sum {
		errs = append(errs, fmt.Errorf("accepted %d, ends + buffered %d", s.Accepted, sum))
	}
	if s.Buffered != s.Depth+s.InFlight {
		errs = append(errs, fmt.Errorf("buffered %d, depth %d + in flight %d", s.Buffered, s.Depth, s.InFlight))
	}
	const absurd = 1 << 62 // a gauge that went below zero
	if s.Depth > absurd || s.InFlight > absurd || s.Waiting > absurd || s.Bytes < 0 {
		errs = append(errs, fmt.Errorf("a gauge is negative: %+v", s))
	}
	return errs
}
