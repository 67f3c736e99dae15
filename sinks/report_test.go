package sinks

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
)

// reported asks a sink for its report.
func reported[T any](s stage.Sink[T]) (r stage.SinkReport) {
	stage.ReportSink(s, &r)
	return r
}

// However a writer takes what it is given, and whatever it says about it, the
// bytes reported are those it has.
func TestWriterReportsWhatTheWriterHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		to := piecewise{step: func(_ int, p []byte) (int, error) {
			n := rapid.IntRange(0, len(p)).Draw(t, "n")
			return n, rapid.SampledFrom([]error{nil, nil, errDown}).Draw(t, "err")
		}}
		s, err := NewWriter(&to, line)
		require.NoError(t, err)
		require.Zero(t, reported(s))
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			events := rapid.SliceOfN(rapid.StringMatching(`[a-z]{0,9}`), 0, 5).Draw(t, "events")
			_ = s.Write(context.Background(), events)
			require.Equal(t, stage.SinkReport{Bytes: uint64(to.Len())}, reported(s))
		}
	})
}

func TestFileReportsWhatItWrote(t *testing.T) {
	f := newTestFile(t, FileConfig[string]{Path: put(t, t.TempDir()+"/app.log", "there before\n"), MaxSize: 30}, nil)
	require.Zero(t, reported(f), "what was there was not written by it")
	for range 5 {
		require.NoError(t, f.Write(t.Context(), []string{"123456789", "abcd"}))
	}
	require.Equal(t, stage.SinkReport{Bytes: 75}, reported(f))
	require.Equal(t, 75+13, len(strings.Join(contents(t, f.cfg.Path), "")))
	require.NoError(t, f.Close())
	require.EqualValues(t, 75, reported(f).Bytes, "still so when it is closed")
}

// reporter reports what a decorator might.
type reporter struct {
	Discard[string]
	stage.SinkReport
}

func (c *reporter) Report(r *stage.SinkReport) {
	r.Bytes += c.Bytes
	r.Retries += c.Retries
	r.Breaker = max(r.Breaker, c.Breaker)
}

func TestReportsPassThrough(t *testing.T) {
	a := &reporter{SinkReport: stage.SinkReport{Bytes: 3, Breaker: stage.BreakerOpen}}
	b := &reporter{SinkReport: stage.SinkReport{Bytes: 4, Retries: 5, Breaker: stage.BreakerClosed}}
	tee, err := Tee[string](a, &Discard[string]{}, b)
	require.NoError(t, err)
	poisoned, err := Poison(tee, "")
	require.NoError(t, err)
	shared, err := NewShared(poisoned)
	require.NoError(t, err)
	for range 2 {
		h := shared.Handle()
		require.Equal(t, stage.SinkReport{Bytes: 7, Retries: 5, Breaker: stage.BreakerOpen}, reported(h))
		defer func() { require.NoError(t, stage.CloseSink(h)) }()
	}
}

// A report does not wait for a Write in progress, whatever is in between.
func TestReportDoesNotWait(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		gate := make(chan struct{})
		s := newTestWriter(t, &piecewise{step: func(call int, p []byte) (int, error) {
			if call == 2 {
				<-gate
			}
			return min(len(p), 2), nil
		}})
		shared, err := NewShared[string](s)
		require.NoError(t, err)
		h := shared.Handle()
		ended := make(chan error, 1)
		go func() { ended <- h.Write(at(w), []string{"abc"}) }()
		w.Settle()
		require.Zero(t, reported(h), "a write counts when it has returned")
		close(gate)
		require.NoError(t, <-ended)
		require.EqualValues(t, 4, reported(h).Bytes)
		require.NoError(t, stage.CloseSink(h))
	})
}
