package pipeline_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// BenchmarkStatsUnderLoad takes snapshots of a pipeline with one route, while a
// producer keeps it busy; "idle" is the same without the producer.
func BenchmarkStatsUnderLoad(b *testing.B) {
	for _, name := range []string{"idle", "busy"} {
		b.Run(name, func(b *testing.B) {
			p, err := pipeline.New(&sinks.Discard[record]{}, pipeline.Config[record]{
				Routes: []stage.Route[record]{{To: &sinks.Discard[record]{}}},
			})
			if err != nil {
				b.Fatal(err)
			}
			over, ended := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				for i := uint64(0); name == "busy" || i < 10_000; i++ {
					_ = p.Enqueue(record{Seq: i})
					select {
					case <-over:
						return
					default:
					}
				}
			}()
			if name == "idle" {
				<-ended
			}
			b.ReportAllocs()
			for b.Loop() {
				if s := p.Stats(); len(s.Sinks) != 2 {
					b.Fatal(s)
				}
			}
			b.StopTimer()
			close(over)
			<-ended
			if err := p.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
			if s := p.Stats(); s.Sinks[0].Events != s.Delivered || s.Accepted != s.Delivered+s.Evicted.Total() {
				b.Fatalf("%+v", s)
			}
		})
	}
}

func BenchmarkStatsJSON(b *testing.B) {
	p, err := pipeline.New(&sinks.Discard[record]{}, pipeline.Config[record]{})
	if err != nil {
		b.Fatal(err)
	}
	s := p.Stats()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(s); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}
