package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
)

// feed reads inputs to their ends, one after another, and passes on lines. It
// owns the reading goroutine's side; stop is the only other caller.
type feed struct {
	inputs []input
	emit   frame.Emit

	turn    chan struct{} // one slot: whoever has put the token in may touch the fields below
	stopped bool
	lines   frame.Lines
	read    readings
}

// newFeed returns a feed of lines of at most maxLine bytes; of longer ones say
// is told. Between inputs, or if finish says so, a last line without a line
// feed gets one.
func newFeed(inputs []input, maxLine int, finish bool, say func(error), emit frame.Emit) *feed {
	f := &feed{inputs: inputs, turn: make(chan struct{}, 1), read: readings{maxLine: maxLine, say: say}}
	f.lines = frame.Lines{Max: maxLine, Finish: finish || len(inputs) > 1}
	f.emit = f.read.emitter(emit)
	return f
}

// run returns at the end of the last input, with nil, at an error, or at the
// first read that returns after stop. A read that blocks does not keep stop
// waiting.
func (f *feed) run() error {
	for _, in := range f.inputs {
		r, err := in.open()
		if err != nil {
			return err
		}
		ended, err := f.drink(in.name, r)
		err = errors.Join(err, r.Close())
		if err != nil || ended {
			return err
		}
	}
	return nil
}

// drink reads one input to its end. It reports whether the feed was stopped.
func (f *feed) drink(name string, r io.Reader) (stopped bool, err error) {
	f.turn <- struct{}{}
	f.lines.Resume(0, false)
	f.lines.Long = func(offset int64) { f.read.long(name, offset) }
	room := f.lines.Room()
	<-f.turn
	for idle := 0; ; {
		n, err := r.Read(room)
		f.turn <- struct{}{}
		if f.stopped {
			<-f.turn
			return true, nil
		}
		f.lines.Read(n, f.emit)
		room = f.lines.Room()
		if errors.Is(err, io.EOF) && f.lines.Finish {
			f.lines.Rest(f.emit)
		}
		<-f.turn
		if idle++; n > 0 {
			idle = 0
		}
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case idle == 100:
			return false, io.ErrNoProgress
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
		f.lines.Rest(f.emit)
	}
}

// count implements [source].
func (f *feed) count(v *verdict) { f.read.count(v) }

// maxTold is how many long lines, and how many other findings, are told one by
// one.
const maxTold = 20

// readings counts what is read.
type readings struct {
	maxLine       int
	say           func(error) // never nil
	events, bytes uint64
	tooLong       uint64
	told          uint64
}

// emitter returns emit with the counting.
func (t *readings) emitter(emit frame.Emit) frame.Emit {
	return func(line []byte, piece bool) {
		t.events++
		t.bytes += uint64(len(line))
		emit(line, piece)
	}
}

// tell tells of the first findings.
func (t *readings) tell(err error) {
	switch t.told++; {
	case t.told <= maxTold:
		t.say(err)
	case t.told == maxTold+1:
		t.say(errors.New("further findings are not told"))
	}
}

// long counts a line that is longer than the maximum, and tells of the first.
func (t *readings) long(name string, offset int64) {
	switch t.tooLong++; {
	case t.tooLong <= maxTold:
		t.say(fmt.Errorf("%s: the line at byte %d is longer than %d bytes and goes in pieces", name, offset, t.maxLine))
	case t.tooLong == maxTold+1:
		t.say(errors.New("further long lines are only counted"))
	}
}

func (t *readings) count(v *verdict) { v.events, v.bytes, v.long = t.events, t.bytes, t.tooLong }
