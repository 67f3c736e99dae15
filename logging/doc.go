// Package logging puts log/slog in front of a pipeline: records are taken at
// the cost of copying them, and are encoded, batched and written by the
// pipeline's own goroutines.
//
//	sink, err := sinks.NewConsole(os.Stdout, logging.EncodeJSON)
//	...
//	p, err := pipeline.New(sink, pipeline.Config[logging.Record]{})
//	...
//	h, err := logging.NewHandler(p, logging.HandlerConfig{})
//	...
//	logger := slog.New(h)
//	logger.Info("gate open", "level", 3.2)
//	...
//	err = p.Close(ctx)
//
// The parts:
//
//   - [Handler] is a [slog.Handler]. It makes a [Record] of each call and
//     offers it to a [Queue], as a pipeline or a fan.
//   - [Record] is a snapshot: nothing in it can change after the call, whatever
//     the caller does to what it logged.
//   - [EncodeJSON], [EncodeText], [EncodeCLEF] and what [NewConsoleEncoder]
//     returns are encoders for sinks. They run where the sink runs.
//   - [Logger] is a front by message templates for any slog.Handler; see
//     [Template].
//   - [Writer] and [LineWriter] take the lines of other loggers, or any stream,
//     into a pipeline of []byte.
//   - Package logging/setup assembles a whole logger from one configuration.
//   - [LevelName] and [LevelAbbrev] name slog's levels as Serilog does.
//
// Whatever is logged, no method of this package panics, and every line can be
// parsed: values that panic or fail when they are rendered, contain themselves,
// or have no representation appear as text that says so.
package logging
