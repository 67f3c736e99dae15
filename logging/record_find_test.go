package logging

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFind(t *testing.T) {
	r := record(t, HandlerConfig{Extract: []Extractor{
		func(_ context.Context, attrs []slog.Attr) []slog.Attr {
			return append(attrs, slog.Int("a", 0), slog.Int("id", 9))
		},
	}}, func(l *slog.Logger) {
		l.With("a", 1, "http.method", "GET").WithGroup("g").With("a", 2, "b", 3).WithGroup("h").
			Info("m", "c", 4, "b", 5, slog.Group("x", "y.z", 6, "y", 7), slog.Group("", "open", 8), "c", 10)
	})
	for path, want := range map[string]int64{
		"a": 1, "g.a": 2, "g.b": 3, "g.h.c": 10, "g.h.b": 5, "g.h.x.y.z": 6, "g.h.x.y": 7, "g.h.open": 8, "id": 9,
	} {
		v, ok := r.Find(path)
		require.True(t, ok, path)
		require.Equal(t, want, v.Int64(), path)
	}
	v, ok := r.Find("http.method")
	require.True(t, ok)
	require.Equal(t, "GET", v.String())
	for _, path := range []string{"", "c", "b", "h.c", "g", "g.", "g.h", "g.h.x.q", "g.h.x.y.z.", "gg.a"} {
		_, ok := r.Find(path)
		require.False(t, ok, path)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { r.Find("g.h.x.y.z") }))

	r = record(t, HandlerConfig{}, func(l *slog.Logger) { l.Info("m", "a", 1, "a", 2) })
	v, ok = r.Find("a")
	require.True(t, ok)
	require.Equal(t, int64(2), v.Int64())
}
