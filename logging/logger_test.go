package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

func newLogger(tb testing.TB, h slog.Handler, cfg LoggerConfig) *Logger {
	tb.Helper()
	l, err := NewLogger(h, cfg)
	require.NoError(tb, err)
	return l
}

func TestNewLoggerRefuses(t *testing.T) {
	for field, err := range map[string]error{
		"handler":   second(NewLogger(nil, LoggerConfig{})),
		"CacheSize": second(NewLogger(nothing{}, LoggerConfig{CacheSize: -1})),
	} {
		var ce *pipeline.ConfigError
		require.ErrorAs(t, err, &ce)
		require.Equal(t, field, ce.Field)
	}
	require.ErrorContains(t, second(NewLogger(nothing{}, LoggerConfig{CacheSize: 1 << 30})), "1073741824")
}

func second[T any](_ T, err error) error { return err }

// untimed returns a handler of slog's that writes all but the time to out.
func untimed(out io.Writer) slog.Handler {
	return slog.NewTextHandler(out, &slog.HandlerOptions{Level: LevelVerbose, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

// What a call gives any slog.Handler.
func TestLoggerOnAnyHandler(t *testing.T) {
	var out bytes.Buffer
	l := newLogger(t, untimed(&out), LoggerConfig{})
	l.Information("User {UserId} bought {@Cart} for {Price:0.00}", 42, []string{"boat"}, 9.5)
	require.Equal(t, `level=INFO msg="User 42 bought [\"boat\"] for 9.50" UserId=42 Cart="[\"boat\"]" Price=9.5`+"\n", out.String())

	out.Reset()
	l.ForContext(slog.String("app", "shop")).ForContext().Warning("{A} {B}", 1, 2, 3)
	require.Equal(t, `level=WARN msg="1 2" app=shop A=1 B=2 __2=3`+"\n", out.String())

	out.Reset()
	l.Debug("{{nothing}}")
	require.Equal(t, "level=DEBUG msg={nothing}\n", out.String())

	out.Reset()
	err := errors.New("down")
	newLogger(t, untimed(&out), LoggerConfig{Unquoted: true}).Error("It is {Error} at {Host}, {Host:j}", err, "here")
	require.Equal(t, `level=ERROR msg="It is down at here, \"here\"" Error=down Host=here`+"\n", out.String())
}

// seen is a handler that keeps records, and fails if told to.
type seen struct {
	least   slog.Level
	records []slog.Record
	ctx     context.Context
	err     error
}

func (s *seen) Enabled(_ context.Context, l slog.Level) bool { return l >= s.least }
func (s *seen) WithAttrs([]slog.Attr) slog.Handler           { return s }
func (s *seen) WithGroup(string) slog.Handler                { return s }
func (s *seen) Handle(ctx context.Context, r slog.Record) error {
	s.ctx = ctx
	s.records = append(s.records, r)
	return s.err
}

// calls are the methods that log, called on successive lines of this file.
var calls = []struct {
	level slog.Level
	ctx   bool
	call  func(*Logger, context.Context)
}{
	{LevelVerbose, false, func(l *Logger, _ context.Context) { l.Verbose("{N}", 1) }},
	{LevelDebug, false, func(l *Logger, _ context.Context) { l.Debug("{N}", 1) }},
	{LevelInformation, false, func(l *Logger, _ context.Context) { l.Information("{N}", 1) }},
	{LevelWarning, false, func(l *Logger, _ context.Context) { l.Warning("{N}", 1) }},
	{LevelError, false, func(l *Logger, _ context.Context) { l.Error("{N}", 1) }},
	{LevelFatal, false, func(l *Logger, _ context.Context) { l.Fatal("{N}", 1) }},
	{LevelVerbose, true, func(l *Logger, ctx context.Context) { l.VerboseContext(ctx, "{N}", 1) }},
	{LevelDebug, true, func(l *Logger, ctx context.Context) { l.DebugContext(ctx, "{N}", 1) }},
	{LevelInformation, true, func(l *Logger, ctx context.Context) { l.InformationContext(ctx, "{N}", 1) }},
	{LevelWarning, true, func(l *Logger, ctx context.Context) { l.WarningContext(ctx, "{N}", 1) }},
	{LevelError, true, func(l *Logger, ctx context.Context) { l.ErrorContext(ctx, "{N}", 1) }},
	{LevelFatal, true, func(l *Logger, ctx context.Context) { l.FatalContext(ctx, "{N}", 1) }},
	{LevelInformation + 1, true, func(l *Logger, ctx context.Context) { l.Log(ctx, LevelInformation+1, "{N}", 1) }},
}

func TestLoggerCalls(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		type key struct{}
		ctx := context.WithValue(t.Context(), key{}, "mine")
		var none context.Context
		first := 0 // line
		for i, c := range calls {
			h := &seen{least: c.level}
			l := newLogger(t, h, LoggerConfig{Clock: w.Clock()})
			w.Advance(time.Second)
			c.call(l, ctx)
			require.Len(t, h.records, 1)
			r := h.records[0]
			require.Equal(t, c.level, r.Level)
			require.Equal(t, "1", r.Message)
			require.True(t, r.Time.Equal(w.Clock().Now()))
			require.Equal(t, c.ctx, h.ctx.Value(key{}) == "mine")
			frame, _ := runtime.CallersFrames([]uintptr{r.PC}).Next()
			require.True(t, strings.HasSuffix(frame.File, "logger_test.go"), frame.File)
			if i == 0 {
				first = frame.Line
			}
			require.Equal(t, first+i, frame.Line)

			h.least++
			c.call(l, ctx)
			require.Len(t, h.records, 1, "not enabled")
			require.False(t, l.Enabled(ctx, c.level))
			require.True(t, l.Enabled(none, c.level+1))

			c.call(newLogger(t, h, LoggerConfig{NoSource: true}), ctx)
			h.least = LevelVerbose
			c.call(newLogger(t, h, LoggerConfig{NoSource: true}), none)
			require.Zero(t, h.records[1].PC)
			require.NotNil(t, h.ctx)
		}
	})
}

func TestLoggerHooks(t *testing.T) {
	fatal, failed := 0, []error(nil)
	h := &seen{err: errors.New("full")}
	l := newLogger(t, h, LoggerConfig{OnFatal: func() { fatal++ }, OnError: func(err error) { failed = append(failed, err) }})
	require.Equal(t, h, l.Handler())
	l.Information("a")
	require.Equal(t, []error{h.err}, failed)
	require.Zero(t, fatal)

	h.err = nil
	l.Fatal("b")
	l.FatalContext(t.Context(), "c")
	require.Len(t, h.records, 3)
	h.least = LevelFatal + 1
	l.Fatal("d")
	require.Equal(t, 3, fatal)
	l.Log(t.Context(), LevelFatal, "e")
	require.Equal(t, 3, fatal)
	require.Len(t, failed, 1)
}

// The house's own handler gets the template, and texts of what has a format.
func TestLoggerToRecords(t *testing.T) {
	var q taken
	l := newLogger(t, newHandler(t, &q, HandlerConfig{}), LoggerConfig{})
	cart := map[string]int{"boats": 1}
	l.Information("{User} {Price,6:0.0} {Missing:0} {@Cart}{At:l}", "eve", 2.25)
	l.Information("no holes")
	l.Information("{@Cart} {N}", cart, 7)
	cart["boats"] = 99
	require.Len(t, q, 3)

	r := q[0]
	require.Equal(t, "{User} {Price,6:0.0} {Missing:0} {@Cart}{At:l}", r.Template)
	require.Equal(t, `"eve"    2.2 {Missing:0} {@Cart}{At:l}`, r.Message)
	require.Equal(t, []string{"   2.2", "{Missing:0}", "{At:l}"}, r.Renderings())
	require.Equal(t, []slog.Attr{slog.String("User", "eve"), slog.Float64("Price", 2.25)}, r.Attrs())

	require.Equal(t, "no holes", q[1].Template)
	require.Equal(t, "no holes", q[1].Message)
	require.Empty(t, q[1].Renderings())

	require.Equal(t, `{"boats":1} 7`, q[2].Message)
	require.Equal(t, `{"boats":1}`, fmt.Sprint(q[2].Attrs()[0].Value))
}

// From the call to the bytes of CLEF, through a pipeline.
func TestLoggerThroughPipeline(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var out bytes.Buffer
		sink, err := sinks.NewWriter(&out, EncodeCLEF)
		require.NoError(t, err)
		p, err := pipeline.New(sink, pipeline.Config[Record]{Clock: w.Clock()})
		require.NoError(t, err)
		l := newLogger(t, newHandler(t, p, HandlerConfig{}), LoggerConfig{Clock: w.Clock()})
		for i := range 3 {
			l.ForContext(slog.Int("i", i)).Warning("gate {Gate} of {@Dam} at {Level,6:0.00}, {Missing:0}",
				"north", struct{ Gates int }{2}, 3.14159)
		}
		require.NoError(t, p.Close(t.Context()))
		s := p.Stats()
		require.EqualValues(t, 3, s.Delivered)
		require.Equal(t, s.Accepted, s.Delivered)

		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 3)
		for i, line := range lines {
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &got))
			delete(got, "@i")
			at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(got["@t"]))
			require.NoError(t, err)
			require.True(t, at.Equal(w.Clock().Now()))
			delete(got, "@t")
			require.Equal(t, map[string]any{
				"@mt": "gate {Gate} of {@Dam} at {Level,6:0.00}, {Missing:0}",
				"@r":  []any{"  3.14", "{Missing:0}"},
				"@l":  "Warning",
				"i":   float64(i), "Gate": "north", "Dam": map[string]any{"Gates": 2.0}, "Level": 3.14159,
			}, got)
		}

		var failed []error
		newLogger(t, l.Handler(), LoggerConfig{OnError: func(err error) { failed = append(failed, err) }}).Information("late")
		require.Len(t, failed, 1)
	})
}
