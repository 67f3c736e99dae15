package logging

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/penstock-go/penstock/pipeline"
)

// Queue takes records and does not block. A *pipeline.Pipeline[Record] is one,
// and so is a *pipeline.Fan[Record].
type Queue interface {
	Enqueue(Record) error
}

// HandlerConfig sets up a [Handler]. The zero value is a working default.
type HandlerConfig struct {
	// Level is the least level that is logged, asked for at each call, so a
	// [slog.LevelVar] changes it at run time; default slog.LevelInfo.
	Level slog.Leveler
	// AddSource keeps the position of the call in the source, and encoders
	// then write it. It is looked up where the record is encoded.
	AddSource bool
	// Extract takes attributes from the context of each call, as an id of the
	// trace. They stand outside of the logger's groups.
	Extract []Extractor
	// Redact names attributes whose values nobody is to see, in upper or lower
	// case, in groups at any depth, in what With adds and extractors find: their
	// value is [Redacted], and a message made of a template with such a hole is
	// rendered anew. The name of a group hides all that is in it. Methods of such
	// values are not called.
	//
	// Members of structs and maps are redacted too, by the names that their JSON
	// has; in the text of one that has a secret, its JSON stands in place of what
	// package fmt would print. Words in a text have no names: neither those of a
	// message that comes without its template, nor what an Error or a String says.
	Redact []string
	// Forms says in which forms values of no basic kind are rendered at the
	// call; default FormJSON and FormText.
	Forms Forms
}

// Extractor appends attributes to attrs for what it finds in ctx, and returns
// the extended slice. It runs in the caller's goroutine at every record, and
// concurrently; it does not retain attrs, and does not log, which would call it
// again. If it panics, an attribute says so.
type Extractor func(ctx context.Context, attrs []slog.Attr) []slog.Attr

// Handler is a [slog.Handler] that offers a [Record] of each call to a queue.
// It renders nothing but values that could change later, and never waits. All
// methods may be called concurrently.
//
// Closing the pipeline is its owner's: a handler may be used until then, and
// after it every call returns the pipeline's error.
type Handler struct {
	queue Queue
	pipe  *pipeline.Pipeline[Record] // queue, if it is one
	cfg   HandlerConfig
	scope *scope

	templates *cache // to render messages anew; nil: nothing is redacted
	secret    bool   // a group that is open has a name to be redacted
}

// NewHandler returns a handler in front of queue. It returns a
// [*pipeline.ConfigError] if the queue or an extractor is nil, or a
// name to redact is empty.
func NewHandler(queue Queue, cfg HandlerConfig) (*Handler, error) {
	switch {
	case queue == nil, queue == (*pipeline.Pipeline[Record])(nil), queue == (*pipeline.Fan[Record])(nil):
		return nil, &pipeline.ConfigError{Field: "queue", Value: nil, Reason: "must not be nil"}
	case cfg.Forms > FormJSON|FormText|FormErrors || cfg.Forms == FormErrors:
		return nil, &pipeline.ConfigError{Field: "Forms", Value: uint8(cfg.Forms), Reason: "must be FormJSON, FormText, or both, and may have FormErrors"}
	}
	for i, extract := range cfg.Extract {
		if extract == nil {
			return nil, &pipeline.ConfigError{Field: fmt.Sprintf("Extract[%d]", i), Value: nil, Reason: "must not be nil"}
		}
	}
	for i, name := range cfg.Redact {
		if name == "" {
			return nil, &pipeline.ConfigError{Field: fmt.Sprintf("Redact[%d]", i), Value: `""`, Reason: "must not be empty"}
		}
	}
	if cfg.Level == nil {
		cfg.Level = slog.LevelInfo
	}
	if cfg.Forms == 0 {
		cfg.Forms = FormJSON | FormText
	}
	cfg.Extract = append([]Extractor(nil), cfg.Extract...)
	cfg.Redact = append([]string(nil), cfg.Redact...)
	h := &Handler{queue: queue, cfg: cfg}
	h.pipe, _ = queue.(*pipeline.Pipeline[Record])
	if len(cfg.Redact) > 0 {
		h.templates = newCache(DefaultCacheSize)
	}
	return h, nil
}

