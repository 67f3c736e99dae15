package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// keyCheck fails the lines that have no key and lets the others pass. It is a
// stage of its own because stage.Map can only fail a whole batch.
type keyCheck struct{}

var errNoKey = errors.New("line has no key")

func (keyCheck) Name() string { return "key check" }

func (c keyCheck) Run(_ context.Context, p stage.Ports[string]) error {
	for b := range p.In { // until the pipeline closes it
		var bad []int
		for i, line := range b.Events { // none, if the batch is empty
			if !strings.Contains(line, "=") {
				bad = append(bad, i)
			}
		}
		if len(bad) > 0 {
			rest, failure := b.Fail(bad, errNoKey)
			failure.Stage = c.Name()
			p.Failed <- failure
			b = rest // b is used up
		}
		p.Out <- b // also when nothing is left in it
	}
	return nil
}

// A stage that does more than compute implements Run: it owns its goroutine,
// its state, and every batch it has received and not sent on.
func Example_stage() {
	sink, dead := &sinks.Memory[string]{}, &sinks.Memory[string]{}
	p, err := pipeline.New(sink, pipeline.Config[string]{
		Stages: []stage.Stage[string]{keyCheck{}},
		Routes: []stage.Route[string]{{To: dead}},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"level=3", "rubbish", "flow=12"})
	fmt.Println(err, p.Close(context.Background()))
	fmt.Printf("delivered: %q\n", sink.Events())
	for _, f := range dead.Failures() {
		fmt.Printf("from the %s: %q, %v\n", f.Stage, f.Events, f.Err)
	}
	// Output:
	// <nil> <nil>
	// delivered: ["level=3" "flow=12"]
	// from the key check: ["rubbish"], line has no key
}
