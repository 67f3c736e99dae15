package pipeline_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// BenchmarkIdle watches the process for five seconds in which a pipeline that
// has been used has nothing to do. It reports the context switches and the CPU
// time of the whole process; those of the runtime itself are among them.
//
//	go test -run '^$' -bench Idle -benchtime 1x ./pipeline
func BenchmarkIdle(b *testing.B) {
	sink := stage.SinkFunc[record](func(context.Context, []record) error { return nil })
	p, err := pipeline.New[record](sink, pipeline.Config[record]{})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	for range 100_000 {
		if err := p.EnqueueWait(ctx, record{}); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	var switches, cpu float64
	for b.Loop() {
		<-time.After(100 * time.Millisecond) // the last pace has passed
		before := usage(b)
		<-time.After(5 * time.Second)
		after := usage(b)
		switches = float64(after.Nvcsw + after.Nivcsw - before.Nvcsw - before.Nivcsw)
		cpu = float64(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	}
	if s := p.Stats(); s.Delivered != 100_000 {
		b.Fatalf("%+v", s)
	}
	if err := p.Close(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(switches, "switches/5s")
	b.ReportMetric(cpu/1e6, "cpu-ms/5s")
}

func usage(b *testing.B) (r syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return r
}
