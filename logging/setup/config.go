package setup

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
)

// DefaultDropSummary is the least time between two summaries of an output's
// drops unless told otherwise.
const DefaultDropSummary = 5 * time.Second

// Config sets up a [Log]. Outputs is required; every other zero value is a
// default. [Open] refuses what makes no sense with an error that names the field
// and the value.
type Config struct {
	// Level is the least level that is logged; default slog.LevelInfo, which is
	// logging.LevelInformation. Log.SetLevel changes it.
	Level slog.Level
	// Overrides are the levels of loggers by their names, in place of Level. One
	// for "mill" is for "mill.gate" too, unless there is one for that.
	Overrides map[string]slog.Level

	// Outputs are where records go: each gets all that its level and its filter
	// let through.
	Outputs []Output

	// Filter keeps records from all outputs; nil: none.
	Filter Filter
	// Attrs stand on every record, before those of the logger.
	Attrs []slog.Attr
	// Host adds the machine's name to them, under HostKey.
	Host bool
	// PID adds the process's number to them, under PIDKey.
	PID bool
	// Extract takes attributes from the context of each call, or makes others
	// for it; see [logging.HandlerConfig].
	Extract []logging.Extractor
	// Redact names attributes, and members of what is logged as one value, whose
	// values no output sees; see
	// [logging.HandlerConfig].
	Redact []string
	// Source keeps the position of each call in the source.
	Source bool

	// Templates is for Log.Templates. NoSource is set unless Source is, and
	// Clock is Config.Clock's unless it is set.
	Templates logging.LoggerConfig

	// DropSummary is the least time between two summaries of the records that an
	// output has dropped; default 5 s, negative: there are none. A summary is a
	// record of the same output; see [DropTemplate].
	DropSummary time.Duration

	// Clock is what all waiting goes by; default the system's. The time of a
	// record that comes from a slog.Logger is the system's always.
	Clock clock.Clock
}

// The keys of the attributes that a Log adds.
const (
	NameKey = "logger" // the name of a logger that has one
	HostKey = "host"   // with Config.Host
	PIDKey  = "pid"    // with Config.PID
)

// withDefaults returns a copy of c with zero values replaced.
func (c Config) withDefaults() Config {
	if c.DropSummary == 0 {
		c.DropSummary = DefaultDropSummary
	}
	if c.Templates.Clock == nil {
		c.Templates.Clock = c.Clock
	}
	c.Templates.NoSource = !c.Source
	return c
}

// validate checks what concerns no single output.
func (c *Config) validate() error {
	if len(c.Outputs) == 0 {
		return refuse("Outputs", "[]", "must not be empty")
	}
	for name := range c.Overrides {
		if !isName(name) {
			return refuse("Overrides", fmt.Sprintf("%q", name), "must be names, joined by dots")
		}
	}
	return nil
}

// isName reports whether name has no empty part between its dots.
func isName(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if part == "" {
			return false
		}
	}
	return true
}

func refuse(field string, value any, reason string) error {
	return &pipeline.ConfigError{Field: field, Value: value, Reason: reason}
}

// within names the field that err, of a constructor, is about.
func within(field string, err error) error {
	var c *pipeline.ConfigError
	if errors.As(err, &c) {
		return refuse(field+"."+c.Field, c.Value, c.Reason)
	}
	if err != nil {
		return &fieldError{field, err}
	}
	return nil
}

// fieldError is what went wrong with a field where it is no matter of its value
// alone.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string {
	return "penstock: " + e.field + ": " + strings.TrimPrefix(e.err.Error(), "penstock: ")
}

func (e *fieldError) Unwrap() error { return e.err }
