package main

import (
	"container/heap"
	"math/rand/v2"
)

// contention is a model of cores that each enqueue without a pause, behind one
// lock. Times are nanoseconds. It knows what the cache line of the lock costs
// when it moves between cores, which is what decides how a lock does on more
// cores than there are here: a core that looks at a lock that is taken takes the
// line away from its holder, who has to fetch it back to go on.
type contention struct {
	work float64 // outside of the lock, for each event
	hold float64 // inside
	move float64 // of a cache line to another core
	wake float64 // until a parked goroutine runs again
	post float64 // what that costs whoever unlocks
	policy
}

// policy is what a core does that finds the lock taken.
type policy struct {
	brief  []float64 // how long it stays away after each failed try, as long as the lock is cold
	pauses []float64 // the same after that, or if the lock is hot; then it parks
	heat   int       // how many cores in turn take the lock for hot after one that these did not help at once
	spins  bool      // it tries for ever instead
}

// modelCore is a core of the model.
type modelCore struct {
	at      float64 // when it acts next
	holding bool
	robbed  bool // somebody took the lock's line away while it held the lock
	tries   int
	hot     bool // the lock was when it was found taken
	index   int
}

// model is the state of a run.
type model struct {
	contention
	due    schedule
	parked []*modelCore
	holder *modelCore
	owner  *modelCore // whose cache has the line
	free   float64    // when the line can move again
	hot    int        // how many more cores take the lock for hot
	rand   *rand.Rand
	events uint64
}

// perEvent plays cores for a span of time and returns the nanoseconds for each
// event of all of them together, and how many events there were.
func (c contention) perEvent(cores int, span float64) (ns float64, events uint64) {
	m := &model{contention: c, rand: rand.New(rand.NewPCG(1, uint64(cores)))}
	for i := range cores {
		m.due = append(m.due, &modelCore{at: float64(i) * c.work / float64(cores), index: i})
	}
	heap.Init(&m.due)
	now := 0.0
	for now < span && len(m.due) > 0 {
		core := m.due[0]
		now = core.at
		m.step(core)
	}
	return now / float64(max(m.events, 1)), m.events
}

// step lets a core do what it does next.
func (m *model) step(c *modelCore) {
	if c.holding {
		m.release(c)
	} else {
		m.try(c)
	}
}

// access is the cost of touching the line, which moves to one core at a time.
func (m *model) access(c *modelCore) {
	if m.owner == c {
		return
	}
	c.at = max(c.at, m.free) + m.move
	m.free, m.owner = c.at, c
}

func (m *model) try(c *modelCore) {
	m.access(c)
	if m.holder == nil {
		c.robbed = false
		m.learn(c)
		m.holder, c.holding, c.tries = c, true, 0
		c.at += m.about(m.hold)
		m.later(c)
		return
	}
	m.holder.robbed = m.holder.at > c.at // else it has what it needs
	switch {
	case m.spins: // on a copy of the line, until it is written to
		c.at = max(c.at, m.holder.at) + 1
	case m.pause(c):
	default:
		m.parked = append(m.parked, c)
		heap.Remove(&m.due, c.index)
		return
	}
	m.later(c)
}

// pause has a core stay away, and reports whether it does so once more.
func (m *model) pause(c *modelCore) bool {
	if c.tries == 0 {
		c.hot = m.hot > 0
	}
	tries := c.tries
	c.tries++
	if !c.hot {
		if tries < len(m.brief) {
			c.at += m.about(m.brief[tries])
			return true
		}
		tries -= len(m.brief)
	}
	if tries >= len(m.pauses) {
		return false
	}
	c.at += m.about(m.pauses[tries])
	return true
}

// about varies a time a little: cores do not run in step.
func (m *model) about(ns float64) float64 { return ns * (0.9 + 0.2*m.rand.Float64()) }

// learn notes what it took a core to get the lock.
func (m *model) learn(c *modelCore) {
	switch {
	case c.tries == 0, !c.hot && c.tries <= len(m.brief): // it was free, or soon was
	case c.hot && c.tries == 1:
		m.hot--
	default:
		m.hot = m.heat
	}
}

func (m *model) release(c *modelCore) {
	if c.robbed {
		c.robbed = false
		if m.owner != c {
			m.access(c)
			m.later(c) // others come first
			return
		}
	}
	m.events++
	m.holder, c.holding = nil, false
	if len(m.parked) > 0 {
		next := m.parked[0]
		m.parked = m.parked[1:]
		next.at = c.at + m.about(m.wake)
		heap.Push(&m.due, next)
		c.at += m.about(m.post)
	}
	c.at += m.about(m.work)
	m.later(c)
}

func (m *model) later(c *modelCore) { heap.Fix(&m.due, c.index) }

// schedule is the cores by the time they act.
type schedule []*modelCore

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].at < s[j].at }
func (s schedule) Swap(i, j int)      { s[i], s[j] = s[j], s[i]; s[i].index, s[j].index = i, j }
func (s *schedule) Push(x any)        { c := x.(*modelCore); c.index = len(*s); *s = append(*s, c) }
func (s *schedule) Pop() any {
	last := len(*s) - 1
	c := (*s)[last]
	*s = (*s)[:last]
	return c
}
