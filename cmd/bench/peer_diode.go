package main

import (
	"context"
	"sync/atomic"

	diodes "code.cloudfoundry.org/go-diodes"
	"github.com/rs/zerolog/diode"
)

// zerologPeer is zerolog's diode, which copies lines. It wakes its reader by
// itself; the other way, polling, costs CPU at rest.
type zerologPeer struct {
	w      diode.Writer
	missed atomic.Uint64
}

func openZerolog(s setup) (peer, error) {
	p := &zerologPeer{}
	p.w = diode.NewWriter(s.out, s.queue, 0, func(missed int) { p.missed.Add(uint64(missed)) })
	return p, nil
}

func (p *zerologPeer) producer() send {
	return lines(func(line []byte) bool {
		_, err := p.w.Write(line)
		return err == nil
	})()
}

func (p *zerologPeer) flush()                  {}
func (p *zerologPeer) close() error            { return p.w.Close() }
func (p *zerologPeer) dropped() (uint64, bool) { return p.missed.Load(), true }

// goDiodePeer is cloudfoundry's diode with a reader that waits. It takes
// pointers, so each event is allocated.
type goDiodePeer struct {
	w      *diodes.Waiter
	cancel context.CancelFunc
	done   chan struct{} // closed by the reader
	missed atomic.Uint64
}

func openGoDiode(s setup) (peer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &goDiodePeer{cancel: cancel, done: make(chan struct{})}
	p.w = diodes.NewWaiter(
		diodes.NewManyToOne(s.queue, diodes.AlertFunc(func(missed int) { p.missed.Add(uint64(missed)) })),
		diodes.WithWaiterContext(ctx))
	go func() {
		defer close(p.done)
		for {
			next := p.w.Next()
			if next == nil {
				return
			}
			s.out.takeOne((*event)(next))
		}
	}()
	return p, nil
}

func (p *goDiodePeer) producer() send {
	evs := newReady()
	return func(seq uint64, at int64) bool {
		ev := *evs.next(seq, at)
		p.w.Set(diodes.GenericDataType(&ev))
		return true
	}
}

func (p *goDiodePeer) flush() {}

func (p *goDiodePeer) close() error {
	p.cancel()
	<-p.done
	return nil
}

func (p *goDiodePeer) dropped() (uint64, bool) { return p.missed.Load(), true }
