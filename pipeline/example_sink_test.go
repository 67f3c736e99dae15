package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// courier is a sink for a service that takes or refuses each line by itself.
type courier struct {
	post func(ctx context.Context, line string) error
}

func (courier) Name() string { return "courier" }

// Write reports what was refused by its index; all other lines count as
// delivered. A refused line will not be taken later either: Permanent keeps a
// retry from trying.
func (c courier) Write(ctx context.Context, lines []string) error {
	var refused stage.PartialError
	for i, line := range lines {
		if err := c.post(ctx, line); err != nil {
			refused.Failed = append(refused.Failed, i)
			refused.Err = stage.Permanent(err)
		}
	}
	if len(refused.Failed) > 0 {
		return &refused
	}
	return nil
}

// Close is optional, like Flush and Name. It is called once, after the last
// Write.
func (courier) Close() error {
	fmt.Println("courier closed")
	return nil
}

// A sink that can say which events failed should: only those go to the routes
// and to the failure hook.
func Example_sink() {
	c := courier{post: func(_ context.Context, line string) error {
		if line == "" {
			return errors.New("empty line")
		}
		fmt.Println("posted", line)
		return nil
	}}
	p, err := pipeline.New(c, pipeline.Config[string]{
		OnFailure: func(_ context.Context, f stage.Failure[string]) {
			fmt.Printf("%s: %d %s: %v\n", f.Stage, len(f.Events), f.Outcome, f.Err)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"a", "", "c"})
	fmt.Println("enqueue:", err)
	fmt.Println("flush:", p.Flush(context.Background()))
	fmt.Println("close:", p.Close(context.Background()))
	s := p.Stats()
	fmt.Println(s.Accepted, "accepted,", s.Delivered, "delivered,", s.Lost.Failed, "failed")
	// Unordered output:
	// enqueue: <nil>
	// posted a
	// posted c
	// flush: penstock: pipeline courier: 1 event lost
	// courier: 1 lost: 1 events failed: empty line
	// courier closed
	// close: <nil>
	// 3 accepted, 2 delivered, 1 failed
}
