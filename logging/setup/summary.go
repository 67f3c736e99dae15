package setup

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/sourcegraph/conc"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// summary tells an output, by a record of its own, what it has dropped. The
// first drop starts a goroutine, which waits, counts, and ends if nothing was
// dropped since. So nothing is armed while nothing is dropped.
type summary struct {
	pipe    *pipeline.Pipeline[logging.Record]
	handler *logging.Handler // in front of pipe
	every   time.Duration
	clk     clock.Clock
	wg      conc.WaitGroup // the goroutine
	stop    chan struct{}  // closed by close
	once    sync.Once      // close

	pending atomic.Bool // something was dropped that was not counted yet
	mu      sync.Mutex  // to start the goroutine, and to end
	running bool
	stopped bool

	sent atomic.Uint64 // summaries that were offered

	// Of the goroutine, and of close after it.
	told    drops // what earlier summaries have said
	since   time.Time
	settled uint64 // records that had left the pipeline at the latest summary
}

// noticed says that the output has dropped something. It does not wait.
func (s *summary) noticed() {
	if s.pending.Swap(true) {
		return // whoever set it starts what is to count it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running && !s.stopped {
		s.running = true
		s.wg.Go(s.run)
	}
}

// run waits and reports until there is nothing more to report.
func (s *summary) run() {
	timer := clockutil.NewStoppedTimer(s.clk)
	defer timer.Stop()
	for s.since = s.clk.Now(); ; {
		timer.Reset(s.every)
		select {
		case <-timer.C():
		case <-s.stop:
			return
		}
		s.pending.Store(false)
		s.report(false)
		if s.rest() {
			return
		}
	}
}

// rest reports whether the goroutine is to end.
func (s *summary) rest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = s.pending.Load() && !s.stopped
	return !s.running
}

// report offers a summary of what was dropped since the last one, if anything
// was. While nothing has left the pipeline since then it waits: the last one is
// still there, and a stalled queue is not to fill with summaries.
func (s *summary) report(last bool) {
	stats := s.pipe.Stats()
	all := dropsOf(&stats)
	fresh := all.minus(s.told)
	if fresh.total() == 0 {
		return
	}
	settled := stats.Delivered + stats.Rerouted + stats.Filtered + stats.Lost.Total()
	if !last && s.sent.Load() > 0 && settled == s.settled {
		s.pending.Store(true)
		return
	}
	now := s.clk.Now()
	s.sent.Add(1)
	if err := s.offer(now, fresh); errors.Is(err, stage.ErrFull) {
		s.told.full++ // this one, which was no record of anybody's
		s.pending.Store(true)
		return
	}
	s.told, s.since, s.settled = all, now, settled
}

// offer offers a summary of d to the pipeline.
func (s *summary) offer(now time.Time, d drops) error {
	period := now.Sub(s.since)
	message, renderings := d.message(period)
	r := slog.NewRecord(now, logging.LevelWarning, message, 0)
	r.AddAttrs(slog.Uint64("count", d.total()), slog.Duration("period", period),
		slog.String("output", s.pipe.Name()), slog.Attr{Key: "reasons", Value: d.reasons()})
	return s.handler.HandleTemplate(context.Background(), r, DropTemplate, renderings)
}

// close ends the goroutine and reports what is left to report. No summary
// comes after it.
func (s *summary) close() {
	s.once.Do(func() {
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		close(s.stop)
		s.wg.WaitAndRecover()
		s.report(true)
	})
}
