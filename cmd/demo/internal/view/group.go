package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

// sort says what the moments of a group have in common.
type sort string

const (
	quiet   sort = "quiet"   // batches come and go
	tight   sort = "no room" // events find none, and batches come and go
	failing sort = "failing" // batches fail for one reason
)

// recovered is how many batches after an event that found no room all is quiet
// again.
const recovered = 5

// group gathers moments that are told together.
type group struct {
	sort             sort // "": it is empty
	from, to         time.Duration
	batches, events  uint64
	bySize, byAge    uint64
	slowest          time.Duration
	evicted, refused uint64
	blocked          uint64
	since            int    // batches since an event found no room
	reason           string // of the failures
	rescued, lost    uint64
}

func (g *group) any() bool { return g.sort != "" }

// add takes m in and returns true, if it goes with what is there.
func (g *group) add(m lab.Moment) bool {
	if !g.fits(m) {
		return false
	}
	if g.from == 0 || m.At < g.from {
		g.from = m.At
	}
	g.to = m.At
	switch m.Kind {
	case lab.Cut:
		if m.What == "size" {
			g.bySize++
		} else {
			g.byAge++
		}
	case lab.Delivered:
		g.batches++
		g.since++
		g.events += m.Events
		g.slowest = max(g.slowest, m.For)
	case lab.Failed:
		g.batches++
		g.events += m.Events
		g.reason = m.What
	case lab.ToFallback:
		g.rescued += m.Events
	case lab.GivenUp:
		g.lost += m.Events
	case lab.Evicted:
		g.evicted += m.Events
	case lab.Refused:
		g.refused += m.Events
	case lab.Blocked:
		g.blocked++
	}
	return true
}

// fits reports whether m goes with what is there, and settles the sort of an
// empty group.
func (g *group) fits(m lab.Moment) bool {
	empty := g.sort == ""
	switch m.Kind {
	case lab.Cut:
		if m.What != "size" && m.What != "age" {
			return false
		}
		if empty {
			g.sort = quiet
		}
		return g.sort != tight || g.since < recovered
	case lab.Delivered:
		if empty {
			g.sort = quiet
		}
		return g.sort == quiet || g.sort == tight && g.since < recovered
	case lab.Failed:
		// Batches that were cut meanwhile go with it.
		if empty || g.sort == quiet && g.batches == 0 {
			g.sort, g.reason = failing, m.What
		}
		return g.sort == failing && g.reason == m.What
	case lab.ToFallback, lab.GivenUp:
		return g.sort == failing
	case lab.Evicted, lab.Refused, lab.Blocked:
		if empty || g.sort == quiet && g.batches == 0 {
			g.sort = tight
		}
		g.since = 0
		return g.sort == tight
	}
	return false
}

// String says until when, and what was gathered.
func (g *group) String() string {
	var parts []string
	add := func(n uint64, format string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, term.Count(n)))
		}
	}
	if g.batches > 0 {
		parts = append(parts, batches(g.batches)+", "+events(g.events))
	}
	add(g.rescued, "%s to the fallback")
	add(g.lost, "%s lost")
	if g.sort != failing {
		add(g.bySize, "%s cut by size")
		add(g.byAge, "%s by age")
	}
	add(g.evicted, "%s evicted")
	add(g.refused, "%s refused")
	add(g.blocked, "%s waits for room")
	if g.slowest > 0 {
		parts = append(parts, fmt.Sprintf("slowest %v", round(g.slowest)))
	}
	s := strings.Join(parts, ", ")
	if g.to > g.from {
		s = fmt.Sprintf("until %.8s: %s", instant(g.to), s)
	}
	if g.reason != "" {
		s += ": " + g.reason
	}
	return s
}

func batches(n uint64) string {
	if n == 1 {
		return "1 batch"
	}
	return term.Count(n) + " batches"
}
