package setup

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// Output is a place that records go to, with a pipeline of its own. To is
// required; every other zero value is a default.
type Output struct {
	// Name is used in errors and Stats, and must be no other output's; default:
	// that of what To says.
	Name string
	// To is the place.
	To Target

	// Level is the least level that the output takes, asked for at each record;
	// default: whatever the loggers let through.
	Level slog.Leveler
	// Filter keeps records from this output; nil: none.
	Filter Filter

	// ImportantFrom is the level from which records may use the whole queue, and
	// are evicted after all others; default logging.LevelWarning. How much they
	// alone may use is Pipeline.Reserve, a quarter by default.
	ImportantFrom slog.Leveler
	// NoReserve makes all records alike.
	NoReserve bool

	// Timeout, RateLimit, Breaker and Retry are put around the sink, from the
	// inside to the outside in this order. nil: there is none; what it points to
	// may be zero.
	Timeout   *sinks.TimeoutConfig
	RateLimit *sinks.RateLimitConfig
	Breaker   *sinks.BreakerConfig
	Retry     *sinks.RetryConfig

	// Fallback is where records go that To failed to take, and, with
	// Pipeline.SpillSize, those for which the queue has no room; nil: nowhere.
	Fallback *Target
	// DeadLetters is a file of letters with the reasons, for records that the
	// Fallback failed to take, too; nil: they are lost, and counted. Its Encode
	// is by default sinks.LetterEncoder(logging.EncodeJSON).
	DeadLetters *sinks.FileConfig[sinks.Letter[logging.Record]]

	// Pipeline sets up the queue and the batches. Name, Clock and Important must
	// be left alone: they are this package's. SizeOf is by default
	// logging.SizeOf if there is a bound of bytes. Its Routes are tried before
	// Fallback.
	Pipeline pipeline.Config[logging.Record]
}

// config returns what the pipeline is made of, but for sinks and hooks.
func (o *Output) config() pipeline.Config[logging.Record] {
	cfg := o.Pipeline
	if cfg.SizeOf == nil && (cfg.QueueBytes > 0 || cfg.MaxEventBytes > 0 || cfg.BatchBytes > 0) {
		cfg.SizeOf = logging.SizeOf
	}
	if !o.NoReserve {
		from := o.ImportantFrom
		if from == nil {
			from = logging.LevelWarning
		}
		cfg.Important = func(r logging.Record) bool { return r.Level >= from.Level() || r.Template == DropTemplate }
	}
	return cfg
}

// validate checks what can be checked before anything is opened. field is the
// output's.
func (o *Output) validate(field string) error {
	p := &o.Pipeline
	switch {
	case p.Name != "":
		return refuse(field+".Pipeline.Name", p.Name, "must be left to Output.Name")
	case p.Clock != nil:
		return refuse(field+".Pipeline.Clock", fmt.Sprintf("%T", p.Clock), "must be left to Config.Clock")
	case p.Important != nil:
		return refuse(field+".Pipeline.Important", "a function", "must be left to Output.ImportantFrom")
	case o.NoReserve && o.ImportantFrom != nil:
		return refuse(field+".ImportantFrom", o.ImportantFrom, "must be nil with NoReserve")
	case o.NoReserve && p.Reserve != 0:
		return refuse(field+".Pipeline.Reserve", p.Reserve, "must be 0 with NoReserve")
	}
	cfg := o.config()
	if o.Fallback != nil || o.DeadLetters != nil { // which will be routes
		cfg.Routes = append(slices.Clip(cfg.Routes), stage.Route[logging.Record]{To: &sinks.Discard[logging.Record]{}})
	}
	if err := cfg.Validate(); err != nil {
		return within(field+".Pipeline", err)
	}
	if err := o.To.validate(field + ".To"); err != nil {
		return err
	}
	if o.Fallback != nil {
		return o.Fallback.validate(field + ".Fallback")
	}
	return nil
}

// forms are those that the output's encoders need.
func (o *Output) forms() logging.Forms {
	forms := o.To.forms()
	if o.Fallback != nil {
		forms |= o.Fallback.forms()
	}
	if d := o.DeadLetters; d != nil {
		forms |= logging.FormJSON
		if d.Encode != nil {
			forms |= logging.FormText
		}
	}
	if len(o.Pipeline.Routes) > 0 || len(o.Pipeline.Stages) > 0 {
		forms = logging.FormJSON | logging.FormText
	}
	return forms
}
