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

// A sink that is down is asked twice and then left alone. Meanwhile the
// fallback gets the events, without delay.
func Example_breaker() {
	primary := &sinks.Memory[string]{Fail: func(int, []string) error { return errors.New("connection refused") }}
	fallback := &sinks.Memory[string]{}

	breaker, err := sinks.NewBreaker(primary, sinks.BreakerConfig{
		Failures: 2,
		CoolDown: time.Minute,
		OnStateChange: func(_ context.Context, c sinks.BreakerChange) {
			fmt.Println(c.From, "to", c.To)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	p, err := pipeline.New(breaker, pipeline.Config[string]{
		BatchSize: 1,
		Routes:    []stage.Route[string]{{To: fallback}},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"one", "two", "three", "four"})
	fmt.Println(err, p.Close(context.Background()))

	fmt.Println(primary.Calls(), "calls of the primary")
	for _, f := range fallback.Failures() {
		fmt.Println(f.Events, errors.Is(f.Err, sinks.ErrOpen))
	}
	// Output:
	// closed to open
	// <nil> <nil>
	// 2 calls of the primary
	// [one] false
	// [two] false
	// [three] true
	// [four] true
}
