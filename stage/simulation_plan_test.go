package stage

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/benbjohnson/clock"
)

// newSim builds a house of a random shape.
func newSim(seed uint64, traced bool) *sim {
	s := &sim{seed: seed, r: rand.New(rand.NewPCG(seed, 0x70656e73746f636b))}
	if traced {
		s.log = &strings.Builder{}
	}
	s.books.sim = s
	c := simClock{sim: s}
	scope := WithScope(context.Background(), Scope{Clock: c})
	s.ctx, s.cancel = context.WithCancelCause(scope)

	cfg := IntakeConfig[int]{
		QueueSize:      s.among(16),
		Overflow:       Overflow(s.r.IntN(2)),
		ReportDrops:    true,
		ReportPressure: true,
		Clock:          c,
	}
	cfg.PressureAt, cfg.ChunkSize = s.among(cfg.QueueSize), s.among(cfg.QueueSize)
	batch, batchBytes := s.among(8), int64(0)
	if s.one(2) {
		cfg.SizeOf = func(number int) int { return int(s.books.event(number).size) }
		cfg.QueueBytes = int64([]int{0, 60, 120}[s.r.IntN(3)])
		batchBytes = int64([]int{0, 10, 25}[s.r.IntN(3)])
	}
	s.batches, s.failures = make(chan Batch[int], 64), make(chan Failure[int], 16)
	if s.one(3) {
		cfg.Important = func(number int) bool { return s.books.event(number).matters }
		cfg.LesserSize = s.among(cfg.QueueSize)
		cfg.LesserBytes = cfg.QueueBytes * int64(s.among(4)) / 4
	}
	if cfg.Important == nil {
		cfg.Step = &Step{} // whether it fits or not
	}
	if s.one(4) {
		cfg.SpillSize = s.among(12)
	}
	s.l = &Ledger{}
	s.q = NewIntake(cfg, s.l)
	s.failed, s.settled = simLink[Failure[int]]{room: s.among(4)}, simLink[Failure[int]]{room: s.among(4), senders: 1}

	sized := cfg.SizeOf != nil
	batches := NewBuffers[int](batch, 16, sized)
	chunks := batches
	if cfg.ChunkSize != batch {
		chunks = NewBuffers[int](cfg.ChunkSize, 16, sized)
	}
	if cfg.Important != nil {
		chunks.Classed()
	}
	last := s.line(chunks, batches, batch, batchBytes, cfg.Step)
	s.tail(batches, last)
	s.callers(last)
	return s
}

func (s *sim) link() *simLink[Batch[int]] {
	return &simLink[Batch[int]]{room: s.among(4), senders: 1}
}

// line builds the enqueue actor, the batcher, and custom stages.
func (s *sim) line(chunks, batches *Buffers[int], batch int, batchBytes int64, step *Step) (last *simLink[Batch[int]]) {
	in := s.link()
	s.enqueue = &simEnqueue{
		sim: s, e: Enqueue[int]{Intake: s.q, Buffers: chunks, Haul: s.among(3)}, out: simPort[Batch[int]]{s.batches, nil, in}, pace: s.r.IntN(4),
	}
	s.enqueue.e.haul.doze = s.enqueue.pace > 0
	s.actors = append(s.actors, s.enqueue)
	b := &simBatcher{sim: s, in: in, every: simTime(s.among(30))}
	b.b = Batcher[int]{Size: batch, Bytes: batchBytes, Ledger: s.l, Chunks: chunks, Batches: batches, Step: step}
	b.b.cut = cutter[int]{size: batch, bytes: batchBytes, chunks: chunks, batches: batches}
	b.alarm = ageAlarm{clock: clock.New(), interval: time.Hour} // stands for "armed"
	last = s.link()
	b.out = simPort[Batch[int]]{s.batches, nil, last}
	s.actors = append(s.actors, b)
	for range max(0, s.r.IntN(4)-1) {
		in, last = last, s.link()
		s.failed.senders++
		if s.one(2) {
			a := &simMap{sim: s, lane: s.newLane("map's function", &s.failed), in: in, out: simPort[Batch[int]]{make(chan Batch[int], 1), nil, last}}
			a.m = &mapStage[int]{name: "map", f: a.f}
			s.actors = append(s.actors, a, a.lane)
			continue
		}
		a := &simStage{sim: s, holds: s.r.IntN(4), in: in,
			out: simPort[Batch[int]]{s.batches, nil, last}, failed: simPort[Failure[int]]{s.failures, nil, &s.failed}}
		if s.one(4) {
			a.dies = s.among(8)
		}
		s.actors = append(s.actors, a)
	}
	return last
}

// tail builds the flusher, the router, the observer, and their sinks.
func (s *sim) tail(batches *Buffers[int], last *simLink[Batch[int]]) {
	s.workers = 1
	if s.one(3) {
		s.workers = 1 + s.among(2)
		s.saw(simWorkers)
	}
	s.failed.senders++
	main := &simSink{sim: s, main: true}
	s.sinks = append(s.sinks, main)
	flush := &simFlusher{sim: s, f: NewFlusher[int](main, s.l, batches, s.workers), in: last}
	s.actors = append(s.actors, flush)
	for range s.workers {
		l := s.newLane("worker", &s.failed)
		flush.lanes = append(flush.lanes, l)
		s.actors = append(s.actors, l)
	}
	var routes []Route[int]
	for range s.r.IntN(3) {
		to := &simSink{sim: s}
		s.sinks, routes = append(s.sinks, to), append(routes, Route[int]{To: to})
	}
	for _, sweeper := range []bool{false, true} {
		a := &simRouter{sim: s, lane: s.newLane("router's call", &s.settled), sweeper: sweeper}
		a.router = NewErrorRouter(routes, s.l, a.lane.sends.c)
		a.router.Intake = s.q
		s.actors = append(s.actors, a, a.lane)
		routes = nil
	}
	o := &simObserver{sim: s}
	for why := range o.log {
		o.log[why] = newDropLog[int](s.q.cfg.QueueSize)
	}
	s.actors = append(s.actors, o)
}

// callers are those outside.
func (s *sim) callers(last *simLink[Batch[int]]) {
	ends := s.actors
	closer := &simCloser{sim: s, at: s.soon(120), patience: simTime(s.r.IntN(80)), last: last, ends: ends}
	if s.one(3) {
		closer.patience = 10_000
	}
	s.actors = append(ends[:len(ends):len(ends)], closer)
	producers := 2 + s.among(3)
	s.books.last, s.books.left = make([]int, producers), make([]int, producers)
	for k := range producers {
		s.actors = append(s.actors, &simProducer{sim: s, number: k, calls: 4 + s.among(12)})
	}
	for range s.r.IntN(3) {
		f := &simBarrier{sim: s, at: s.soon(150)}
		s.barriers = append(s.barriers, f)
		s.actors = append(s.actors, f)
	}
}
