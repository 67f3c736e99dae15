package logging

import (
	"log/slog"
	"strings"
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

// logged returns the line that encode makes of what use logs, without the time.
func logged(tb testing.TB, encode sinks.Encoder[Record], cfg HandlerConfig, use func(*slog.Logger)) string {
	tb.Helper()
	return encoded(tb, encode, record(tb, cfg, use))
}

// encoded returns r's line without its end.
func encoded(tb testing.TB, encode sinks.Encoder[Record], r Record) string {
	tb.Helper()
	line, err := encode(nil, r)
	require.NoError(tb, err)
	require.True(tb, strings.HasSuffix(string(line), "\n"), "%q", line)
	return string(line[:len(line)-1])
}

// record returns what use logs, without the time.
func record(tb testing.TB, cfg HandlerConfig, use func(*slog.Logger)) Record {
	tb.Helper()
	var q taken
	use(slog.New(newHandler(tb, &q, cfg)))
	require.Len(tb, q, 1)
	q[0].Time = time.Time{}
	return q[0]
}
