package main

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"time"
)

// trial is what one run of one subject gave.
type trial struct {
	Values    figures `json:"values"` // one for each of the group's columns
	Offered   uint64  `json:"offered"`
	Delivered uint64  `json:"delivered"`
	// Told is how many of the offered the subject says it has lost, to the
	// caller or by its own count; less than 0 if it does not say.
	Told int64 `json:"told"`
}

// figures are numbers, of which those that there are none of are NaN, and null
// in JSON.
type figures []float64

// MarshalJSON implements [json.Marshaler].
func (f figures) MarshalJSON() ([]byte, error) {
	p := make([]*float64, len(f))
	for i := range f {
		if !math.IsNaN(f[i]) && !math.IsInf(f[i], 0) {
			p[i] = &f[i]
		}
	}
	return json.Marshal(p)
}

// lost is negative if events were delivered twice.
func (t *trial) lost() int64 { return int64(t.Offered) - int64(t.Delivered) }

// column is a figure of a group.
type column struct {
	Name string `json:"name"`
	Unit unit   `json:"unit"`
	Most bool   `json:"most,omitempty"` // more is better
}

// subject is somebody who takes part in a case.
type subject struct {
	name string
	safe bool // promises to lose nothing
	ours bool
	run  func() (trial, error)
}

// bout is one case of a group: subjects under one load.
type bout struct {
	name     string
	base     string        // whom ratios are taken to
	each     time.Duration // that one run of one subject takes, roughly
	subjects []subject
}

// group is a set of cases with the same columns.
type group struct {
	name    string
	title   string
	note    string
	columns []column
	compare int // the column that ratios are taken of
	bouts   []bout
}

// ring is one run: a peer in front of its output, and the process's usage
// since the start.
type ring struct {
	kind kind
	peer peer
	out  *output
	cpu  time.Duration
}

func enter(k kind, s setup) (*ring, error) {
	runtime.GC() // nobody pays for the run before
	p, err := k.open(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	runtime.GC() // nor, in what is measured, for the memory of a queue that was just made
	r := &ring{kind: k, peer: p, out: s.out}
	r.begin()
	return r, nil
}

// begin is where counting of CPU time begins.
func (r *ring) begin() { r.cpu, _, _ = usage() }

// spent returns CPU nanoseconds since begin.
func (r *ring) spent() float64 {
	cpu, _, ok := usage()
	if !ok {
		return math.NaN()
	}
	return float64(cpu - r.cpu)
}

// expect announces what settle will wait for.
func (r *ring) expect(n int) { r.out.target.Store(uint64(n)) }

// settle waits until the output has what is expected, or for a second if some
// of it is lost.
func (r *ring) settle() {
	r.peer.flush()
	late := time.NewTimer(time.Second)
	defer late.Stop()
	select {
	case <-r.out.reached:
	case <-late.C:
	}
}

// leave closes the peer and fills in what was lost.
func (r *ring) leave(offered, refused uint64) (t trial, err error) {
	if err := r.peer.close(); err != nil {
		return t, fmt.Errorf("%s: close: %w", r.kind.name, err)
	}
	if r.out.err != nil {
		return t, fmt.Errorf("%s: %w", r.kind.name, r.out.err)
	}
	t = trial{Offered: offered, Delivered: r.out.n, Told: -1}
	if n, known := r.peer.dropped(); known {
		t.Told = int64(n + refused)
	}
	return t, nil
}
