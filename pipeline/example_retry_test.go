package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// A sink that is down for two attempts, and refuses one event for good: what a
// retry can mend is delivered, the rest goes to a route.
func Example_retry() {
	primary := &sinks.Memory[string]{Fail: func(call int, lines []string) error {
		if call <= 2 {
			return errors.New("connection refused")
		}
		for i, line := range lines {
			if line == "malformed" {
				return &stage.PartialError{Failed: []int{i}, Err: stage.Permanent(errors.New("schema refused"))}
			}
		}
		return nil
	}}
	dead := &sinks.Memory[string]{}

	retry, err := sinks.NewRetry(primary, sinks.RetryConfig{
		Initial:     time.Millisecond,
		MaxAttempts: 5,
		OnRetry: func(_ context.Context, r sinks.Retrying) {
			fmt.Printf("attempt %d with %d events: %v\n", r.Attempts, r.Events, r.Err)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	p, err := pipeline.New(retry, pipeline.Config[string]{
		BatchSize: 3,
		Routes:    []stage.Route[string]{{To: dead}},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"fine", "malformed", "good"})
	fmt.Println(err, p.Flush(context.Background()), p.Close(context.Background()))

	fmt.Println(primary.Events(), "delivered")
	for _, f := range dead.Failures() {
		fmt.Println(f.Events, f.Err)
	}
	// Output:
	// attempt 1 with 3 events: connection refused
	// attempt 2 with 3 events: connection refused
	// <nil> <nil> <nil>
	// [fine good] delivered
	// [malformed] 1 events failed: given up after 3 attempts: 1 events failed: schema refused
}
