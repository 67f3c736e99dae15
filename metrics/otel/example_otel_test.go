package otel_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	metrics "github.com/penstock-go/penstock/metrics/otel"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// A registration belongs to one pipeline, and is taken back when that is
// closed.
func Example() {
	p, err := pipeline.New(&sinks.Discard[string]{}, pipeline.Config[string]{Name: "gate log"})
	if err != nil {
		log.Fatal(err)
	}
	reader := sdk.NewManualReader() // stands for one that exports at intervals
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	registration, err := metrics.Register(provider.Meter("gates"), p)
	if err != nil {
		log.Fatal(err)
	}

	err = p.Enqueue("gate open")
	fmt.Println(errors.Join(err, p.Flush(context.Background())))

	var data metricdata.ResourceMetrics
	fmt.Println(reader.Collect(context.Background(), &data))
	for _, m := range data.ScopeMetrics[0].Metrics {
		if m.Name == "penstock.events.delivered" {
			fmt.Println(m.Name, m.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
		}
	}

	err = p.Close(context.Background())
	fmt.Println(errors.Join(err, registration.Unregister(), provider.Shutdown(context.Background())))
	// Output:
	// <nil>
	// <nil>
	// penstock.events.delivered 1
	// <nil>
}
