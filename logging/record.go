package logging

import (
	"log/slog"
	"time"
	"unsafe"
)

// Record is one log record on its way through a pipeline: a snapshot of what
// was logged, which nobody changes any more. Copies share memory. A stage that
// wants another record makes a copy and gives it other slices; it does not
// write into those it found.
//
// Values of attributes are of a basic kind, or a group, or nil, or else a
// [*Rendered] or a [*slog.Source]; none is a [slog.LogValuer].
type Record struct {
	// Time is when the call was made; zero: not known, and left out.
	Time time.Time
	// Level is the call's level.
	Level slog.Level
	// Message is what the call said. If there is a Template, it is the
	// template with its properties filled in.
	Message string
	// Attrs are the attributes of this one call. They belong into the groups
	// the logger has opened.
	Attrs []slog.Attr
	// Context are the attributes that extractors took from the call's
	// context. They belong to the record itself, outside of all groups.
	Context []slog.Attr
	// Template is the message template; empty: there is none.
	Template string
	// Renderings are the texts of the template's properties that have a
	// format, in the order of the template.
	Renderings []string
	// PC is where the call was made, as [slog.Record] has it; 0: not known,
	// or [HandlerConfig].AddSource was not asked for.
	PC uintptr

	scope *scope // what With and WithGroup added; nil: nothing
}

// All returns everything the record carries as one list of attributes, groups
// nested as the logger opened them and empty ones left out: those of the
// context first, then those of the logger, then those of the call. The list
// may share memory with r.
func (r *Record) All() []slog.Attr {
	if r.scope == nil {
		if len(r.Context) == 0 {
			return r.Attrs
		}
		return append(append(make([]slog.Attr, 0, len(r.Context)+len(r.Attrs)), r.Context...), r.Attrs...)
	}
	inner := r.Attrs
	for i := len(r.scope.levels) - 1; ; i-- {
		l := r.scope.levels[i]
		all := make([]slog.Attr, 0, len(r.Context)+len(l.attrs)+len(inner))
		if i == 0 {
			all = append(all, r.Context...)
		}
		all = append(append(all, l.attrs...), inner...)
		if i == 0 {
			return all
		}
		inner = nil
		if len(all) > 0 {
			inner = []slog.Attr{{Key: l.group, Value: slog.GroupValue(all...)}}
		}
	}
}

// SizeOf estimates the bytes that the record keeps in memory: its own, its
// texts, and its attributes with their keys and texts. What the logger's With
// added is shared by all its records and not counted. It is made to be a
// pipeline's Config.SizeOf.
func SizeOf(r Record) int {
	size := int(unsafe.Sizeof(r)) + len(r.Message) + len(r.Template) + sizeOfAttrs(r.Attrs) + sizeOfAttrs(r.Context)
	for _, s := range r.Renderings {
		size += int(unsafe.Sizeof(s)) + len(s)
	}
	return size
}

func sizeOfAttrs(attrs []slog.Attr) int {
	size := len(attrs) * int(unsafe.Sizeof(slog.Attr{}))
	for i := range attrs {
		size += len(attrs[i].Key)
		switch v := attrs[i].Value; v.Kind() {
		case slog.KindString:
			size += len(v.String())
		case slog.KindGroup:
			size += sizeOfAttrs(v.Group())
		case slog.KindAny:
			if x, ok := v.Any().(*Rendered); ok {
				size += int(unsafe.Sizeof(*x)) + len(x.json) + len(x.text)
			}
		}
	}
	return size
}
