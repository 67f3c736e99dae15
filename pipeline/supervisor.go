package pipeline

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/sourcegraph/conc"
	"github.com/sourcegraph/conc/panics"

	"github.com/penstock-go/penstock/stage"
)

// supervisor is the wiring of the house. It starts every goroutine, notices
// at once when one dies, and sees the pipeline to its end.
type supervisor[T any] struct {
	cfg      *Config[T]
	ledger   *stage.Ledger
	intake   *stage.Intake[T]
	chunks   *stage.Buffers[T] // what the intake's events leave in
	step     *stage.Step       // of chunks and batches; nil if they cannot be in step
	flusher  *stage.Flusher[T]
	router   *stage.ErrorRouter[T]
	observer *stage.Observer[T]
	sinks    []stage.Sink[T] // to close, each once
	names    []string        // theirs; asked for at the start, because a name may hang like anything else

	wg     conc.WaitGroup
	alive  atomic.Int32 // goroutines, relaunched ones counted once
	ctx    context.Context
	cancel context.CancelCauseFunc

	draining chan struct{} // closed when Close begins or an actor dies
	sealed   chan struct{} // closed when Close begins
	done     chan struct{} // closed at death or with the verdict
	verdict  chan struct{} // closed when result is final

	links   []chan stage.Batch[T] // links[i] leads to the actor behind the i-th; closed by the one before
	failed  *outlet[stage.Failure[T]]
	settled *outlet[stage.Failure[T]]

	mu       sync.Mutex
	actors   []*actor // launched: the main line in its order, then the others
	closing  bool
	lossAt   uint64 // losses when Close began or an actor died
	death    error
	closeErr []error // of the sinks' Flush and Close
	judged   bool
	result   error
}

func newSupervisor[T any](owner *Pipeline[T], sink stage.Sink[T], cfg *Config[T]) *supervisor[T] {
	s := &supervisor[T]{
		cfg:      cfg,
		ledger:   &stage.Ledger{},
		draining: make(chan struct{}),
		sealed:   make(chan struct{}),
		done:     make(chan struct{}),
		verdict:  make(chan struct{}),
		failed:   newOutlet[stage.Failure[T]](linkSize),
		settled:  newOutlet[stage.Failure[T]](settledSize),
	}
	scope := stage.WithScope(context.Background(), stage.Scope{Clock: cfg.Clock, Draining: s.draining, Owner: owner})
	s.ctx, s.cancel = context.WithCancelCause(scope)

	s.step = cfg.step()
	s.intake = stage.NewIntake(cfg.intake(owner, s.step), s.ledger)
	batches := stage.NewBuffers[T](cfg.BatchSize, poolSize, cfg.SizeOf != nil)
	if s.chunks = batches; cfg.chunkSize() != cfg.BatchSize {
		s.chunks = stage.NewBuffers[T](cfg.chunkSize(), poolSize, cfg.SizeOf != nil)
	}
	if cfg.Important != nil {
		s.chunks.Classed()
	}
	s.flusher = stage.NewFlusher(sink, s.ledger, batches, cfg.Workers)
	s.router = stage.NewErrorRouter(cfg.Routes, s.ledger, s.reports())
	s.router.Intake = s.intake
	s.observer = stage.NewObserver(stage.Hooks[T]{OnPressure: cfg.OnPressure, OnFailure: cfg.OnFailure, OnDrop: cfg.OnDrop}, s.intake)
	s.sinks = distinct(sink, cfg.Routes)
	for _, sink := range s.sinks {
		s.names = append(s.names, stage.NameOf(sink))
	}
	return s
}

// settledSize is the number of failures that may wait for the failure hook
// before the router waits for it.
const settledSize = 64

// poolSize is the number of idle buffers kept; more than are in flight at once.
const poolSize = 16

// reports is where settled failures go: nowhere if no hook asks for them.
func (s *supervisor[T]) reports() chan<- stage.Failure[T] {
	if s.cfg.OnFailure == nil {
		return nil
	}
	return s.settled.c
}

// start wires the actors, upstream to downstream, and launches them.
//
//	enqueue ─▶ batcher ─▶ stages… ─▶ flusher
//	   ╎          ╎          │          │
//	   └╌╌╌╌╌╌╌╌╌╌┴╌╌╌╌╌╌╌╌╌╌┴─ failed ─┴─▶ router ─ settled ─▶ observer
//
// The dotted ways carry something only when an actor has died. Not drawn: the
// router fetches from the intake what overflow has spilled.
func (s *supervisor[T]) start() {
	cfg := s.cfg
	line := []stage.Stage[T]{
		&stage.Enqueue[T]{Intake: s.intake, Buffers: s.chunks, Pace: cfg.Pace, Haul: cfg.haulSize()},
		&stage.Batcher[T]{Size: cfg.BatchSize, Bytes: cfg.BatchBytes, Interval: cfg.FlushInterval,
			Ledger: s.ledger, Chunks: s.chunks, Batches: s.flusher.Buffers, Step: s.step},
	}
	line = append(line, cfg.Stages...)
	line = append(line, s.flusher)

	actors := make([]*actor, 0, len(line)+2)
	var in chan stage.Batch[T]
	for i, st := range line {
		var out chan stage.Batch[T]
		if i < len(line)-1 {
			out = make(chan stage.Batch[T], linkSize)
			s.links = append(s.links, out)
		}
		actors = append(actors, s.lineActor(st, in, out))
		in = out
	}
	actors = append(actors, s.routerActor(), s.observerActor())

	s.failed.open(len(line))
	s.settled.open(1)
	for _, a := range actors {
		s.launch(a)
	}
	if cfg.Workers > 1 {
		for range cfg.Workers {
			s.launch(s.workerActor())
		}
	}
}

