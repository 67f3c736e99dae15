package pipeline_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// While the sink stalls, what the queue has no room for goes aside. Here that
// is a sink in memory; a file is more like it.
func ExampleConfig_spill() {
	stalled, resume := make(chan struct{}), make(chan struct{})
	slow := stage.SinkFunc[int](func(_ context.Context, ids []int) error {
		if ids[0] == 1 {
			close(stalled)
			<-resume
		}
		return nil
	})
	var aside sinks.Memory[int]
	p, err := pipeline.New(slow, pipeline.Config[int]{
		QueueSize: 10,
		BatchSize: 1,
		SpillSize: 1000,
		Routes: []stage.Route[int]{
			{Match: func(err error) bool { return errors.Is(err, stage.ErrOverflow) }, To: &aside},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = p.Enqueue(1)
	<-stalled
	for id := 2; id <= 500; id++ {
		_ = p.Enqueue(id)
	}
	close(resume)
	fmt.Println(p.Close(context.Background()))
	s := p.Stats()
	fmt.Println(s.Delivered+s.Rerouted, "of", s.Accepted, "kept,", s.Evicted.Total(), "evicted")
	fmt.Println(int(s.Rerouted) == len(aside.Events()), s.Rerouted == s.Spilled)
	// Output:
	// <nil>
	// 500 of 500 kept, 0 evicted
	// true true
}
