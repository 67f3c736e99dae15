package logging

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"sync"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/pipeline"
)

// DefaultCacheSize is the number of parsed templates a [Logger] keeps unless
// told otherwise.
const DefaultCacheSize = 1024

// LoggerConfig sets up a [Logger]. The zero value is a working default.
type LoggerConfig struct {
	// Unquoted renders text in messages without quotes, as if every hole had
	// the format "l".
	Unquoted bool
	// CacheSize is how many parsed templates the logger, and those derived
	// from it, keep at least, up to twice as many; default 1024.
	CacheSize int
	// NoSource leaves out the position of the call in the source, which costs
	// more than the rest of a short call.
	NoSource bool
	// OnFatal is called when Fatal has handed its record to the handler, and
	// also if the level is not enabled. To end the program, close the pipeline
	// and exit here: the logger itself never does.
	OnFatal func()
	// OnError is called with the error of a handler that did not take a
	// record, in the goroutine of the call. slog has nowhere to say it. It must
	// not log to the same handler, which would call it again without end.
	OnError func(error)
	// Clock is what records get their time from; default the system's.
	Clock clock.Clock
}

// Logger logs by message templates in front of a [slog.Handler]:
//
//	log.Information("User {UserId} bought {@Cart} for {Price:0.00}", id, cart, price)
//
// The record has the rendered message, and an attribute for each property of
// the template, in its order; see [Template]. Message and values are made
// at the call, so nothing that happens to the arguments later shows. A handler
// that is a [TemplateHandler] gets the template too.
//
// Nothing is rendered if the handler has not enabled the level. What the
// caller does to pass its arguments remains: Go allocates for most values that
// are passed as any, which [Logger.Enabled] avoids where it matters.
//
// All methods are safe for concurrent use. Make one with [NewLogger].
type Logger struct {
	handler  slog.Handler
	template TemplateHandler // handler, if it is one
	cache    *cache          // shared with derived loggers
	cfg      LoggerConfig
}

// TemplateHandler is a [slog.Handler] that wants to know the template that a
// message was made of. [Handler] is one.
type TemplateHandler interface {
	slog.Handler
	// HandleTemplate is Handle for a record whose message was rendered from
	// template. The first attributes of r are its properties. renderings are
	// the texts, in the message, of the holes that have a format; the handler
	// may keep them, and r as Handle may.
	HandleTemplate(ctx context.Context, r slog.Record, template string, renderings []string) error
}

var _ TemplateHandler = (*Handler)(nil)

// NewLogger returns a logger in front of handler. It returns a
// [*pipeline.ConfigError] if there is none, or if cfg makes no sense.
func NewLogger(handler slog.Handler, cfg LoggerConfig) (*Logger, error) {
	switch {
	case handler == nil:
		return nil, &pipeline.ConfigError{Field: "handler", Value: nil, Reason: "must not be nil"}
	case cfg.CacheSize < 0:
		return nil, &pipeline.ConfigError{Field: "CacheSize", Value: cfg.CacheSize, Reason: "must not be negative"}
	case cfg.CacheSize > maxCacheSize:
		return nil, &pipeline.ConfigError{Field: "CacheSize", Value: cfg.CacheSize, Reason: "must not exceed 1048576"}
	case cfg.CacheSize == 0:
		cfg.CacheSize = DefaultCacheSize
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.New()
	}
	l := Logger{cache: newCache(cfg.CacheSize), cfg: cfg}
	return l.on(handler), nil
}

const maxCacheSize = 1 << 20

// on returns a copy of l in front of handler.
func (l Logger) on(handler slog.Handler) *Logger {
	l.handler = handler
	l.template, _ = handler.(TemplateHandler)
	return &l
}

// Handler returns the handler, for use with slog.New.
func (l *Logger) Handler() slog.Handler { return l.handler }

// WithHandler returns a logger in front of handler, which is not nil. Both go
// on sharing the templates they have parsed, and all else.
func (l *Logger) WithHandler(handler slog.Handler) *Logger { return l.on(handler) }

// Enabled reports whether the handler wants records of this level. A nil ctx
// is the background's.
func (l *Logger) Enabled(ctx context.Context, level slog.Level) bool {
	if ctx == nil {
		ctx = context.Background()
	}
	return l.handler.Enabled(ctx, level)
}

// ForContext returns a logger whose records carry attrs too.
func (l *Logger) ForContext(attrs ...slog.Attr) *Logger {
	if len(attrs) == 0 {
		return l
	}
	return l.on(l.handler.WithAttrs(slices.Clone(attrs)))
}

// log must be called by an exported method, and by nothing in between: the
// position of the call is two frames up.
func (l *Logger) log(ctx context.Context, level slog.Level, template string, args []any) {
	if ctx == nil {
		ctx = context.Background()
	}
	if !l.handler.Enabled(ctx, level) {
		return
	}
	var pc [1]uintptr
	if !l.cfg.NoSource {
		runtime.Callers(3, pc[:]) // Callers, log, the method
	}
	if err := l.handle(ctx, slog.NewRecord(l.cfg.Clock.Now(), level, "", pc[0]), template, args); err != nil && l.cfg.OnError != nil {
		l.cfg.OnError(err)
	}
}

// handle completes r and hands it over.
func (l *Logger) handle(ctx context.Context, r slog.Record, template string, args []any) error {
	t := l.cache.get(template)
	var store [inlineAttrs]slog.Attr
	attrs := t.bind(store[:0], args)
	r.AddAttrs(attrs...)
	if len(t.props) == 0 {
		r.Message = t.message
		if l.template != nil {
			return l.template.HandleTemplate(ctx, r, t.text, nil)
		}
		return l.handler.Handle(ctx, r)
	}
	m := messages.Get().(*message)
	spans := &m.spans
	if l.template == nil {
		spans = nil
	}
	m.text = t.append(m.text[:0], attrs, len(args), l.cfg.Unquoted, spans)
	r.Message = string(m.text)
	var renderings []string
	for i := 0; i < len(m.spans); i += 2 {
		renderings = append(renderings, r.Message[m.spans[i]:m.spans[i+1]])
	}
	m.done()
	if l.template != nil {
		return l.template.HandleTemplate(ctx, r, t.text, renderings)
	}
	return l.handler.Handle(ctx, r)
}

// message is memory to render a message in.
type message struct {
	text  []byte
	spans []int // where the holes with a format are
}

var messages = sync.Pool{New: func() any { return new(message) }}

func (m *message) done() {
	const keep = 16 << 10 // a larger buffer is not kept
	if cap(m.text) <= keep {
		m.spans = m.spans[:0]
		messages.Put(m)
	}
}
