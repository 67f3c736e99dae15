package logging

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/pipeline"
)

func TestNewHandlerRefuses(t *testing.T) {
	var q taken
	var unmade *pipeline.Pipeline[Record] // as of a New whose error nobody looked at
	for says, make := range map[string]func() (*Handler, error){
		"queue = <nil>: must": func() (*Handler, error) { return NewHandler(unmade, HandlerConfig{}) },
		"queue = <nil>: ":     func() (*Handler, error) { return NewHandler((*pipeline.Fan[Record])(nil), HandlerConfig{}) },
		"queue = <nil>":       func() (*Handler, error) { return NewHandler(nil, HandlerConfig{}) },
		"Forms = 4":           func() (*Handler, error) { return NewHandler(&q, HandlerConfig{Forms: FormErrors}) },
		"Forms = 8":           func() (*Handler, error) { return NewHandler(&q, HandlerConfig{Forms: 8}) },
		"Extract[1] = <nil>":  func() (*Handler, error) { return NewHandler(&q, HandlerConfig{Extract: []Extractor{user, nil}}) },
	} {
		_, err := make()
		var bad *pipeline.ConfigError
		require.ErrorAs(t, err, &bad)
		assert.ErrorContains(t, err, says)
	}
}

func TestHandlerAsksForTheLevelAtEachCall(t *testing.T) {
	var q taken
	var level slog.LevelVar
	logger := slog.New(newHandler(t, &q, HandlerConfig{Level: &level}))
	with := logger.With("a", 1).WithGroup("g")
	logger.Debug("no")
	level.Set(slog.LevelDebug)
	logger.Debug("yes")
	with.Debug("yes")
	level.Set(slog.LevelError)
	logger.Warn("no")
	with.Error("yes")
	require.Len(t, q, 3)
	for _, r := range q {
		assert.Equal(t, "yes", r.Message)
	}
}

func TestHandlerStartsAtInfo(t *testing.T) {
	var q taken
	h := newHandler(t, &q, HandlerConfig{})
	assert.True(t, h.Enabled(t.Context(), slog.LevelInfo))
	assert.False(t, h.Enabled(t.Context(), slog.LevelInfo-1))
}

func TestWithLevelChangesTheLevelAlone(t *testing.T) {
	var q taken
	h := newHandler(t, &q, HandlerConfig{Level: slog.LevelError, Redact: []string{"a"}}).WithAttrs([]slog.Attr{slog.Int("a", 1)}).(*Handler)
	lower := h.WithLevel(slog.LevelDebug)
	assert.True(t, lower.Enabled(t.Context(), slog.LevelDebug))
	assert.False(t, h.Enabled(t.Context(), slog.LevelWarn))
	assert.True(t, h.WithLevel(nil).Enabled(t.Context(), slog.LevelInfo))
	assert.False(t, h.WithLevel(nil).Enabled(t.Context(), slog.LevelDebug))

	log, err := NewLogger(h, LoggerConfig{})
	require.NoError(t, err)
	other := log.WithHandler(lower)
	other.Debug("{b}", 2)
	log.Debug("{b}", 3)
	require.Len(t, q, 1)
	assert.Equal(t, []slog.Attr{slog.String("a", Redacted), slog.Int64("b", 2)}, q[0].Tree())
}

type refusing struct{ err error }

func (r refusing) Enqueue(Record) error { return r.err }

func TestHandlerReturnsTheQueuesError(t *testing.T) {
	full := errors.New("full")
	h := newHandler(t, refusing{full}, HandlerConfig{})
	assert.Equal(t, full, h.Handle(t.Context(), slog.Record{}))
	assert.Equal(t, full, h.HandleTemplate(t.Context(), slog.Record{}, "", nil))
}

func TestHandlerWithNothingIsTheSame(t *testing.T) {
	var q taken
	h := newHandler(t, &q, HandlerConfig{})
	assert.Same(t, h, h.WithGroup(""))
	assert.Same(t, h, h.WithAttrs(nil))
	assert.Same(t, h, h.WithAttrs([]slog.Attr{{}, slog.Group("g", slog.Attr{}), slog.Any("v", valuer{slog.GroupValue()})}))
}

func TestHandlersShareNothingTheyAdd(t *testing.T) {
	var q taken
	base := slog.New(newHandler(t, &q, HandlerConfig{})).With("a", 1)
	one, two := base.With("b", 1), base.With("b", 2)
	g, h := base.WithGroup("g").With("c", 1), base.WithGroup("h").With("c", 2)
	for _, l := range []*slog.Logger{base, one, two, g, h} {
		l.Info("m", "z", 0)
	}
	var lines []string
	for line := range strings.Lines(string(q.lines(t, EncodeText))) {
		_, attrs, _ := strings.Cut(line, "msg=m ")
		lines = append(lines, strings.TrimSuffix(attrs, "\n"))
	}
	require.Equal(t, []string{"a=1 z=0", "a=1 b=1 z=0", "a=1 b=2 z=0", "a=1 g.c=1 g.z=0", "a=1 h.c=2 h.z=0"}, lines)
}

