package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// What the sink fails to take goes to the first route that matches: here what
// can never succeed to a sink for dead letters, everything else to a fallback.
// A sink with a method WriteFailure, as Memory has, gets the cause as well.
func Example_fallback() {
	primary := &sinks.Memory[string]{Fail: func(_ int, lines []string) error {
		switch lines[0] {
		case "malformed":
			return stage.Permanent(errors.New("schema refused"))
		case "unlucky":
			return errors.New("connection reset")
		}
		return nil
	}}
	dead, fallback := &sinks.Memory[string]{}, &sinks.Memory[string]{}

	p, err := pipeline.New(primary, pipeline.Config[string]{
		BatchSize: 1,
		Routes: []stage.Route[string]{
			{Match: stage.IsPermanent, To: dead},
			{To: fallback}, // everything else, and what the first did not take
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"fine", "malformed", "unlucky"})
	fmt.Println(err, p.Close(context.Background()))

	fmt.Printf("primary:  %q\n", primary.Events())
	fmt.Printf("fallback: %q\n", fallback.Events())
	for _, f := range dead.Failures() {
		fmt.Printf("dead:     %q, %v\n", f.Events, f.Err)
	}
	s := p.Stats()
	fmt.Println(s.Delivered, "delivered,", s.Rerouted, "rerouted,", s.Lost.Total(), "lost")
	// Output:
	// <nil> <nil>
	// primary:  ["fine"]
	// fallback: ["unlucky"]
	// dead:     ["malformed"], schema refused
	// 1 delivered, 2 rerouted, 0 lost
}
