package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"log"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// stamper is a decorator that counts what it adds itself.
type stamper struct {
	next  stage.Sink[string]
	bytes atomic.Uint64
}

func (s *stamper) Write(ctx context.Context, lines []string) error {
	stamped := make([]string, len(lines))
	for i, line := range lines {
		stamped[i] = "[east] " + line
		s.bytes.Add(uint64(len(stamped[i])))
	}
	return s.next.Write(ctx, stamped)
}

// Report does not wait for a Write.
func (s *stamper) Report(r *stage.SinkReport) {
	r.Bytes += s.bytes.Load()
	stage.ReportSink(s.next, r) // and what the sink below counts
}

// Stats tells of each sink how often it was called, how long that took, and
// what it counts itself.
func Example_metrics() {
	disk := &stamper{next: &sinks.Discard[string]{}}
	p, err := pipeline.New(disk, pipeline.Config[string]{Name: "gate log", BatchSize: 2})
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"gate open", "turbine running", "pressure 12 bar"})
	if err := errors.Join(err, p.Flush(context.Background())); err != nil {
		log.Fatal(err)
	}

	s := p.Stats()
	for _, sink := range s.Sinks {
		fmt.Println(sink.Role, sink.Calls, "calls,", sink.Events, "events,", sink.Bytes, "bytes,", sink.Failed, "failed")
		if sink.Latency.P99 > time.Second || sink.Calls > sink.Latency.Count {
			fmt.Println("slow, or hanging")
		}
	}
	fmt.Println("events in a full batch:", s.BatchEvents.Size/s.Batches.Size)
	fmt.Println("close:", p.Close(context.Background()))
	// Output:
	// main 2 calls, 3 events, 60 bytes, 0 failed
	// events in a full batch: 2
	// close: <nil>
}

var pipelines = expvar.NewMap("pipelines")

// A pipeline's Stats are a variable for expvar.
func Example_expvar() {
	p, err := pipeline.New(&sinks.Discard[string]{}, pipeline.Config[string]{Name: "gate log"})
	if err != nil {
		log.Fatal(err)
	}
	pipelines.Set("gate log", p.Var())
	err = p.Enqueue("gate open")
	fmt.Println(errors.Join(err, p.Flush(context.Background())))

	page := httptest.NewRecorder() // stands for GET /debug/vars
	expvar.Handler().ServeHTTP(page, httptest.NewRequest("GET", "/debug/vars", nil))
	var vars struct {
		Pipelines map[string]pipeline.Stats
	}
	fmt.Println(json.Unmarshal(page.Body.Bytes(), &vars))
	s := vars.Pipelines["gate log"]
	fmt.Println(s.Name, s.Delivered, "delivered by", s.Sinks[0].Name)

	err = p.Close(context.Background())
	pipelines.Delete("gate log")
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// gate log 1 delivered by *sinks.Discard[string]
	// <nil>
}
