package setup

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

func TestTheLongestNameDecides(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		l := open(t, w, Config{
			Level: slog.LevelWarn, Outputs: []Output{to(&m)},
			Overrides: map[string]slog.Level{"mill": slog.LevelInfo, "mill.gate": slog.LevelDebug},
		})
		wants := map[string]slog.Level{
			"": slog.LevelWarn, "mil": slog.LevelWarn, "miller": slog.LevelWarn, "mill": slog.LevelInfo, "mill.": slog.LevelInfo,
			"mill.wheel.axle": slog.LevelInfo, "mill.gate": slog.LevelDebug, "mill.gate.north": slog.LevelDebug,
		}
		loggers := map[string]*slog.Logger{}
		for name, want := range wants {
			loggers[name] = l.Logger(name)
			require.Equal(t, want, l.Level(name), name)
			require.True(t, loggers[name].Enabled(t.Context(), want), name)
			require.False(t, loggers[name].Enabled(t.Context(), want-1), name)
		}
		// Loggers in use follow, also those made of them.
		derived := loggers["mill.gate"].With("a", 1).WithGroup("g")
		l.SetLevel("", slog.LevelError)
		l.SetLevel("mill.gate", slog.LevelWarn)
		require.False(t, loggers[""].Enabled(t.Context(), slog.LevelWarn))
		require.False(t, derived.Enabled(t.Context(), slog.LevelInfo))
		require.True(t, derived.Enabled(t.Context(), slog.LevelWarn))
		require.True(t, loggers["mill"].Enabled(t.Context(), slog.LevelInfo))
		derived.Info("no")
		derived.Warn("yes")
		closeLog(t, w, l, &m)
		require.Equal(t, []string{"yes"}, messages(&m))
		require.Equal(t, uint64(1), l.Stats().Records)
		name, _ := m.Events()[0].Find(NameKey)
		require.Equal(t, "mill.gate", name.String())
	})
}

// What no output takes is not even made a record of.
func TestOutputsDecideWhatIsEnabled(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var a, b memory
		var level slog.LevelVar
		level.Set(slog.LevelWarn)
		l := open(t, w, Config{Level: slog.LevelDebug, Outputs: []Output{
			{Name: "a", To: Target{Sink: &a}, Level: &level},
			{Name: "b", To: Target{Sink: &b}, Level: slog.LevelError},
		}})
		log := l.Logger("")
		require.False(t, log.Enabled(t.Context(), slog.LevelInfo))
		log.Warn("to a")
		log.Error("to both")
		level.Set(slog.LevelDebug)
		log.Debug("to a too")
		closeLog(t, w, l, &a, &b)
		require.Equal(t, []string{"to a", "to both", "to a too"}, messages(&a))
		require.Equal(t, []string{"to both"}, messages(&b))
		s := l.Stats()
		require.Equal(t, uint64(3), s.Records)
		require.Equal(t, uint64(2), s.Outputs[1].Below)
		require.Equal(t, uint64(1), s.Outputs[1].Pipeline.Offered, "what is below the level takes no room")
	})
}

func TestEveryRecordHasTheAttributes(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		l := open(t, w, Config{
			Outputs: []Output{to(&m)}, Host: true, PID: true, Source: true,
			Attrs:   []slog.Attr{slog.String("service", "mill"), slog.String("token", "s3cret")},
			Redact:  []string{"token"},
			Extract: []logging.Extractor{func(_ context.Context, attrs []slog.Attr) []slog.Attr { return append(attrs, slog.Int("n", 7)) }},
		})
		l.Logger("gate").WithGroup("g").Info("a")
		l.Templates("gate").Information("{Token} {Gate}", "s3cret", "north")
		closeLog(t, w, l, &m)
		host, err := os.Hostname()
		require.NoError(t, err)
		for _, r := range m.Events() {
			require.NotZero(t, r.PC)
			for path, want := range map[string]string{
				"service": "mill", "token": logging.Redacted, HostKey: host, PIDKey: fmt.Sprint(os.Getpid()), NameKey: "gate", "n": "7",
			} {
				v, ok := r.Find(path)
				require.True(t, ok, path)
				require.Equal(t, want, v.String(), path)
			}
			line, err := logging.EncodeJSON(nil, r)
			require.NoError(t, err)
			require.NotContains(t, string(line), "s3cret")
			require.Contains(t, string(line), "log_test.go")
		}
		require.Equal(t, `"[redacted]" "north"`, m.Events()[1].Message)
	})
}

