package setup_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/logging/setup"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// A console for people, and a file for machines. What the file does not take
// goes to a file of dead letters.
func Example() {
	dir, err := os.MkdirTemp("", "mill")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	log, err := setup.Open(setup.Config{
		Level:     slog.LevelInfo,
		Overrides: map[string]slog.Level{"mill.gate": slog.LevelDebug},
		Outputs: []setup.Output{
			{
				To:    setup.Target{Console: os.Stdout, Style: logging.ConsoleConfig{Color: logging.ColorNever, TimeFormat: "-"}},
				Level: slog.LevelWarn,
			},
			{
				Name:        "file",
				To:          setup.Target{File: &sinks.FileConfig[logging.Record]{Path: filepath.Join(dir, "mill.log"), MaxSize: 64 << 20}},
				Retry:       &sinks.RetryConfig{MaxAttempts: 3},
				DeadLetters: &sinks.FileConfig[sinks.Letter[logging.Record]]{Path: filepath.Join(dir, "dead.json")},
			},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	log.Logger("mill.gate").Debug("moving", "meters", 3.2)
	log.Logger("mill").Debug("nobody sees this")
	log.Templates("mill").Warning("Level {Level:0.0} above {Limit}", 3.5, 3)
	if err := log.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, o := range log.Stats().Outputs {
		fmt.Println(o.Pipeline.Delivered, "delivered,", o.Below, "below the level")
	}
	// Output:
	// - WRN Level 3.5 above 3 logger=mill Level=3.5 Limit=3
	// 1 delivered, 1 below the level
	// 2 delivered, 0 below the level
}

// held is a sink that takes nothing until it is released.
type held struct{ entered, release chan struct{} }

func (held) Name() string { return "held" }

func (h held) Write(context.Context, []logging.Record) error {
	select {
	case h.entered <- struct{}{}:
	default:
	}
	<-h.release
	return nil
}

// Each output has a queue of its own. One that stalls fills it, and then drops
// its oldest records; the other notices nothing.
func Example_isolated() {
	stalled := held{entered: make(chan struct{}, 1), release: make(chan struct{})}
	fine := &sinks.Memory[logging.Record]{}
	log, err := setup.Open(setup.Config{
		Outputs: []setup.Output{
			{Name: "stalled", To: setup.Target{Sink: stalled}, Pipeline: pipeline.Config[logging.Record]{QueueSize: 64, BatchSize: 1}},
			{Name: "fine", To: setup.Target{Sink: fine}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	logger := log.Logger("")
	logger.Info("0")
	<-stalled.entered
	for i := range 999 {
		logger.Info(fmt.Sprint(i + 1))
	}
	fmt.Println(log.Pipelines()[1].Flush(context.Background()), len(fine.Events()), "at the one that is fine")
	close(stalled.release)
	fmt.Println(log.Close(context.Background()), log.Stats().Outputs[0].Pipeline.Evicted.Total() > 0)
	// Output:
	// <nil> 1000 at the one that is fine
	// <nil> true
}

// No output sees the value of an attribute that is redacted, nor does a message
// that was made with it.
func Example_redaction() {
	log, err := setup.Open(setup.Config{
		Redact: []string{"password", "token"},
		Outputs: []setup.Output{
			{To: setup.Target{Console: os.Stdout, Style: logging.ConsoleConfig{Color: logging.ColorNever, TimeFormat: "-"}}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	log.Logger("").With("token", "s3cret").Info("log in", slog.Group("form", "user", "ada", "Password", "hunter2"))
	log.Templates("").Information("{User} has the password {Password}", "ada", "hunter2")
	if err := log.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// - INF log in token=[redacted] form.user=ada form.Password=[redacted]
	// - INF "ada" has the password "[redacted]" User=ada Password=[redacted]
}

// An output that has dropped records says so in a record of its own: here the
// last one, at Close.
func Example_dropSummary() {
	first := true
	stalled, resume := make(chan struct{}), make(chan struct{})
	sink := stage.SinkFunc[logging.Record](func(_ context.Context, records []logging.Record) error {
		if first {
			first = false
			close(stalled)
			<-resume
		}
		for _, r := range records {
			if r.Template == setup.DropTemplate {
				n, _ := r.Find("reasons.count")
				fmt.Println(r.Level, r.Message != "", n.Uint64() > 0)
			}
		}
		return nil
	})
	log, err := setup.Open(setup.Config{
		Outputs: []setup.Output{{To: setup.Target{Sink: sink}, Pipeline: pipeline.Config[logging.Record]{QueueSize: 64, BatchSize: 1}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	log.Logger("").Info("first")
	<-stalled
	for range 1000 {
		log.Logger("").Info("tick")
	}
	close(resume)
	fmt.Println(log.Close(context.Background()))
	// Output:
	// WARN true true
	// <nil>
}
