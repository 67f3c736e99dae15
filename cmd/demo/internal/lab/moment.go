package lab

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/penstock-go/penstock/stage"
)

// Moment is one thing that happened in virtual time.
type Moment struct {
	At     time.Duration `json:"at_ns"` // since the start
	Kind   Kind          `json:"kind"`
	Batch  uint64        `json:"batch,omitempty"` // its number, from 1
	Events uint64        `json:"events,omitempty"`
	What   string        `json:"what,omitempty"`   // a trigger, two states, or what an error says
	Tries  int           `json:"tries,omitempty"`  // attempts that have failed
	For    time.Duration `json:"for_ns,omitempty"` // how long it took, or takes
}

// Kind says what a moment is about.
type Kind string

// The kinds.
const (
	Refused    Kind = "refused"   // at the intake, for want of room
	Evicted    Kind = "evicted"   // from the queue
	Blocked    Kind = "blocked"   // a producer, for want of room
	Cut        Kind = "cut"       // a batch
	Stalled    Kind = "stalled"   // a call of the sink
	Retrying   Kind = "retry"     // after a wait
	Turned     Kind = "breaker"   // from one state to another
	Delivered  Kind = "delivered" // a batch
	Failed     Kind = "failed"    // a batch, all attempts included
	ToFallback Kind = "rerouted"  // events
	GivenUp    Kind = "lost"      // events
	Closing    Kind = "close"     // the producers have stopped
)

// lane is where in the pipeline a moment is noted. Within a lane moments are
// noted one after another; those of different lanes race at one instant, and are
// put into the lanes' order.
type lane int

const (
	atIntake lane = iota
	atBatcher
	atSink
	atRouter

	numLanes
)

// diary takes moments down.
type diary struct {
	clk   *vclock
	start time.Time

	mu    sync.Mutex
	fresh [numLanes][]Moment // since the world was last at rest
	all   []Moment
}

func (d *diary) note(at lane, m Moment) {
	m.At = d.clk.Since(d.start)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fresh[at] = append(d.fresh[at], m)
}

// collect puts what happened since the last call in order. It is called at
// rest, and between two calls time does not move.
func (d *diary) collect() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.fresh {
		for _, m := range d.fresh[i] {
			// Hooks are told of evictions in portions that chance decides.
			if last := len(d.all) - 1; m.Kind == Evicted && last >= 0 && d.all[last].Kind == Evicted && d.all[last].At == m.At {
				d.all[last].Events += m.Events
				continue
			}
			d.all = append(d.all, m)
		}
		d.fresh[i] = d.fresh[i][:0]
	}
}

// reason is the first line of an error. Of a panic that is what was thrown,
// without the stack, which is another in every process.
func reason(err error) string {
	if pe := (*stage.PanicError)(nil); errors.As(err, &pe) {
		err = pe
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return short.Replace(line)
}

var short = strings.NewReplacer("penstock: ", "", "given up after ", "")
