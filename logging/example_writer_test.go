package logging_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// Lines of another logger, here the standard library's, through a pipeline.
// Buffers go round between the writer and the sink, so that no line is
// allocated.
func ExampleWriter() {
	sink, err := sinks.NewConsole(os.Stdout, logging.AppendLine)
	if err != nil {
		fmt.Println(err)
		return
	}
	var buffers logging.Buffers
	recycled, err := buffers.Recycle(sink)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := pipeline.New(recycled, pipeline.Config[[]byte]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := logging.NewWriter(p, logging.WriterConfig{Buffers: &buffers})
	if err != nil {
		fmt.Println(err)
		return
	}
	logger := log.New(w, "", 0)
	logger.Print("gate open")
	logger.Print("turbine running")
	fmt.Println(w.Sync(), p.Close(context.Background()))
	// Output:
	// gate open
	// turbine running
	// <nil> <nil>
}

// A LineWriter makes events of a stream, as a child process writes it.
func ExampleLineWriter() {
	sink, err := sinks.NewConsole(os.Stdout, logging.AppendLine)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := pipeline.New(sink, pipeline.Config[[]byte]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := logging.NewWriter(p, logging.WriterConfig{Wait: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	lines, err := logging.NewLineWriter(w)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(lines, "one\ntw")
	fmt.Fprint(lines, "o\nno end")
	fmt.Println(lines.Close(), p.Close(context.Background()), p.Stats().Delivered)
	// Output:
	// one
	// two
	// no end
	// <nil> <nil> 3
}
