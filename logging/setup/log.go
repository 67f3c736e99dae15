package setup

import (
	"context"
	"log/slog"
	"slices"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
)

// Log is a set of loggers and the outputs behind them. Make one with [Open],
// and close it. All methods may be called concurrently.
type Log struct {
	levels    levels
	fan       *fan
	root      *logging.Handler // in front of fan
	templates *logging.Logger
	pipes     *pipeline.Fan[logging.Record]
	clk       clock.Clock
}

// Handler returns a slog.Handler for records of the logger called name, which is
// on them under NameKey. Parts of a name are joined by dots; "" is a logger
// without a name. A handler is good for as long as the Log, and cheap to make.
func (l *Log) Handler(name string) slog.Handler {
	h := l.root.WithLevel(&gate{levels: &l.levels, fan: l.fan, name: name})
	if name == "" {
		return h
	}
	return h.WithAttrs([]slog.Attr{slog.String(NameKey, name)})
}

// Logger returns the logger called name.
func (l *Log) Logger(name string) *slog.Logger { return slog.New(l.Handler(name)) }

// Templates returns the logger called name that takes message templates.
func (l *Log) Templates(name string) *logging.Logger {
	return l.templates.WithHandler(l.Handler(name))
}

// SetLevel changes the least level that is logged, at once and for loggers that
// are in use too: that of the logger called name and those below it, which is
// what Config.Overrides sets, or for "" Config.Level.
func (l *Log) SetLevel(name string, level slog.Level) { l.levels.change(name, level) }

// Level returns the least level that the logger called name logs, whatever
// outputs take.
func (l *Log) Level(name string) slog.Level { return l.levels.set.Load().of(name) }

// Pipelines returns the outputs' pipelines, in the order of Config.Outputs, for
// exporters of metrics. They are closed by Close alone.
func (l *Log) Pipelines() []*pipeline.Pipeline[logging.Record] {
	pipes := make([]*pipeline.Pipeline[logging.Record], 0, len(l.fan.outputs))
	for _, o := range l.fan.outputs {
		pipes = append(pipes, o.pipe)
	}
	return slices.Clip(pipes)
}

// Flush returns when everything logged before the call is settled at all
// outputs and their sinks have flushed, or when ctx ends. It joins the errors of
// the outputs, each as a [*pipeline.OutputError]; see [pipeline.Pipeline.Flush].
func (l *Log) Flush(ctx context.Context) error { return l.pipes.Flush(ctx) }

// Close writes what is left, and closes all outputs at the same time. It
// returns by the end of ctx; an error names each output that lost something or
// was stuck, as a [*pipeline.OutputError] around what [pipeline.Pipeline.Close]
// says. Later calls return the same. Records that are logged after it are
// refused, and counted as rejected.closed of each output.
func (l *Log) Close(ctx context.Context) error {
	for _, o := range l.fan.outputs {
		if o.summary != nil {
			o.summary.close()
		}
	}
	return l.pipes.Close(ctx)
}
