package pipeline_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// Map makes a stage of a function from a batch to what is left of it. This one
// drops debug lines and hides passwords, in the batch's own slice.
func Example_map() {
	scrub := stage.Map("scrub", func(_ context.Context, lines []string) ([]string, error) {
		kept := lines[:0]
		for _, line := range lines {
			if !strings.HasPrefix(line, "DEBUG ") {
				kept = append(kept, strings.ReplaceAll(line, "hunter2", "***"))
			}
		}
		return kept, nil
	})

	sink := &sinks.Memory[string]{}
	p, err := pipeline.New(sink, pipeline.Config[string]{Stages: []stage.Stage[string]{scrub}})
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"INFO login hunter2", "DEBUG tick", "INFO logout"})
	fmt.Println(err, p.Close(context.Background()))
	fmt.Printf("%q\n", sink.Events())
	fmt.Println("filtered:", p.Stats().Filtered)
	// Output:
	// <nil> <nil>
	// ["INFO login ***" "INFO logout"]
	// filtered: 1
}
