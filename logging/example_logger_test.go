package logging_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// A logger in front of a pipeline. Closing the pipeline writes what is left.
func Example() {
	sink, err := sinks.NewConsole(os.Stdout, logging.EncodeJSON)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := pipeline.New(sink, pipeline.Config[logging.Record]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := logging.NewHandler(p, logging.HandlerConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	logger := slog.New(untimed{h})
	logger.Info("gate open", "meters", 3.2)
	logger.With("turbine", 2).WithGroup("bearing").Error("too hot", "celsius", 81, "err", errors.New("no oil"))
	if err := p.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"level":"INFO","msg":"gate open","meters":3.2}
	// {"level":"ERROR","msg":"too hot","turbine":2,"bearing":{"celsius":81,"err":"no oil"}}
}
