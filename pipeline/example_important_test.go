package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

type entry struct {
	level, text string
}

// A flood of debug records leaves the error record where it is. The sink is
// held up in this example, so that the queue overflows.
func ExampleConfig_important() {
	cfg := pipeline.Config[entry]{
		QueueSize: 4,
		BatchSize: 2,
		Important: func(e entry) bool { return e.level == "error" },
	}
	stalled, resume := make(chan struct{}), make(chan struct{})
	first := true
	sink := stage.SinkFunc[entry](func(_ context.Context, entries []entry) error {
		if first {
			first = false
			close(stalled)
			<-resume
		}
		for _, e := range entries {
			if e.level == "error" {
				fmt.Println(e.text)
			}
		}
		return nil
	})
	p, err := pipeline.New(sink, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = p.EnqueueAll([]entry{{"debug", "begin"}, {"debug", "begin"}})
	<-stalled
	_ = p.Enqueue(entry{"error", "disk full"})
	for range 1000 {
		_ = p.Enqueue(entry{"debug", "tick"})
	}
	close(resume)
	_ = p.Close(context.Background())
	s := p.Stats()
	fmt.Println(s.Evicted.Total() > 0, s.Evicted.Important)
	// Output:
	// disk full
	// true 0
}
