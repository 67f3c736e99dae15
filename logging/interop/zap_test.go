package interop

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/stage"
)

var _ zapcore.WriteSyncer = (*logging.Writer)(nil)

// zapTo returns a logger that writes JSON, at the time of the bubble.
func zapTo(ws zapcore.WriteSyncer, opts ...zap.Option) *zap.Logger {
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, ws, zap.InfoLevel), opts...)
}

func TestZap(t *testing.T) {
	for name, wrap := range map[string]func(zapcore.WriteSyncer) zapcore.WriteSyncer{
		"bare":   func(ws zapcore.WriteSyncer) zapcore.WriteSyncer { return ws },
		"locked": zapcore.Lock,
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w)
				l := zapTo(wrap(h.w)).With(zap.String("app", "shop"))
				logAll(func(g, i int) { l.Info("gate\nopen", zap.Int("writer", g), zap.Int("seq", i)) })
				require.NoError(t, l.Sync())
				h.requireAll(t, fromJSON(t))
				h.requireClosed(t)
				require.NoError(t, l.Sync())
				require.ErrorIs(t, l.Core().Write(zapcore.Entry{}, nil), stage.ErrClosed)
			})
		})
	}
}

// What is refused reaches zap's output for errors.
func TestZapHearsOfErrors(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		sink, p, to := stuck(t, w, 0)
		errs := &texts{}
		l := zapTo(to, zap.ErrorOutput(errs))
		for i := range 100 {
			l.Info("gate", zap.Int("i", i))
		}
		require.NotEmpty(t, errs.list)
		require.Contains(t, errs.list[0], stage.ErrFull.Error())
		release(t.Context(), t, sink, p)
		require.Len(t, sink.Events(), 100-len(errs.list))
	})
}

// Sync of a stuck pipeline ends, and says so.
func TestZapSyncEnds(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		sink, p, to := stuck(t, w, 2*time.Second)
		l := zapTo(to)
		l.Info("gate")
		begun := w.Elapsed()
		require.ErrorIs(t, l.Sync(), context.DeadlineExceeded)
		require.Equal(t, 2*time.Second, w.Elapsed()-begun)
		release(t.Context(), t, sink, p)
	})
}

// Panic's entry is out before the panic: zap syncs after it.
func TestZapPanics(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w)
		require.Panics(t, func() { zapTo(h.w).Panic("gate") })
		require.Contains(t, h.out.String(), `"msg":"gate"`)
		h.requireClosed(t)
	})
}

// texts is an output that keeps what it was given.
type texts struct{ list []string }

func (s *texts) Write(p []byte) (int, error) {
	s.list = append(s.list, string(p))
	return len(p), nil
}

func (*texts) Sync() error { return nil }
