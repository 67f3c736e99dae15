package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// hungDisk is a sink that ignores its context.
type hungDisk struct{ entered, release chan struct{} }

func (hungDisk) Name() string { return "hung disk" }

func (d hungDisk) Write(context.Context, []string) error {
	close(d.entered)
	<-d.release
	return nil
}

// Close returns when its context ends, whatever the sink does, and says what
// became of the rest: "a" is inside the sink, which may yet write it, "b" never
// got there. A context that has already ended closes at once.
func Example_deadline() {
	disk := hungDisk{entered: make(chan struct{}), release: make(chan struct{})}
	defer close(disk.release)
	p, err := pipeline.New[string](disk, pipeline.Config[string]{BatchSize: 1})
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"a", "b"})
	fmt.Println(err)
	<-disk.entered

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = p.Close(ctx)
	var loss *pipeline.LossError
	if errors.As(err, &loss) {
		fmt.Println(loss.Lost, "lost,", loss.InDoubt, "of them in doubt, stuck:", loss.Stuck)
	}
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, stage.ErrAbandoned))
	fmt.Printf("%+v\n", p.Stats().Lost)
	// Output:
	// <nil>
	// 2 lost, 1 of them in doubt, stuck: [hung disk]
	// true true
	// {Failed:0 Panic:0 Dead:0 Deadline:1 InDoubt:1 Overflow:0}
}
