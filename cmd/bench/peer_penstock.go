package main

import (
	"context"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// penstockPeer is a pipeline with defaults, but for its queue.
type penstockPeer struct {
	p     *pipeline.Pipeline[event]
	waits bool
}

func openPenstock(waits bool) func(setup) (peer, error) {
	return func(s setup) (peer, error) {
		p, err := pipeline.New[event](stage.SinkFunc[event](s.out.sink),
			pipeline.Config[event]{QueueSize: s.queue, FlushInterval: s.delay})
		if err != nil {
			return nil, err
		}
		return &penstockPeer{p, waits}, nil
	}
}

func (p *penstockPeer) producer() send {
	evs := newReady()
	if p.waits {
		ctx := context.Background()
		return func(seq uint64, at int64) bool {
			return p.p.EnqueueWait(ctx, *evs.next(seq, at)) == nil
		}
	}
	return func(seq uint64, at int64) bool {
		return p.p.Enqueue(*evs.next(seq, at)) == nil
	}
}

func (p *penstockPeer) flush()       { _ = p.p.Flush(context.Background()) }
func (p *penstockPeer) close() error { return p.p.Close(context.Background()) }

func (p *penstockPeer) dropped() (uint64, bool) {
	s := p.p.Stats()
	return s.Evicted.Total() + s.Lost.Total(), true
}
