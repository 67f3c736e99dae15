package main

// channelPeer is a buffered channel and one receiver.
type channelPeer struct {
	ch     chan event
	done   chan struct{} // closed by the receiver
	blocks bool
}

func openChannel(blocks bool) func(setup) (peer, error) {
	return func(s setup) (peer, error) {
		c := &channelPeer{make(chan event, s.queue), make(chan struct{}), blocks}
		go func() {
			defer close(c.done)
			for ev := range c.ch {
				s.out.takeOne(&ev)
			}
		}()
		return c, nil
	}
}

func (c *channelPeer) producer() send {
	evs := newReady()
	if c.blocks {
		return func(seq uint64, at int64) bool {
			c.ch <- *evs.next(seq, at)
			return true
		}
	}
	return func(seq uint64, at int64) bool {
		select {
		case c.ch <- *evs.next(seq, at):
			return true
		default:
			return false
		}
	}
}

func (c *channelPeer) flush() {}

func (c *channelPeer) close() error {
	close(c.ch)
	<-c.done
	return nil
}

// dropped: the callers know.
func (c *channelPeer) dropped() (uint64, bool) { return 0, true }
