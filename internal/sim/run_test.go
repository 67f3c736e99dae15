package sim

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// verdict is how Close ended.
type verdict struct {
	err   error
	at    time.Duration
	stats pipeline.Stats
}

// run plays the plan to its end. It always gets there: what has gone wrong is
// noted, and looked at outside.
func (w *world) run() {
	if err := w.start(); err != nil {
		w.wrong("%v", err)
		return
	}
	for k := range w.plan.Producers {
		w.busy.Go(func() { w.produce(k) })
	}
	for _, v := range w.plan.Flushes {
		w.busy.Go(func() { w.flush(v) })
	}
	looks := slices.Clone(w.plan.Looks)
	slices.Sort(looks)
	for _, at := range looks {
		if at < w.plan.Close.At {
			w.until(at)
			w.look()
		}
	}
	w.until(w.plan.Close.At)
	before, after, end := w.close()
	w.judge(before, after, end)
}

func (w *world) until(at time.Duration) { w.Advance(max(0, at-w.Elapsed())) }

// look holds the books against single events'. Nothing moves.
func (w *world) look() {
	s := w.p.Stats()
	var err error
	if s.Waiting > 0 { // the oracle cannot tell them from accepted ones
		err = errors.Join(oracle.Identities(s)...)
	} else {
		err = w.oracle.Audit(s)
	}
	if err != nil {
		w.wrong("the books do not balance: %v", err)
	}
	if int(s.Depth) > w.plan.QueueSize || w.plan.QueueBytes > 0 && s.Bytes > w.plan.QueueBytes {
		w.wrong("the queue has %d events, and %d bytes are held", s.Depth, s.Bytes)
	}
	if s.Buffered == 0 && s.Bytes != 0 {
		w.wrong("nothing is buffered, and %d bytes are held", s.Bytes)
	}
	if w.dying.Load() && w.plan.Close.At > 0 {
		w.dead()
	}
}

// dead checks that a death is visible.
func (w *world) dead() {
	select {
	case <-w.p.Done():
	default:
		w.wrong("a stage has died, and the pipeline is not done")
	}
	if err := w.p.Err(); !errors.Is(err, stage.ErrDead) {
		w.wrong("a stage has died: %v", err)
	}
}

// close calls Close, lets everything come to its end, and returns the books as
// they were before, the verdict, and the books at the end.
func (w *world) close() (before pipeline.Stats, v verdict, end pipeline.Stats) {
	w.look()
	before = w.p.Stats()
	patience := w.plan.Close.Patience
	ctx, cancel := w.WithTimeout(context.Background(), patience)
	defer cancel()
	begun := w.Elapsed()
	done := clocktest.NewRecorder[verdict](w.World)
	w.closing.Store(true)
	w.busy.Go(func() {
		err := w.p.Close(ctx)
		w.log.add("Close", "returns", nil, err)
		done.Add(verdict{err: err, stats: w.p.Stats()})
	})
	w.Advance(patience)
	if done.Len() != 1 {
		w.wrong("Close has not returned after %v", patience)
	}
	w.Advance(settledIn)
	w.busy.Wait()
	w.Settle()
	v = done.Values()[0]
	v.at = done.Times()[0] - begun
	if again := w.p.Close(context.Background()); !same(again, v.err) {
		w.wrong("a second Close says %v, the first said %v", again, v.err)
	}
	return before, v, w.p.Stats()
}

func same(a, b error) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Error() == b.Error()
}

// judge looks at the end.
func (w *world) judge(before pipeline.Stats, v verdict, end pipeline.Stats) {
	if err := w.oracle.Audit(end); err != nil {
		w.wrong("the books do not balance at the end: %v", err)
	}
	if end.Buffered != 0 || end.Bytes != 0 || end.Waiting != 0 {
		w.wrong("something is left: %+v", end)
	}
	if end.Misuse != 0 {
		w.wrong("misuse %d", end.Misuse)
	}
	if forced := errors.Is(v.err, stage.ErrAbandoned); forced {
		w.saw(hadForced)
		if v.at != w.plan.Close.Patience {
			w.wrong("Close ended by its deadline of %v took %v", w.plan.Close.Patience, v.at)
		}
	}
	late := v.stats // callers outside, hooks, and the sinks themselves may still count
	late.Offered, late.Rejected, late.HookPanics = end.Offered, end.Rejected, end.HookPanics
	for i := range late.Sinks {
		late.Sinks[i].SinkReport = end.Sinks[i].SinkReport
	}
	if !reflect.DeepEqual(late, end) {
		w.wrong("the books have changed since the verdict:\n%+v\n%+v", late, end)
	}
	w.losses(before, v, end)
	for _, s := range w.sinks {
		s.mu.Lock()
		if s.closed != 1 || s.inside != 0 {
			w.wrong("%s: closed %d times, %d calls are left", s.name, s.closed, s.inside)
		}
		s.mu.Unlock()
	}
	w.summarise(before, end)
}

// losses holds the verdict against what was lost since Close began.
func (w *world) losses(before pipeline.Stats, v verdict, end pipeline.Stats) {
	var loss *pipeline.LossError
	lost := end.Lost.Total() - before.Lost.Total()
	died := w.dying.Load() && !errors.Is(v.err, stage.ErrAbandoned) // else it may have been later
	switch {
	case v.err == nil && (lost > 0 || died):
		w.wrong("%d lost, a stage died: %v, and Close says nil", lost, died)
	case v.err != nil && !errors.As(v.err, &loss):
		w.wrong("no LossError: %v", v.err)
	case died && !errors.Is(v.err, stage.ErrDead):
		w.wrong("a stage died, and Close says: %v", v.err)
	case w.dying.Load(), w.inward.Load(), w.plan.Ties:
		// Losses count from the death, or from the first Close, or others of
		// the same instant come in between.
	case loss != nil && (loss.Lost != lost || loss.InDoubt != end.Lost.InDoubt):
		w.wrong("%d lost, %d in doubt: %v", lost, end.Lost.InDoubt, v.err)
	}
}

// summarise notes what the scenario had in it.
func (w *world) summarise(before, end pipeline.Stats) {
	var r stage.SinkReport
	for _, s := range w.outer {
		stage.ReportSink(s, &r)
	}
	for f, had := range map[feature]bool{
		hadRetry:    r.Retries > 0,
		hadGivenUp:  r.Abandoned > 0,
		hadThrottle: r.Throttled > 0,
		hadOpen:     r.Opened > 0,
		hadBuffered: before.Buffered > 0,
		hadDoubt:    end.Lost.InDoubt > 0,
		hadReroute:  end.Rerouted > 0,
		hadDark:     end.Lost.Dead > 0,
		hadWorkers:  w.plan.Workers > 1,
		hadTooLarge: end.Rejected.TooLarge+end.Rejected.Invalid > 0,
		hadBytes:    end.Evicted.Bytes > 0,
		hadAge:      end.Batches.Age > 0,
		hadSpill:    end.Spilled > 0,
		hadTies:     w.plan.Ties,
		hadMock:     w.plan.Mock,
	} {
		if had {
			w.saw(f)
		}
	}
}