// Enabled reports whether records of this level are logged.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.cfg.Level.Level()
}

// Handle offers a snapshot of r to the queue and returns the queue's error,
// which a [slog.Logger] discards; the pipeline's Stats have counted it.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	var rec Record // a literal would be made elsewhere and copied
	rec.Time, rec.Level, rec.Message, rec.scope = r.Time, r.Level, r.Message, h.scope
	h.fill(ctx, &rec, &r)
	return h.enqueue(&rec)
}

// HandleTemplate is Handle for a record whose message was rendered from a
// message template: renderings are the texts of those of its properties that
// have a format, in the order of the template. The record keeps the slice.
func (h *Handler) HandleTemplate(ctx context.Context, r slog.Record, template string, renderings []string) error {
	if h.templates != nil {
		r, renderings = h.redactTemplate(r, template, renderings)
	}
	var rec Record
	rec.Time, rec.Level, rec.Message, rec.Template, rec.scope = r.Time, r.Level, r.Message, template, h.scope
	if len(renderings) > 0 {
		rec.more = &more{renderings: renderings}
	}
	h.fill(ctx, &rec, &r)
	return h.enqueue(&rec)
}

// enqueue calls a pipeline by its type, which saves two copies of the record.
func (h *Handler) enqueue(r *Record) error {
	if h.pipe != nil {
		return h.pipe.EnqueueFrom(r)
	}
	return h.queue.Enqueue(*r)
}

// fill completes rec with snapshots of r's attributes and of the context's.
func (h *Handler) fill(ctx context.Context, rec *Record, r *slog.Record) {
	if h.cfg.AddSource {
		rec.PC = r.PC
	}
	f := h.freezer()
	var found []slog.Attr
	if len(h.cfg.Extract) > 0 {
		found = f.attrs(nil, h.extract(ctx), 0)
	}
	room := rec.room(len(found) + r.NumAttrs())
	n := len(found)
	if n > 0 {
		copy(room, found)
		rec.ofCtx = uint32(n)
	}
	f.all = h.secret // the context's attributes stand outside of groups
	r.Attrs(func(a slog.Attr) bool {
		key, value := a.Key, a.Value
		if h.templates != nil && f.hides(key) {
			value = slog.StringValue(Redacted)
		} else if changeable(value) {
			var ok bool
			if value, ok = f.value(key, value, 0); !ok {
				return true
			}
		}
		// Word by word, as the argument has just been written: a wider load would
		// wait until the stores have reached the cache.
		room[n].Key, room[n].Value = key, value
		n++
		return true
	})
	rec.trim(n)
}

// freezer returns one for attributes that stand in no group of the logger's.
func (h *Handler) freezer() freezer { return freezer{forms: h.cfg.Forms, secrets: h.cfg.Redact} }

// WithAttrs returns a handler whose records carry attrs too. They are copied
// now, and encoded once for all records.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	f := h.freezer()
	f.all = h.secret
	frozen := f.attrs(make([]slog.Attr, 0, len(attrs)), attrs, 0)
	if len(frozen) == 0 {
		return h
	}
	next := *h
	next.scope = h.scope.withAttrs(frozen)
	return &next
}

// WithGroup returns a handler that puts all later attributes into a group. An
// empty name changes nothing.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	next.scope = h.scope.withGroup(name)
	next.secret = h.secret || secrets(h.cfg.Redact).have(name)
	return &next
}

// WithLevel returns a handler that is this one but for its level, or for
// slog.LevelInfo if level is nil. Both go on sharing all else.
func (h *Handler) WithLevel(level slog.Leveler) *Handler {
	if level == nil {
		level = slog.LevelInfo
	}
	next := *h
	next.cfg.Level = level
	return &next
}

var _ slog.Handler = (*Handler)(nil)
