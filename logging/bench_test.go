package logging

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// The caller's cost, beside that of slog's handlers which encode and write in
// the call, here to a writer that does nothing.
//
//	go test -run '^$' -bench Caller -count 9 ./logging
func BenchmarkCaller(b *testing.B) {
	ignore := stage.SinkFunc[Record](func(context.Context, []Record) error { return nil })
	encoding := func(b *testing.B) slog.Handler {
		sink, err := sinks.NewWriter(io.Discard, EncodeJSON)
		require.NoError(b, err)
		return piped(b, sink)
	}
	for _, h := range []struct {
		name string
		make func(b *testing.B) slog.Handler
	}{
		{"slog-json", func(*testing.B) slog.Handler { return slog.NewJSONHandler(io.Discard, nil) }},
		{"slog-text", func(*testing.B) slog.Handler { return slog.NewTextHandler(io.Discard, nil) }},
		{"penstock", func(b *testing.B) slog.Handler { return piped(b, ignore) }},
		{"penstock-encoding", encoding},
		{"nothing", func(*testing.B) slog.Handler { return nothing{} }},
	} {
		b.Run(h.name, func(b *testing.B) {
			logger := slog.New(h.make(b))
			d := 1500 * time.Microsecond
			b.ReportAllocs()
			for b.Loop() {
				logger.Info("msg", "int", 1, "string", "s", "dur", d)
			}
		})
	}
}

// piped returns a handler on a pipeline that the benchmark closes, and holds
// against its books.
func piped(b *testing.B, sink stage.Sink[Record]) slog.Handler {
	p, err := pipeline.New(sink, pipeline.Config[Record]{})
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, p.Close(context.Background()))
		s := p.Stats()
		require.Equal(b, s.Accepted, s.Delivered+s.Evicted.Total())
	})
	return newHandler(b, p, HandlerConfig{})
}

// nothing is the floor: what slog itself costs.
type nothing struct{}

func (nothing) Enabled(context.Context, slog.Level) bool  { return true }
func (nothing) Handle(context.Context, slog.Record) error { return nil }
func (n nothing) WithAttrs([]slog.Attr) slog.Handler      { return n }
func (n nothing) WithGroup(string) slog.Handler           { return n }

// Encoding one record, beside slog's handlers.
//
//	go test -run '^$' -bench Encoder -count 9 ./logging
func BenchmarkEncoder(b *testing.B) {
	var q taken
	logger := slog.New(newHandler(b, &q, HandlerConfig{}))
	logger.Info("msg", "int", 1, "string", "s", "dur", 1500*time.Microsecond)
	logger.With("service", "penstock", "pid", 4711).Info("msg", "int", 1, "string", "s", "dur", 1500*time.Microsecond)
	console, err := NewConsoleEncoder(ConsoleConfig{Color: ColorAlways})
	require.NoError(b, err)
	for i, what := range []string{"plain", "with"} {
		r := q[i]
		theirs := slog.NewRecord(r.Time, r.Level, r.Message, 0)
		theirs.AddAttrs(r.Attrs()...)
		for _, h := range []struct {
			name    string
			handler slog.Handler
		}{{"slog-json", slog.NewJSONHandler(io.Discard, nil)}, {"slog-text", slog.NewTextHandler(io.Discard, nil)}} {
			if what == "with" {
				h.handler = h.handler.WithAttrs([]slog.Attr{slog.String("service", "penstock"), slog.Int("pid", 4711)})
			}
			b.Run(what+"/"+h.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_ = h.handler.Handle(context.Background(), theirs)
				}
			})
		}
		for _, e := range []struct {
			name   string
			encode sinks.Encoder[Record]
		}{{"json", EncodeJSON}, {"text", EncodeText}, {"clef", EncodeCLEF}, {"console", console}} {
			b.Run(what+"/"+e.name, func(b *testing.B) {
				var line []byte
				b.ReportAllocs()
				for b.Loop() {
					line, _ = e.encode(line[:0], r)
				}
				require.NotEmpty(b, line)
			})
		}
	}
}

func BenchmarkDisabled(b *testing.B) {
	var q taken
	for _, h := range []struct {
		name    string
		handler slog.Handler
	}{{"slog-json", slog.NewJSONHandler(io.Discard, nil)}, {"penstock", newHandler(b, &q, HandlerConfig{})}} {
		b.Run(h.name, func(b *testing.B) {
			logger := slog.New(h.handler)
			b.ReportAllocs()
			for b.Loop() {
				logger.Debug("msg", "string", "s")
			}
		})
	}
	require.Empty(b, q)
}
