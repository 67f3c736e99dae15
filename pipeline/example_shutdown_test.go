package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// shutDown closes p within limit and says what could not be delivered. Its
// context is not derived from the one that the signal ended: that one would
// leave no time at all.
func shutDown(p *pipeline.Pipeline[string], limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := p.Close(ctx)
	var loss *pipeline.LossError
	if errors.As(err, &loss) {
		fmt.Println(loss.Lost, "lost,", loss.InDoubt, "of them in doubt, stuck:", loss.Stuck)
	}
	return err
}

// A program that ends on a signal closes its pipelines with a deadline of its
// own. In this example calling stop stands for the signal.
func Example_shutdown() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	sink := &sinks.Memory[string]{}
	p, err := pipeline.New(sink, pipeline.Config[string]{FlushInterval: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Enqueue("queued when the signal came"); err != nil {
		log.Fatal(err)
	}

	stop()
	<-ctx.Done()
	fmt.Println(shutDown(p, 5*time.Second))
	fmt.Printf("%q\n", sink.Events())
	fmt.Println(p.Enqueue("too late"))
	// Output:
	// <nil>
	// ["queued when the signal came"]
	// penstock: pipeline closed
}
