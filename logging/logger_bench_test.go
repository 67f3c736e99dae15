package logging

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/stage"
)

// The cost of a call, beside slog's own front on the same handler.
//
//	go test -run '^$' -bench 'Logger|Template' ./logging
func BenchmarkLogger(b *testing.B) {
	d, cart := 1500*time.Microsecond, []string{"boat", "oar"}
	ignore := stage.SinkFunc[Record](func(context.Context, []Record) error { return nil })
	for _, h := range []struct {
		name string
		make func(b *testing.B) slog.Handler
	}{
		{"nothing", func(*testing.B) slog.Handler { return nothing{} }},
		{"slog-json", func(*testing.B) slog.Handler { return slog.NewJSONHandler(io.Discard, nil) }},
		{"penstock", func(b *testing.B) slog.Handler { return piped(b, ignore) }},
	} {
		b.Run("slog/"+h.name, func(b *testing.B) {
			l := slog.New(h.make(b))
			b.ReportAllocs()
			for b.Loop() {
				l.Info("User bought an item", "UserId", 42, "Item", "boat", "Elapsed", d)
			}
		})
		b.Run("plain/"+h.name, func(b *testing.B) {
			l := newLogger(b, h.make(b), LoggerConfig{})
			b.ReportAllocs()
			for b.Loop() {
				l.Information("User {UserId} bought {Item} in {Elapsed}", 42, "boat", d)
			}
		})
		b.Run("rich/"+h.name, func(b *testing.B) {
			l := newLogger(b, h.make(b), LoggerConfig{})
			b.ReportAllocs()
			for b.Loop() {
				l.Information("User {UserId,6} bought {@Cart} for {Price:0.00}", 42, cart, 9.5)
			}
		})
	}
	b.Run("disabled", func(b *testing.B) {
		l := newLogger(b, &seen{least: LevelFatal}, LoggerConfig{})
		b.ReportAllocs()
		for b.Loop() {
			l.Information("User {UserId} bought {Item}", 42, "boat")
		}
	})
}

func BenchmarkTemplate(b *testing.B) {
	const text = "User {UserId} bought {Item} for {Price:0.00} at {Host,10}"
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ParseTemplate(text)
		}
	})
	b.Run("cached", func(b *testing.B) {
		c := newCache(DefaultCacheSize)
		b.ReportAllocs()
		for b.Loop() {
			c.get(text)
		}
		require.Equal(b, 1, c.held())
	})
	args := []any{42, "boat", 9.5, "north"}
	b.Run("append", func(b *testing.B) {
		t, dst := ParseTemplate(text), make([]byte, 0, 256)
		b.ReportAllocs()
		for b.Loop() {
			dst = t.Append(dst[:0], args...)
		}
		require.Equal(b, `User 42 bought "boat" for 9.50 at    "north"`, string(dst))
	})
	b.Run("error", func(b *testing.B) {
		t, dst := ParseTemplate("{Error}"), make([]byte, 0, 256)
		args := []any{errors.New("down")}
		b.ReportAllocs()
		for b.Loop() {
			dst = t.Append(dst[:0], args...)
		}
		require.Equal(b, `"down"`, string(dst))
	})
}

// What must not allocate does not.
func TestTemplateAllocates(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	tmpl, dst := ParseTemplate("{A} {B,10} {C:#,##0.00} {D:HH:mm:ss.fff} {E} {{"), make([]byte, 0, 256)
	args := []any{1, "b", 1234.5, at, time.Second}
	require.Zero(t, testing.AllocsPerRun(100, func() { dst = tmpl.Append(dst[:0], args...) }))
	require.Equal(t, `1        "b" 1,234.50 05:06:07.000 1s {`, string(dst))

	c := newCache(8)
	require.Zero(t, testing.AllocsPerRun(100, func() { c.get("{A}") }))

	off := newLogger(t, &seen{least: LevelFatal}, LoggerConfig{})
	require.Zero(t, testing.AllocsPerRun(100, func() { off.Information("{A} {B}", 1, "b") }))

	// The message is a string of its own; constants are no work.
	on := newLogger(t, nothing{}, LoggerConfig{})
	require.Zero(t, testing.AllocsPerRun(100, func() { on.Information("no holes") }))
	// The race detector makes pools forget.
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { on.Information("{A} {B}", 1, "b") }), 2.0)
}
