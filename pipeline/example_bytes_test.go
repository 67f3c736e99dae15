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

// QueueBytes bounds the bytes of everything that is not settled yet, what the
// sink is writing included. An event over its own limit is refused; those
// beside it are not.
func Example_bytes() {
	sink := &sinks.Memory[string]{}
	sink.Hold()
	p, err := pipeline.New(sink, pipeline.Config[string]{
		SizeOf:        func(line string) int { return len(line) },
		QueueBytes:    10,
		MaxEventBytes: 6,
		Overflow:      stage.DropNewest,
	})
	if err != nil {
		log.Fatal(err)
	}

	n, err := p.EnqueueAll([]string{"1234", "1234567", "5678", "90ab"})
	fmt.Println(n, "accepted,", p.Stats().Bytes, "bytes held")
	var rejected *pipeline.RejectedError
	if errors.As(err, &rejected) {
		for k, i := range rejected.Indexes {
			fmt.Println(i, rejected.Errs[k])
		}
	}

	sink.Release()
	fmt.Println("flush:", p.Flush(context.Background()))
	fmt.Println(p.Stats().Bytes, "bytes held")
	fmt.Println("close:", p.Close(context.Background()))
	// Output:
	// 2 accepted, 8 bytes held
	// 1 penstock: event too large
	// 3 penstock: queue full
	// flush: <nil>
	// 0 bytes held
	// close: <nil>
}
