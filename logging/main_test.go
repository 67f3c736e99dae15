package logging

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock-go/penstock/sinks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taken is a queue that keeps what it is given. It is for one goroutine.
type taken []Record

func (t *taken) Enqueue(r Record) error {
	*t = append(*t, r)
	return nil
}

// lines encodes what was taken.
func (t *taken) lines(tb testing.TB, encode sinks.Encoder[Record]) []byte {
	tb.Helper()
	var dst []byte
	for _, r := range *t {
		var err error
		dst, err = encode(dst, r)
		require.NoError(tb, err)
	}
	return dst
}

func newHandler(tb testing.TB, q Queue, cfg HandlerConfig) *Handler {
	tb.Helper()
	h, err := NewHandler(q, cfg)
	require.NoError(tb, err)
	return h
}

// logged returns the line that encode makes of what use logs.
func logged(tb testing.TB, encode sinks.Encoder[Record], cfg HandlerConfig, use func(*slog.Logger)) string {
	tb.Helper()
	var q taken
	use(slog.New(untimed{newHandler(tb, &q, cfg)}))
	require.Len(tb, q, 1)
	return string(bytes.TrimSuffix(q.lines(tb, encode), []byte("\n")))
}

// untimed takes the time from records.
type untimed struct{ slog.Handler }

func (u untimed) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Time{}
	return u.Handler.Handle(ctx, r)
}

func (u untimed) WithAttrs(attrs []slog.Attr) slog.Handler {
	return untimed{u.Handler.WithAttrs(attrs)}
}
func (u untimed) WithGroup(name string) slog.Handler { return untimed{u.Handler.WithGroup(name)} }