// One output stalls for good; the other has everything, and Close names the
// laggard at its deadline.
func TestAStalledOutputIsAlone(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		const n = 1000
		var fast memory
		stalled := stallingSink{entered: make(chan struct{}, 1), release: make(chan struct{})}
		l := open(t, w, Config{DropSummary: -1, Outputs: []Output{
			{Name: "tape", To: Target{Sink: stalled}, Pipeline: pipeline.Config[logging.Record]{QueueSize: 10, BatchSize: 5}},
			{Name: "fast", To: Target{Sink: &fast}},
		}})
		for i := range n {
			l.Logger("").Info(fmt.Sprint(i))
		}
		w.Settle()
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := w.Elapsed()
		done := make(chan error, 1)
		var wg sync.WaitGroup
		wg.Go(func() { done <- l.Close(ctx) })
		w.Advance(time.Second)
		err := <-done
		require.Equal(t, time.Second, w.Elapsed()-begun)
		var out *pipeline.OutputError
		require.ErrorAs(t, err, &out)
		require.Equal(t, "tape", out.Output)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		require.Equal(t, []string{"stalling"}, loss.Stuck)
		require.Len(t, fast.Events(), n)
		require.Equal(t, err.Error(), l.Close(ctx).Error(), "the verdict stays")
		s := l.Stats()
		tape := s.Outputs[0].Pipeline
		require.Equal(t, uint64(n), tape.Offered)
		require.Equal(t, tape.Accepted, tape.Evicted.Total()+tape.Lost.Total())
		require.Equal(t, uint64(n), s.Outputs[1].Pipeline.Delivered)

		l.Logger("").Info("late")
		for _, o := range l.Stats().Outputs {
			require.Equal(t, uint64(1), o.Pipeline.Rejected.Closed)
		}
		require.ErrorIs(t, l.Handler("").Handle(ctx, slog.Record{}), stage.ErrClosed)
		close(stalled.release)
		wg.Wait()
	})
}

// stallingSink ignores its context.
type stallingSink struct{ entered, release chan struct{} }

func (s stallingSink) Name() string { return "stalling" }

func (s stallingSink) Write(context.Context, []logging.Record) error {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.release
	return nil
}

// A flood of debug records, a hundred to each error, costs no error.
func TestSeveritySurvivesAFlood(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		const errs = 100
		var m memory
		m.Hold()
		l := open(t, w, Config{Level: slog.LevelDebug, DropSummary: -1, Outputs: []Output{
			{Name: "memory", To: Target{Sink: &m}, Pipeline: pipeline.Config[logging.Record]{QueueSize: 200, BatchSize: 10}},
		}})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := range errs / 4 {
					for range 100 {
						l.Logger("").Debug("tick")
					}
					l.Logger("").Log(t.Context(), []slog.Level{slog.LevelWarn, slog.LevelError}[i%2], "trouble")
				}
			})
		}
		wg.Wait()
		m.Release()
		closeLog(t, w, l, &m)
		require.Equal(t, errs, strings.Count(strings.Join(messages(&m), " "), "trouble"))
		s := l.Stats().Outputs[0].Pipeline
		require.NotZero(t, s.Evicted.Total())
		require.Zero(t, s.Evicted.Important)
	})
}

// ImportantFrom and NoReserve say what may be evicted first.
func TestWhatIsImportant(t *testing.T) {
	for name, c := range map[string]struct {
		out    Output
		budged bool // a warning made room for information
	}{
		"default":   {Output{}, false},
		"errors":    {Output{ImportantFrom: slog.LevelError}, true},
		"noReserve": {Output{NoReserve: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				var m memory
				m.Hold()
				c.out.Name, c.out.To = "memory", Target{Sink: &m}
				c.out.Pipeline = pipeline.Config[logging.Record]{QueueSize: 64, BatchSize: 1}
				l := open(t, w, Config{DropSummary: -1, Outputs: []Output{c.out}})
				for i := range 1000 {
					l.Logger("").Info(fmt.Sprint("info", i))
					w.Settle()
					if i == 500 {
						l.Logger("").Warn("warning")
					}
				}
				m.Release()
				closeLog(t, w, l, &m)
				require.Equal(t, c.budged, !strings.Contains(strings.Join(messages(&m), " "), "warning"))
			})
		})
	}
}

func TestFlushReachesAllOutputs(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var a, b memory
		l := open(t, w, Config{Outputs: []Output{{Name: "a", To: Target{Sink: &a}}, {Name: "b", To: Target{Sink: &b}}}})
		l.Logger("").Info("x")
		require.NoError(t, l.Flush(t.Context()))
		require.Len(t, a.Events(), 1)
		require.Len(t, b.Events(), 1)
		require.Equal(t, []string{"a", "b"}, []string{l.Pipelines()[0].Name(), l.Pipelines()[1].Name()})
		closeLog(t, w, l, &a, &b)
	})
}
