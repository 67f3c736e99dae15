package sinks

// leash knows which calls of a [Timeout] have been abandoned and not returned.
// It has neither goroutines nor a lock.
type leash struct {
	closed bool
	stuck  int    // abandoned, and not returned
	total  uint64 // abandoned
}

// call is one call on the leash.
type call struct {
	end chan error // its result; sent once, into the buffer

	over      bool // returned
	abandoned bool
}

// mayCall returns why there may be no further call now, or nil.
func (l *leash) mayCall() error {
	switch {
	case l.closed:
		return errClosed()
	case l.stuck > 0:
		return ErrStuck
	}
	return nil
}

// abandon gives c up. It returns false if c has returned.
func (l *leash) abandon(c *call) bool {
	if c.over {
		return false
	}
	c.abandoned = true
	l.stuck++
	l.total++
	return true
}

// returned notes that c has.
func (l *leash) returned(c *call) {
	c.over = true
	if c.abandoned {
		l.stuck--
	}
}

// close reports whether it is the first to do so.
func (l *leash) close() (first bool) {
	first, l.closed = !l.closed, true
	return first
}
