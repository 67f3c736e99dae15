package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	metrics "github.com/penstock-go/penstock/metrics/prometheus"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// A collector belongs to one pipeline, and is unregistered when that is closed.
func Example() {
	p, err := pipeline.New(&sinks.Discard[string]{}, pipeline.Config[string]{Name: "gate log"})
	if err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	collector, err := metrics.NewCollector(p)
	if err == nil {
		err = registry.Register(collector)
	}
	if err != nil {
		log.Fatal(err)
	}
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{}) // for http.Handle("/metrics", handler)

	err = p.Enqueue("gate open")
	fmt.Println(errors.Join(err, p.Flush(context.Background())))

	page := httptest.NewRecorder() // stands for a scrape
	handler.ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range strings.Split(page.Body.String(), "\n") {
		if strings.HasPrefix(line, "penstock_events_delivered_total") || strings.HasPrefix(line, "penstock_sink_latency_seconds_count") {
			fmt.Println(line)
		}
	}

	err = p.Close(context.Background())
	registry.Unregister(collector)
	fmt.Println(err)
	// Output:
	// <nil>
	// penstock_events_delivered_total{pipeline="gate log"} 1
	// penstock_sink_latency_seconds_count{pipeline="gate log",role="main",sink="*sinks.Discard[string]"} 1
	// <nil>
}
