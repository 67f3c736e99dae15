package stage

// simLink is a channel between two actors.
type simLink[M any] struct {
	queue   []M
	room    int
	senders int // the channel is closed when none is left
}

func (l *simLink[M]) full() bool { return len(l.queue) >= l.room }

// due reports whether a receive would return.
func (l *simLink[M]) due() bool { return len(l.queue) > 0 || l.senders == 0 }

func (l *simLink[M]) receive() (m M, ok bool) {
	if len(l.queue) == 0 {
		return m, false
	}
	m = l.queue[0]
	l.queue = l.queue[:copy(l.queue, l.queue[1:])]
	return m, true
}

// simPort is the sending end of one actor. What the code under test sends goes
// to c, which has room for all it can send in one step and may be shared; each
// message then takes a step of its own into the link.
type simPort[M any] struct {
	c    chan M
	wait []M
	to   *simLink[M]
}

// gather takes up what was sent.
func (p *simPort[M]) gather() []M {
	from := len(p.wait)
	for len(p.c) > 0 {
		p.wait = append(p.wait, <-p.c)
	}
	return p.wait[from:]
}

func (p *simPort[M]) busy() bool { return len(p.wait) > 0 }

func (p *simPort[M]) next() simTime {
	if p.to.full() {
		return simNever
	}
	return 0
}

func (p *simPort[M]) send() {
	p.to.queue = append(p.to.queue, p.wait[0])
	p.wait = p.wait[:copy(p.wait, p.wait[1:])]
}
