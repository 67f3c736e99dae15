package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// A Fan offers each event to several pipelines. Each has its own queue, books
// and fate, so that one that stalls holds up no other.
func Example_fan() {
	disk, network := &sinks.Memory[string]{}, &sinks.Memory[string]{}
	network.Hold() // a destination that hangs

	a, errA := pipeline.New(disk, pipeline.Config[string]{Name: "disk"})
	b, errB := pipeline.New(network, pipeline.Config[string]{Name: "network"})
	if err := errors.Join(errA, errB); err != nil {
		log.Fatal(err)
	}
	fan, err := pipeline.NewFan(a, b)
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range []string{"one", "two", "three"} {
		if err := fan.Enqueue(line); err != nil {
			log.Fatal(err)
		}
	}

	fmt.Println("flush of the disk:", a.Flush(context.Background()))
	for _, s := range fan.Stats() {
		fmt.Println(s.Name, s.Delivered, "delivered,", s.Buffered, "buffered")
	}

	network.Release()
	fmt.Println("close:", fan.Close(context.Background()))
	fmt.Printf("%q %q\n", disk.Events(), network.Events())
	// Output:
	// flush of the disk: <nil>
	// disk 3 delivered, 0 buffered
	// network 0 delivered, 3 buffered
	// close: <nil>
	// ["one" "two" "three"] ["one" "two" "three"]
}
