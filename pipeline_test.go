// Package penstock_test looks at the whole house from the street: exported API
// only, real actors, exact virtual times.
package penstock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// entry is one line of an actor's diary.
type entry struct {
	At      time.Duration
	What    string
	From    int // first and
	Through int // last sequence number
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// diary is a recorder of entries about events.
type diary struct {
	w *clocktest.World
	*clocktest.Recorder[entry]
}

func newDiary(w *clocktest.World) diary { return diary{w, clocktest.NewRecorder[entry](w)} }

func (d diary) note(what string, evs []oracle.Event) {
	if len(evs) > 0 {
		d.Add(entry{d.w.Elapsed(), what, evs[0].Seq, evs[len(evs)-1].Seq})
	}
}

// tap is a custom stage that writes down what cuts the batches.
type tap struct{ diary diary }

func (t tap) Run(_ context.Context, p stage.Ports[oracle.Event]) error {
	for b := range p.In {
		t.diary.note(b.Trigger.String(), b.Events)
		p.Out <- b
	}
	return nil
}

// TestFourStages runs 30 events through the four actors: batches cut by size,
// by age, by flush and by close, one that fails whole, one that fails in part,
// and a slow route that takes what failed. Every actor's diary must be the
// same to the nanosecond, in every run, on both clocks.
//
// CLOCKTEST_SEEDS=10000 runs it so many times on either.
func TestFourStages(t *testing.T) {
	errDown, errItem := errors.New("down"), errors.New("bad item")
	clocktest.ExploreBoth(t, 50, func(t *testing.T, w *clocktest.World) {
		cut, wrote, routed, heard := newDiary(w), newDiary(w), newDiary(w), newDiary(w)
		o := oracle.New()
		sink := stage.SinkFunc[oracle.Event](func(_ context.Context, evs []oracle.Event) error {
			wrote.note("write", evs)
			switch evs[0].Seq {
			case 6:
				return errDown
			case 19:
				return &stage.PartialError{Failed: []int{1, 3}, Err: errItem}
			}
			return nil
		})
		route := stage.SinkFunc[oracle.Event](func(ctx context.Context, evs []oracle.Event) error {
			if err := clockutil.Sleep(ctx, stage.Clock(ctx), ms(50)); err != nil {
				return err
			}
			routed.note("route", evs)
			return nil
		})
		p, err := pipeline.New(o.Sink(sink), o.Wire(pipeline.Config[oracle.Event]{
			QueueSize:     64,
			BatchSize:     5,
			FlushInterval: time.Second,
			Stages:        []stage.Stage[oracle.Event]{tap{cut}},
			Routes: []stage.Route[oracle.Event]{
				{Match: func(err error) bool { return errors.Is(err, errDown) || errors.Is(err, errItem) }, To: route},
			},
			OnFailure: func(_ context.Context, f stage.Failure[oracle.Event]) { heard.note(f.Outcome.String(), f.Events) },
			Clock:     w.Clock(),
		}))
		require.NoError(t, err)

		seq := 0
		log := func(n int, gap time.Duration) {
			for range n {
				seq++
				assert.NoError(t, o.Enqueue(p, oracle.Event{Seq: seq}))
				w.Advance(gap)
			}
		}
		log(12, ms(100)) // 1 to 12 at 0, 100, … 1100
		w.Advance(ms(210))
		log(6, ms(310)) // 13 to 18 at 1410, 1720, … 2960
		log(10, 0)      // 19 to 28 at 3270
		w.Advance(ms(100))
		log(1, 0) // 29 at 3370
		assert.NoError(t, p.Flush(t.Context()))
		w.Advance(ms(130))
		log(1, 0) // 30 at 3500
		ctx, cancel := w.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, p.Close(ctx))

		require.Equal(t, []entry{
			{ms(400), "size", 1, 5}, {ms(900), "size", 6, 10}, {ms(2000), "age", 11, 14}, {ms(3030), "age", 15, 18},
			{ms(3270), "size", 19, 23}, {ms(3270), "size", 24, 28}, {ms(3370), "flush", 29, 29}, {ms(3500), "close", 30, 30},
		}, cut.Values())
		require.Equal(t, []entry{
			{ms(400), "write", 1, 5}, {ms(900), "write", 6, 10}, {ms(2000), "write", 11, 14}, {ms(3030), "write", 15, 18},
			{ms(3270), "write", 19, 23}, {ms(3270), "write", 24, 28}, {ms(3370), "write", 29, 29}, {ms(3500), "write", 30, 30},
		}, wrote.Values())
		require.Equal(t, []entry{{ms(950), "route", 6, 10}, {ms(3320), "route", 20, 22}}, routed.Values())
		require.Equal(t, []entry{{ms(950), "rerouted", 6, 10}, {ms(3320), "rerouted", 20, 22}}, heard.Values())
		o.CheckClosed(t, p.Stats())
	})
}
