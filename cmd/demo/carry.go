package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// source reads events and passes them on.
type source interface {
	// run returns at the end of the input, with nil, at an error, or soon
	// after stop. It may still be in a read that blocks when stop returns.
	run() error
	// stop ends the reading. What has been read is passed on.
	stop()
	// count says, after stop, what was read.
	count(*verdict)
}

// cargo is what one command carries.
type cargo[T any] struct {
	sizeOf func(T) int
	encode sinks.Encoder[T]                                // for the output
	refuse func(stage.Sink[letter]) (stage.Sink[T], error) // for what it refuses
	source func(f *files, to outlet[T]) source
}

// outlet is what a source has of the pipeline.
type outlet[T any] struct {
	send func(T)
	// flush returns nil when everything sent is delivered, or became a dead
	// letter, or was dropped as the policy allows, and is as durable as it gets.
	flush func() error
}

// carry runs a pipeline until the input ends, ctx does, or an event is lost.
// Its error is one of setting up; the verdict has all others.
func carry[T any](ctx context.Context, h *haul, files *files, c cargo[T]) (*verdict, error) {
	// What ends the reading early. From then on -timeout counts.
	stop, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lost, refused := make(chan error, 1), make(chan error, 1) // the first cause of each
	p, err := open(h, files, c, func(_ context.Context, f stage.Failure[T]) {
		to := refused
		if f.Outcome == stage.Lost {
			to = lost
			cancel(errOutput)
		}
		select {
		case to <- f.Err:
		default:
		}
	})
	if err != nil {
		return nil, err
	}
	drain, expire := context.WithCancelCause(context.Background())
	defer expire(nil)
	defer context.AfterFunc(stop, func() {
		time.AfterFunc(h.timeout, func() { expire(fmt.Errorf("-timeout of %v passed", h.timeout)) })
	})()

	// Refusals are in the ledger.
	send := func(event T) { _ = p.EnqueueWait(drain, event) }
	if h.overflow.word != wait {
		send = func(event T) { _ = p.Enqueue(event) }
	}
	start := time.Now()
	from := c.source(files, outlet[T]{send, func() error {
		err := p.Flush(drain)
		v := verdict{policy: h.overflow.word, stats: p.Stats()}
		if v.events = v.stats.Offered; err == nil && v.lost() > 0 {
			err = errOutput
		}
		return err
	}})
	read := make(chan error, 1)
	go func() { read <- from.run() }()
	v := &verdict{command: h.command, policy: h.overflow.word, to: files.name, dead: h.dead}
	select {
	case v.readErr = <-read:
	case <-stop.Done():
		v.stopped = context.Cause(stop)
	case <-p.Done():
		v.stopped = errEnded
	}
	from.stop()
	v.closeErr = p.Close(drain)
	from.count(v)
	v.stats, v.took = p.Stats(), time.Since(start)
	v.writeErr, v.refusal = first(lost), first(refused)
	if v.stopped == nil && ctx.Err() != nil {
		v.stopped = context.Cause(ctx)
	}
	return v, nil
}

// open starts the pipeline.
func open[T any](h *haul, files *files, c cargo[T], onFailure func(context.Context, stage.Failure[T])) (*pipeline.Pipeline[T], error) {
	sink, err := newOutput(files, c.encode)
	if err != nil {
		return nil, err
	}
	cfg := pipeline.Config[T]{
		Name:          h.command,
		QueueSize:     h.queue,
		QueueBytes:    h.queueBytes,
		SizeOf:        c.sizeOf,
		BatchSize:     h.batch,
		BatchBytes:    1 << 20,
		FlushInterval: h.interval,
		OnFailure:     onFailure,
	}
	if h.overflow.word == dropNewest {
		cfg.Overflow = stage.DropNewest
	}
	if files.dead != nil {
		dead, err := c.refuse(files.dead)
		if err != nil {
			return nil, err
		}
		cfg.Routes = []stage.Route[T]{{To: dead}}
	}
	return pipeline.New[T](sink, cfg)
}

// first returns what is in c, if there is anything.
func first(c <-chan error) error {
	select {
	case err := <-c:
		return err
	default:
		return nil
	}
}

var (
	errOutput = errors.New("the output failed")
	errEnded  = errors.New("the pipeline ended")
)