type userKey struct{}

func asAda(t *testing.T) context.Context { return context.WithValue(t.Context(), userKey{}, "ada") }

// user is an Extractor.
func user(ctx context.Context, attrs []slog.Attr) []slog.Attr {
	if name, ok := ctx.Value(userKey{}).(string); ok {
		attrs = append(attrs, slog.String("user", name))
	}
	return attrs
}

func TestExtractors(t *testing.T) {
	ctx := asAda(t)
	many := func(_ context.Context, attrs []slog.Attr) []slog.Attr {
		for range inline {
			attrs = append(attrs, slog.Int("n", 1))
		}
		return attrs
	}
	panics := func(context.Context, []slog.Attr) []slog.Attr { panic("boom") }
	forgets := func(context.Context, []slog.Attr) []slog.Attr { return nil }
	empty := func(_ context.Context, attrs []slog.Attr) []slog.Attr { return append(attrs, slog.Attr{}) }
	for _, c := range []struct {
		name    string
		extract []Extractor
		ofCtx   int
		want    string
	}{
		{"none", nil, 0, ""},
		{"outside of groups", []Extractor{user}, 1, "user=ada "},
		{"more than fit", []Extractor{user, many}, 1 + inline, "user=ada n=1 n=1 n=1 n=1 "},
		{"one that panics", []Extractor{panics, user}, 2, `!EXTRACT="!PANIC: boom" user=ada `},
		{"one that forgets", []Extractor{user, forgets}, 1, "user=ada "},
		{"an empty attribute", []Extractor{empty}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := record(t, HandlerConfig{Extract: c.extract}, func(l *slog.Logger) {
				l.With("a", 1).WithGroup("g").With("b", 2).InfoContext(ctx, "m", "z", 3)
			})
			require.Len(t, r.Context(), c.ofCtx)
			require.Equal(t, []slog.Attr{slog.Int("z", 3)}, r.Attrs())
			require.Equal(t, "level=INFO msg=m "+c.want+"a=1 g.b=2 g.z=3", encoded(t, EncodeText, r))
			flat := slog.GroupValue(r.Tree()...).String()
			require.True(t, strings.HasSuffix(flat, "a=1 g=[b=2 z=3]]"), flat)
		})
	}
	line := logged(t, EncodeJSON, HandlerConfig{Extract: []Extractor{user}}, func(l *slog.Logger) {
		l.WithGroup("g").InfoContext(ctx, "m", "z", 3)
	})
	require.Equal(t, `{"level":"INFO","msg":"m","user":"ada","g":{"z":3}}`, line)
}

func TestHandlerKeepsTheSourceOnRequest(t *testing.T) {
	use := func(l *slog.Logger) { l.Info("m") }
	require.Equal(t, `level=INFO msg=m`, logged(t, EncodeText, HandlerConfig{}, use))
	for _, encode := range []func([]byte, Record) ([]byte, error){EncodeText, EncodeJSON, EncodeCLEF} {
		require.Contains(t, logged(t, encode, HandlerConfig{AddSource: true}, use), "handler_test.go")
	}
}

func TestHandleTemplate(t *testing.T) {
	var q taken
	h := newHandler(t, &q, HandlerConfig{}).WithAttrs([]slog.Attr{slog.Int("a", 1)}).(*Handler)
	r := slog.Record{Message: "3.20 m"}
	r.AddAttrs(slog.Float64("Level", 3.2))
	require.NoError(t, h.HandleTemplate(t.Context(), r, "{Level:0.00} m", []string{"3.20"}))
	r.AddAttrs(slog.Int("b", 1), slog.Int("c", 2), slog.Int("d", 3), slog.Int("e", 4), slog.Int("f", 5))
	require.NoError(t, h.HandleTemplate(t.Context(), r, "{Level:0.00} m", []string{"3.20"}))
	require.NoError(t, h.HandleTemplate(t.Context(), slog.Record{}, "none", nil))
	require.Equal(t, `{"@mt":"{Level:0.00} m","@r":["3.20"],"@i":"c6176245","a":1,"Level":3.2}
{"@mt":"{Level:0.00} m","@r":["3.20"],"@i":"c6176245","a":1,"Level":3.2,"b":1,"c":2,"d":3,"e":4,"f":5}
{"@mt":"none","@i":"1d632ba1","a":1}
`, string(q.lines(t, EncodeCLEF)))
}

func TestHandlerAllocatesNothing(t *testing.T) {
	var q counting
	h := newHandler(t, &q, HandlerConfig{})
	r := slog.NewRecord(time.Unix(0, 0), slog.LevelInfo, "m", 0)
	r.AddAttrs(slog.Int("a", 1000), slog.String("b", "x"), slog.Duration("c", time.Hour), slog.Float64("d", 1.5))
	ctx := t.Context()
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = h.Handle(ctx, r) }))
	require.EqualValues(t, 101, q)
}

type counting int

func (c *counting) Enqueue(Record) error {
	*c++
	return nil
}
