package interop

import (
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
)

func TestZerolog(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w)
		l := zerolog.New(h.w).With().Str("app", "shop").Timestamp().Logger()
		logAll(func(g, i int) { l.Info().Int("writer", g).Int("seq", i).Msg("gate\nopen") })
		require.NoError(t, h.w.Sync())
		h.requireAll(t, fromJSON(t))
		h.requireClosed(t)
	})
}

// What is refused reaches zerolog's handler of errors.
func TestZerologHearsOfErrors(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		sink, p, to := stuck(t, w, 0)
		var errs []error
		old := zerolog.ErrorHandler
		zerolog.ErrorHandler = func(err error) { errs = append(errs, err) }
		defer func() { zerolog.ErrorHandler = old }()
		l := zerolog.New(to)
		for i := range 100 {
			l.Info().Int("i", i).Send()
		}
		require.NotEmpty(t, errs)
		require.ErrorIs(t, errs[0], stage.ErrFull)
		release(t.Context(), t, sink, p)
		require.Len(t, sink.Events(), 100-len(errs))
	})
}
