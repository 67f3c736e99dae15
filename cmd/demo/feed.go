package main

import (
	"errors"
	"io"
)

// feed reads in to its end and passes on events. It owns the reading
// goroutine's side; stop is the only other caller.
type feed struct {
	in   io.Reader
	emit func(event []byte)

	turn    chan struct{} // one slot: whoever has put the token in may touch the fields below
	stopped bool
	framer  framer
	events  uint64
	bytes   uint64
}

func newFeed(in io.Reader, emit func(event []byte)) *feed {
	f := &feed{in: in, turn: make(chan struct{}, 1)}
	f.emit = func(event []byte) {
		f.events++
		f.bytes += uint64(len(event))
		emit(event)
	}
	return f
}

// run returns at the end of the input, with nil, at an error, or at the first
// read that returns after stop. A read that blocks does not keep stop waiting.
func (f *feed) run() error {
	room := f.framer.room()
	for idle := 0; ; {
		n, err := f.in.Read(room)
		f.turn <- struct{}{}
		if f.stopped {
			<-f.turn
			return nil
		}
		f.framer.read(n, f.emit)
		room = f.framer.room()
		<-f.turn
		if idle++; n > 0 {
			idle = 0
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case idle == 100:
			return io.ErrNoProgress
		}
	}
}

// stop ends the feed: what has been read is emitted to its last byte, what is
// read from now on is not looked at.
func (f *feed) stop() {
	f.turn <- struct{}{}
	defer func() { <-f.turn }()
	if !f.stopped {
		f.stopped = true
		f.framer.rest(f.emit)
	}
}

// count implements [source].
func (f *feed) count(v *verdict) { v.events, v.bytes = f.events, f.bytes }
