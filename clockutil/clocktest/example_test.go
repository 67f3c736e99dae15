package clocktest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// A retry that doubles its wait after each failure, tested on both kinds of
// clock. In a test of your own, t is the parameter of the test function.
func ExampleBoth() {
	var t *testing.T

	retry := func(ctx context.Context, clk clock.Clock, f func() error) error {
		for wait := 100 * time.Millisecond; ; wait *= 2 {
			if f() == nil {
				return nil
			}
			if err := clockutil.Sleep(ctx, clk, wait); err != nil {
				return err
			}
		}
	}

	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		calls := clocktest.NewRecorder[string](w)
		ended := clocktest.NewRecorder[error](w)
		go func() {
			ended.Add(retry(t.Context(), w.Clock(), func() error {
				if calls.Add("call") < 4 {
					return errors.New("down")
				}
				return nil
			}))
		}()
		w.Advance(time.Hour)
		require.Equal(t, []error{nil}, ended.Values())
		require.Equal(t, []time.Duration{
			0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond,
		}, calls.Times())
	})
}
