package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// withLetters is a pipeline whose failed lines become dead letters in a file.
func withLetters(db stage.Sink[string], path string) (*pipeline.Pipeline[string], error) {
	file, err := sinks.NewFile(sinks.FileConfig[sinks.Letter[string]]{
		Path:   path,
		Encode: sinks.LetterEncoder(sinks.EncodeText[string]),
		Sync:   sinks.SyncBatch, // an event counts as rerouted when its letter is durable
	})
	if err != nil {
		return nil, err
	}
	letters, err := sinks.DeadLetters(file)
	if err != nil {
		return nil, err
	}
	return pipeline.New(db, pipeline.Config[string]{
		Routes: []stage.Route[string]{{To: letters}},
	})
}

// What the sink refuses is kept in a file of dead letters, with the reasons.
// When the cause is mended, the events are read back and sent again.
func Example_deadLetters() {
	dir, err := os.MkdirTemp("", "penstock")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "dead.jsonl")

	db := &sinks.Memory[string]{Fail: func(int, []string) error {
		return &stage.PartialError{Failed: []int{1}, Err: errors.New("disk full")}
	}}
	p, err := withLetters(db, path)
	if err != nil {
		log.Fatal(err)
	}
	_, err = p.EnqueueAll([]string{"gate open", "turbine running"})
	fmt.Println(err, p.Close(context.Background()), p.Stats().Delivered, "delivered,", p.Stats().Rerouted, "rerouted")

	// Another run, perhaps by hand, days later.
	mended := &sinks.Memory[string]{}
	p, err = withLetters(mended, filepath.Join(dir, "dead-again.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	reader := sinks.LetterReader[string]{Decode: sinks.DecodeText[string]}
	for letter, err := range reader.Read(file) {
		if err != nil {
			fmt.Println(err) // names the line; the next one may be good
			continue
		}
		fmt.Println(letter.Event, letter.Causes, letter.Attempts)
		if err := p.EnqueueWait(ctx, letter.Event); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(p.Close(ctx), mended.Events())
	// Output:
	// <nil> <nil> 1 delivered, 1 rerouted
	// turbine running [disk full] 1
	// <nil> [turbine running]
}
