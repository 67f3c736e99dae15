package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/cmd/demo/internal/follow"
	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
	"github.com/penstock-go/penstock/pipeline"
)

// pursuit is a source of lines from files that grow and are rotated, with or
// without a checkpoint.
type pursuit struct {
	once  bool
	poll  time.Duration
	every time.Duration // between checkpoints
	clk   clock.Clock
	keep  func([]follow.State) error // called when all is delivered; nil: no checkpoint
	flush func() error
	emit  frame.Emit
	quit  chan struct{} // closed by stop

	turn    chan struct{} // one slot: whoever has put the token in may touch the fields below
	stopped bool
	set     *follow.Set
	read    readings
	looked  time.Time
	kept    time.Time // the latest checkpoint
	news    bool      // something was emitted since
	left    uint64    // lines without an end
	err     error     // of stop
}

func newPursuit(s *shipment, cfg follow.Config, flush func() error, emit frame.Emit) *pursuit {
	u := &pursuit{
		once: !s.follow, poll: s.poll, every: s.every, clk: clock.New(), flush: flush,
		quit: make(chan struct{}), turn: make(chan struct{}, 1), read: readings{maxLine: s.maxLine, say: s.say},
	}
	u.emit = u.read.emitter(func(line []byte, piece bool) {
		u.news = true
		emit(line, piece)
	})
	cfg.Paths, cfg.MaxLine, cfg.Once = s.in.words, s.maxLine, u.once
	cfg.Say, cfg.Long = u.read.tell, u.read.long
	var states []follow.State
	if s.keeper != nil {
		states, u.keep = s.keeper.states(), s.keeper.save
	}
	u.set = follow.New(cfg, states)
	u.news = true // so that the files are noted before they are read
	return u
}

// run reads until stop, or until nothing more is there if once says so. Where
// nothing happens it waits.
func (u *pursuit) run() error {
	timer := clockutil.NewStoppedTimer(u.clk)
	defer timer.Stop()
	for {
		moved, err := u.step()
		if err != nil || u.once && !moved {
			return err
		}
		if moved {
			continue
		}
		timer.Reset(u.poll)
		select {
		case <-timer.C():
		case <-u.quit:
			return nil
		}
	}
}

// step looks, at least after each wait, reads something and makes a checkpoint
// if it is time. It reports whether there may be more to read.
func (u *pursuit) step() (moved bool, err error) {
	u.turn <- struct{}{}
	defer func() { <-u.turn }()
	if u.stopped {
		return false, nil
	}
	if now := u.clk.Now(); now.Sub(u.looked) >= u.poll || u.once {
		u.looked = now
		if err := u.set.Look(u.emit); err != nil {
			return false, err
		}
	}
	if u.clk.Now().Sub(u.kept) >= u.every {
		if err := u.record(); err != nil {
			return false, err
		}
	}
	moved, err = u.set.Read(u.emit)
	if !moved {
		u.looked = time.Time{} // look again after the wait, however short
	}
	return moved, err
}

// record makes a checkpoint: of what is delivered, because nothing is sent in
// the meantime and flush waits for the rest. In the middle of a line in pieces
// it makes none.
func (u *pursuit) record() error {
	if u.keep == nil || !u.news || !u.set.Whole() {
		return nil
	}
	var loss *pipeline.LossError
	switch err := u.flush(); {
	case errors.Is(err, errOutput) || errors.As(err, &loss):
		return nil // that ends the shipment, and the verdict says why
	case err != nil:
		return fmt.Errorf("no checkpoint: %w", err)
	}
	u.kept, u.news = u.clk.Now(), false
	return u.keep(u.set.States())
}

// stop ends the reading. Without a checkpoint, what was read is emitted to its
// last byte; with one, a line that has no end is left for the next time.
func (u *pursuit) stop() {
	u.turn <- struct{}{}
	defer func() { <-u.turn }()
	if u.stopped {
		return
	}
	u.stopped = true
	close(u.quit)
	if u.keep == nil {
		u.set.Rest(u.emit)
	}
	u.left = u.set.Unfinished()
	u.err = u.record()
	if err := u.set.Close(); u.err == nil {
		u.err = err
	}
}

func (u *pursuit) count(v *verdict) {
	u.read.count(v)
	v.unended = u.left
	if v.readErr == nil {
		v.readErr = u.err
	}
}
