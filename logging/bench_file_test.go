package logging

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// patient is a queue whose callers wait for room, so that nothing is dropped.
type patient struct{ *pipeline.Pipeline[Record] }

func (p patient) Enqueue(r Record) error { return p.EnqueueWait(context.Background(), r) }

// Four goroutines log to one file as JSON and nothing is lost, until the last
// line is in the file: through a pipeline and by slog's handler, in turn.
//
//	go test -run '^$' -bench ToFile -benchtime 9x ./logging
func BenchmarkToFile(b *testing.B) {
	const producers, each = 4, 50_000
	path := filepath.Join(b.TempDir(), "app.log")
	write := func(open func() (slog.Handler, func() error)) time.Duration {
		_ = os.Remove(path)
		h, end := open()
		begun := time.Now()
		var wg sync.WaitGroup
		for range producers {
			wg.Go(func() {
				logger := slog.New(h)
				for i := range each {
					logger.Info("msg", "int", i, "string", "s", "dur", 1500*time.Microsecond)
				}
			})
		}
		wg.Wait()
		require.NoError(b, end())
		took := time.Since(begun)
		text, err := os.ReadFile(path)
		require.NoError(b, err)
		require.Equal(b, producers*each, bytes.Count(text, []byte{'\n'}))
		return took
	}
	ours := func() time.Duration {
		return write(func() (slog.Handler, func() error) {
			file, err := sinks.NewFile(sinks.FileConfig[Record]{Path: path, Encode: EncodeJSON})
			require.NoError(b, err)
			p, err := pipeline.New(file, pipeline.Config[Record]{})
			require.NoError(b, err)
			return newHandler(b, patient{p}, HandlerConfig{}), func() error { return p.Close(context.Background()) }
		})
	}
	theirs := func() time.Duration {
		return write(func() (slog.Handler, func() error) {
			file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
			require.NoError(b, err)
			return slog.NewJSONHandler(file, nil), file.Close
		})
	}
	var us, them, ratios []float64
	for i := 0; b.Loop(); i++ {
		var u, s time.Duration
		if i%2 == 0 {
			u, s = ours(), theirs()
		} else {
			s, u = theirs(), ours()
		}
		us, them, ratios = append(us, float64(u)), append(them, float64(s)), append(ratios, float64(s)/float64(u))
	}
	const n = producers * each
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle(us)/n, "ns/record")
	b.ReportMetric(middle(them)/n, "slog-ns/record")
	b.ReportMetric(middle(ratios), "times-slog")
}

func middle(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// Four callers log 20,000 records a second between them while the disk hangs
// for a second. It reports what single calls take, the clock's reading
// included; the records that the queue has no room for are counted.
//
//	go test -run '^$' -bench StalledDisk -benchtime 3x ./logging
func BenchmarkStalledDisk(b *testing.B) {
	const producers, each, every = 4, 50, 10 * time.Millisecond
	var p50, p999, most []float64
	for b.Loop() {
		file, err := sinks.NewFile(sinks.FileConfig[Record]{Path: filepath.Join(b.TempDir(), "app.log"), Encode: EncodeJSON})
		require.NoError(b, err)
		stalled := make(chan struct{})
		disk := stage.SinkFunc[Record](func(ctx context.Context, records []Record) error {
			<-stalled
			return file.Write(ctx, records)
		})
		p, err := pipeline.New(disk, pipeline.Config[Record]{})
		require.NoError(b, err)
		h := newHandler(b, p, HandlerConfig{})
		took := make([][]float64, producers)
		over := time.After(time.Second)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for k := range producers {
			wg.Go(func() {
				logger, beat := slog.New(h), time.NewTicker(every)
				defer beat.Stop()
				for {
					select {
					case <-stop:
						return
					case <-beat.C:
					}
					for i := range each {
						begun := time.Now()
						logger.Info("msg", "int", i, "string", "s", "dur", 1500*time.Microsecond)
						took[k] = append(took[k], float64(time.Since(begun)))
					}
				}
			})
		}
		<-over
		close(stop)
		wg.Wait()
		s := p.Stats()
		close(stalled)
		require.NoError(b, p.Close(context.Background()))
		require.NoError(b, file.Close())
		all := slices.Concat(took...)
		require.EqualValues(b, len(all), s.Accepted)
		require.Zero(b, s.Delivered, "the disk did not hang")
		slices.Sort(all)
		p50 = append(p50, all[len(all)/2])
		p999 = append(p999, all[len(all)-len(all)/1000-1])
		most = append(most, all[len(all)-1])
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle(p50), "p50-ns")
	b.ReportMetric(middle(p999), "p99.9-ns")
	b.ReportMetric(middle(most), "max-ns")
}
