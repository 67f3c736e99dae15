package clockutil_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// An op is one step of a random plan: what to do, to which of several things,
// and for how long.
type op struct {
	Do string
	On int
	D  time.Duration
}

// plans draws lists of ops. The durations are small and few, so that steps often
// fall on the very instant of a firing.
func plans(verbs ...string) *rapid.Generator[[]op] {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) op {
		return op{
			Do: rapid.SampledFrom(verbs).Draw(rt, "do"),
			On: rapid.IntRange(0, 3).Draw(rt, "on"),
			D:  time.Duration(rapid.IntRange(-1, 4).Draw(rt, "d")) * time.Second,
		}
	}), 1, 40)
}

// requireParity plays random plans on both kinds of clock and compares what the
// player wrote down.
func requireParity(t *testing.T, verbs []string, play func(t *testing.T, w *clocktest.World, plan []op) *clocktest.Recorder[string]) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		plan := plans(verbs...).Draw(rt, "plan")
		trace := func(opts ...clocktest.Option) (lines []string) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				log := play(t, w, plan)
				for i, v := range log.Values() {
					lines = append(lines, fmt.Sprintf("%v: %v", log.Times()[i], v))
				}
			}, opts...)
			return lines
		}
		require.Equal(rt, trace(), trace(clocktest.WithMock()))
	})
}

// One goroutine does everything: what Stop and Reset report, and what is there
// to receive after each step.
func TestTimerParity(t *testing.T) {
	verbs := []string{"stop", "reset", "receive", "advance", "advance"}
	requireParity(t, verbs, func(t *testing.T, w *clocktest.World, plan []op) *clocktest.Recorder[string] {
		log := clocktest.NewRecorder[string](w)
		start := w.Clock().Now()
		tm := clockutil.NewTimer(w.Clock(), 2*time.Second)
		for _, op := range plan {
			switch op.Do {
			case "stop":
				log.Add(fmt.Sprint("stop ", tm.Stop()))
			case "reset":
				log.Add(fmt.Sprint("reset ", tm.Reset(op.D)))
			case "receive":
				at, ok := ready(tm.C())
				if ok {
					log.Add(fmt.Sprint("received ", at.Sub(start)))
				}
			case "advance":
				w.Advance(max(op.D, 0))
			}
		}
		tm.Stop()
		return log
	})
}

// The owner blocks in a select while the clock moves, and takes orders.
func TestTimerParityWithABlockedOwner(t *testing.T) {
	verbs := []string{"stop", "reset", "advance", "advance"}
	requireParity(t, verbs, func(t *testing.T, w *clocktest.World, plan []op) *clocktest.Recorder[string] {
		log := clocktest.NewRecorder[string](w)
		start := w.Clock().Now()
		orders := make(chan op)
		go func() {
			tm := clockutil.NewStoppedTimer(w.Clock())
			defer tm.Stop()
			for {
				select {
				case at := <-tm.C():
					log.Add(fmt.Sprint("received ", at.Sub(start)))
				case op, ok := <-orders:
					switch {
					case !ok:
						return
					case op.Do == "stop":
						log.Add(fmt.Sprint("stop ", tm.Stop()))
					default:
						log.Add(fmt.Sprint("reset ", tm.Reset(op.D)))
					}
				}
			}
		}()
		for _, op := range plan {
			if op.Do == "advance" {
				w.Advance(max(op.D, 0))
			} else {
				orders <- op
				w.Settle()
			}
		}
		close(orders)
		return log
	})
}

// A random tree of contexts: after each step every one of them must have the
// same deadline, error and cause on both clocks.
func TestTimeoutParity(t *testing.T) {
	verbs := []string{"timeout", "timeout", "with cancel", "cancel", "advance"}
	requireParity(t, verbs, func(t *testing.T, w *clocktest.World, plan []op) *clocktest.Recorder[string] {
		log := clocktest.NewRecorder[string](w)
		root, cancelRoot := context.WithCancelCause(t.Context())
		tree := []context.Context{root}
		cancels := []context.CancelFunc{func() { cancelRoot(errBoss) }}
		grow := func(ctx context.Context, cancel context.CancelFunc) {
			tree, cancels = append(tree, ctx), append(cancels, cancel)
		}
		for _, op := range plan {
			on := op.On * len(tree) / 4
			switch op.Do {
			case "timeout":
				// One cause for all: a parent and a child that are due at one
				// instant end in either order.
				grow(clockutil.WithTimeoutCause(tree[on], w.Clock(), op.D, errLate))
			case "with cancel":
				grow(context.WithCancel(tree[on]))
			case "cancel":
				cancels[on]()
				w.Settle()
			case "advance":
				w.Advance(max(op.D, 0))
			}
			for i, ctx := range tree {
				left, ok := clockutil.Remaining(ctx)
				log.Add(fmt.Sprint(i, " ", left, ok, ctx.Err(), context.Cause(ctx)))
			}
		}
		for _, cancel := range cancels {
			cancel()
		}
		return log
	})
}
