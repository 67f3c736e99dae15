package logging_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// The level can change while the program runs, for all loggers of a handler.
func Example_level() {
	encode, err := logging.NewConsoleEncoder(logging.ConsoleConfig{Color: logging.ColorNever, TimeFormat: "-"})
	if err != nil {
		fmt.Println(err)
		return
	}
	sink, err := sinks.NewConsole(os.Stdout, encode)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := pipeline.New(sink, pipeline.Config[logging.Record]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var level slog.LevelVar // slog.LevelInfo
	h, err := logging.NewHandler(p, logging.HandlerConfig{Level: &level})
	if err != nil {
		fmt.Println(err)
		return
	}
	logger := slog.New(h)
	logger.Debug("not written")
	level.Set(slog.LevelDebug)
	logger.Debug("written", "sluice", "north gate")
	if err := p.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// - DBG written sluice="north gate"
}
