package sinks

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
)

const benchLine = "2026-01-02T03:04:05.678Z INFO request served method=GET path=/v1/items status=200 took=1.234ms"

func benchBatch() []string {
	events := make([]string, 512)
	for i := range events {
		events[i] = benchLine
	}
	return events
}

func run(b *testing.B, s stage.Sink[string]) {
	b.Helper()
	ctx, events := context.Background(), benchBatch()
	b.SetBytes(int64(len(events) * (len(benchLine) + 1)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Write(ctx, events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
}

// counter counts bytes.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return io.Discard.Write(p)
}

func BenchmarkWriter(b *testing.B) {
	var to counter
	s, err := NewWriter(&to, line)
	require.NoError(b, err)
	run(b, s)
	require.EqualValues(b, b.N*512*(len(benchLine)+1), to.n)
}

func BenchmarkDiscard(b *testing.B) {
	var s Discard[string]
	run(b, &s)
	require.EqualValues(b, b.N*512, s.Count())
}

func BenchmarkTee(b *testing.B) {
	var x, y Discard[string]
	s, err := Tee[string](&x, &y)
	require.NoError(b, err)
	run(b, s)
	require.EqualValues(b, b.N*512, x.Count())
	require.EqualValues(b, b.N*512, y.Count())
}

func BenchmarkFile(b *testing.B) {
	for name, cfg := range map[string]FileConfig[string]{
		"plain":         {},
		"rotating":      {MaxSize: 64 << 20, MaxBackups: 2},
		"sync/interval": {Sync: SyncInterval, MaxSize: 64 << 20, MaxBackups: 2},
	} {
		b.Run(name, func(b *testing.B) {
			cfg.Path, cfg.Encode = filepath.Join(b.TempDir(), "app.log"), line
			if cfg.MaxSize == 0 { // keep the disk from filling up
				var written int
				cfg.Encode = func(dst []byte, ev string) ([]byte, error) {
					if written++; written%(1<<20) == 0 {
						if err := os.Truncate(cfg.Path, 0); err != nil {
							return dst, err
						}
					}
					return line(dst, ev)
				}
			}
			var encoded int
			encode := cfg.Encode
			cfg.Encode = func(dst []byte, ev string) ([]byte, error) {
				encoded++
				return encode(dst, ev)
			}
			f, err := NewFile(cfg)
			require.NoError(b, err)
			run(b, f)
			require.NoError(b, f.Close())
			require.Equal(b, b.N*512, encoded)
		})
	}
}

// BenchmarkFileAttach is what it costs to find out whether Path still leads to
// the open file.
func BenchmarkFileAttach(b *testing.B) {
	f, err := NewFile(FileConfig[string]{Path: filepath.Join(b.TempDir(), "app.log"), Encode: line})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.attach(); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, f.Close())
}
