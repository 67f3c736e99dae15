package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// A sink is one function, a pipeline is one call, and Close delivers what is
// still queued. A program of your own gives Close a deadline: see the example
// Shutdown.
func Example() {
	sink := stage.SinkFunc[string](func(_ context.Context, lines []string) error {
		_, err := fmt.Println(strings.Join(lines, "\n"))
		return err
	})
	p, err := pipeline.New(sink, pipeline.Config[string]{})
	if err == nil {
		err = errors.Join(p.Enqueue("gate open"), p.Enqueue("turbine running"), p.Close(context.Background()))
	}
	fmt.Println(err)
	// Output:
	// gate open
	// turbine running
	// <nil>
}
