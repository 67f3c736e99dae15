// Package setup assembles a whole logger from one [Config]: named loggers with
// levels that change at run time, filters, redaction, and any number of outputs,
// each a pipeline of its own, so that one that stalls holds up no other.
//
//	log, err := setup.Open(setup.Config{
//		Outputs: []setup.Output{
//			{To: setup.Target{Console: os.Stderr}, Level: slog.LevelWarn},
//			{To: setup.Target{File: &sinks.FileConfig[logging.Record]{Path: "app.log"}}},
//		},
//	})
//	...
//	log.Logger("mill.gate").Info("open", "meters", 3.2)
//	...
//	err = log.Close(ctx)
//
// [ReadConfig] reads a Config from JSON. What stands between a call and a queue
// runs in the caller's goroutine, in this order: the level of the logger;
// extractors and redaction; Config.Filter; and for each output its level, its
// filter, and its queue.
package setup