// lineActor is a stage of the main line, between in and out.
func (s *supervisor[T]) lineActor(st stage.Stage[T], in, out chan stage.Batch[T]) *actor {
	name := stage.NameOf(st)
	var first *stage.Batch[T] // received to tell a closed port from an empty one
	return &actor{
		name: name,
		run: func(ctx context.Context) error {
			return st.Run(ctx, stage.Ports[T]{In: in, Out: out, Failed: s.failed.c})
		},
		early: func() bool {
			if in == nil {
				return !s.intake.Drained()
			}
			select {
			case b, ok := <-in:
				if ok {
					first = &b
				}
				return ok
			default:
				return true
			}
		},
		bury: func(_ context.Context, err error) {
			if in == nil {
				return
			}
			if first != nil {
				s.failed.c <- stage.Bury(s.ledger, *first, name, err)
			}
			for b := range in {
				s.failed.c <- stage.Bury(s.ledger, b, name, err)
			}
		},
		end: func() {
			if out != nil {
				close(out)
			}
			s.failed.leave()
		},
	}
}

func (s *supervisor[T]) workerActor() *actor {
	return &actor{
		name: "worker",
		run:  func(ctx context.Context) error { s.flusher.Work(ctx); return nil },
		bury: func(ctx context.Context, _ error) { s.flusher.Work(ctx) }, // the flusher may wait for a worker
	}
}

func (s *supervisor[T]) routerActor() *actor {
	return &actor{
		name: s.router.Name(),
		run:  func(ctx context.Context) error { return s.router.Run(ctx, s.failed.c) },
		bury: func(ctx context.Context, _ error) { s.sweepFailed(ctx) },
		end: func() {
			// Whatever a stage has swallowed is settled here, last, and what waits
			// at the intake of a dead enqueue actor.
			waiting, _ := s.intake.Abandon(stage.LossDead)
			for _, b := range waiting {
				s.report(b, s.err(), stage.LossDead)
			}
			s.settled.leave()
			s.launch(s.closerActor())
		},
	}
}

func (s *supervisor[T]) observerActor() *actor {
	return &actor{
		name: s.observer.Name(),
		run:  func(ctx context.Context) error { return s.observer.Run(ctx, s.settled.c) },
		bury: func(context.Context, error) {
			for range s.settled.c {
			}
		},
	}
}

// closerActor flushes and closes every sink, after the last write to any.
func (s *supervisor[T]) closerActor() *actor {
	next := 0
	return &actor{
		name: "closer",
		run: func(ctx context.Context) error {
			for ; next < 2*len(s.sinks); next++ {
				sink, name := s.sinks[next/2], s.names[next/2]
				call := func() error { return stage.FlushSink(ctx, sink) }
				if next%2 == 1 {
					call = func() error { return stage.CloseSink(sink) }
				}
				note := func(err error) {
					if err != nil {
						s.mu.Lock()
						s.closeErr = append(s.closeErr, &SinkError{Sink: name, Err: err})
						s.mu.Unlock()
					}
				}
				note(stage.Guard(ctx, name, call, func(err error) { note(err); next++ }))
			}
			return nil
		},
	}
}

// launch runs a in a goroutine of its own. A Goexit that a guard has contained
// ends the goroutine and not the actor: another takes over.
func (s *supervisor[T]) launch(a *actor) {
	ctx, watch := stage.Watched(s.ctx)
	s.mu.Lock()
	if a.watch == nil {
		s.alive.Add(1)
		s.actors = append(s.actors, a)
	}
	a.watch = watch
	s.mu.Unlock()
	s.wg.Go(func() {
		returned, death := false, errGoexit
		defer func() {
			if !returned && watch.Exited() {
				s.launch(a)
				return
			}
			s.finish(a, death)
		}()
		var err error
		caught := panics.Try(func() { err = a.run(ctx) })
		death = trusted(cause(a, caught, err))
		returned = true
	})
}

// finish sees an actor off. One that died is replaced by its burial, and if that
// dies, too, by another: somebody is to receive what is still sent.
func (s *supervisor[T]) finish(a *actor, death error) {
	if death != nil {
		err := s.died(a.name, death)
		if bury := a.bury; bury != nil {
			a.run = func(ctx context.Context) error { bury(ctx, err); return nil }
			a.early = nil
			s.launch(a)
			return
		}
	}
	s.mu.Lock()
	a.ended = true
	s.mu.Unlock()
	if a.end != nil {
		a.end()
	}
	if s.alive.Add(-1) == 0 {
		s.judge(nil)
	}
}

// died makes a death visible at once: nothing more is accepted, and whoever
// waits for Done or in Flush is woken.
func (s *supervisor[T]) died(name string, cause error) error {
	err := &DeadError{Pipeline: s.cfg.Name, Actor: name, Err: cause}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.death != nil {
		return err
	}
	s.death = err
	if !s.closing {
		s.lossAt = s.lossTotal()
	}
	s.intake.Seal(err, stage.RefusedDead)
	s.drain()
	s.end()
	return err
}
