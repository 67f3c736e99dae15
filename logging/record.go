package logging

import (
	"log/slog"
	"slices"
	"time"
	"unsafe"
)

// inline is the number of attributes a record holds in itself, so that most
// calls allocate nothing. With so many a record has 256 bytes, whole cache
// lines; each more costs every call, which clears and copies the record.
const inline = 4

// Record is one log record on its way through a pipeline: a snapshot of what
// was logged. Copies share memory that nobody changes.
//
// Values of attributes are of a basic kind, or a group, or nil, or else a
// [*Rendered] or a [*slog.Source]; none is a [slog.LogValuer].
type Record struct {
	// Time is when the call was made; zero: not known, and left out.
	Time time.Time
	// Level is the call's level.
	Level slog.Level
	// PC is where the call was made, as [slog.Record] has it; 0: not known,
	// or [HandlerConfig].AddSource was not asked for.
	PC uintptr
	// Message is what the call said. If there is a Template, it is the
	// template with its properties filled in.
	Message string
	// Template is the message template; empty: there is none.
	Template string

	scope *scope // what With and WithGroup added; nil: nothing
	more  *more  // what few records have; nil: nothing

	// The attributes, those of the context first, are in front, so that the
	// queue's memory is theirs too. If there are more than fit, all of them
	// are in more.
	n     uint32 // of all in front
	ofCtx uint32 // of the context, wherever they are
	front [inline]slog.Attr
}

// more keeps records short: they are copied whole several times.
type more struct {
	attrs      []slog.Attr // nil: they are in front
	renderings []string
}

// Attrs returns the attributes of this one call, which belong into the groups
// that the logger has opened. The slice may be part of r.
func (r *Record) Attrs() []slog.Attr { return r.all()[r.ofCtx:] }

// Context returns the attributes that extractors took from the call's
// context. They belong to the record itself, outside of all groups. The slice
// may be part of r.
func (r *Record) Context() []slog.Attr { return r.all()[:r.ofCtx] }

func (r *Record) all() []slog.Attr {
	if r.more != nil && r.more.attrs != nil {
		return r.more.attrs
	}
	return r.front[:r.n]
}

// Renderings returns the texts of the template's properties that have a
// format, in the order of the template.
func (r *Record) Renderings() []string {
	if r.more == nil {
		return nil
	}
	return r.more.renderings
}

// SetAttrs replaces the attributes of the call, for stages that redact or
// enrich. It copies attrs, but not what their values refer to.
func (r *Record) SetAttrs(attrs []slog.Attr) {
	all := slices.Concat(r.Context(), attrs)
	r.front = [inline]slog.Attr{}
	r.more = &more{renderings: r.Renderings()} // copies of the record share the old one
	copy(r.room(len(all)), all)
}

// room makes room for n attributes, all that the record has, and returns it.
func (r *Record) room(n int) []slog.Attr {
	if n <= inline {
		r.n = uint32(n)
		return r.front[:n]
	}
	if r.more == nil {
		r.more = new(more)
	}
	r.n, r.more.attrs = 0, make([]slog.Attr, n)
	return r.more.attrs
}

// trim gives back all but the first n of the room.
func (r *Record) trim(n int) {
	if r.more != nil && r.more.attrs != nil {
		r.more.attrs = r.more.attrs[:n]
		return
	}
	r.n = uint32(n)
}

// Tree returns everything the record carries as one list of attributes, groups
// nested as the logger opened them and empty ones left out: those of the
// context first, then those of the logger, then those of the call. The list
// may be part of r.
func (r *Record) Tree() []slog.Attr {
	if r.scope == nil {
		return r.all()
	}
	inner := r.Attrs()
	for i := len(r.scope.levels) - 1; i > 0; i-- {
		l := r.scope.levels[i]
		if len(l.attrs)+len(inner) > 0 {
			inner = []slog.Attr{{Key: l.group, Value: slog.GroupValue(slices.Concat(l.attrs, inner)...)}}
		}
	}
	return slices.Concat(r.Context(), r.scope.levels[0].attrs, inner)
}

// SizeOf estimates the bytes that the record keeps in memory: its own, its
// texts, and its attributes with their keys and texts. What the logger's With
// added is shared by all its records and not counted. It is made to be a
// pipeline's Config.SizeOf.
func SizeOf(r Record) int {
	size := int(unsafe.Sizeof(r)) + len(r.Message) + len(r.Template) + sizeOfAttrs(r.all()) - int(r.n)*attrSize // those in front are in r
	for _, s := range r.Renderings() {
		size += int(unsafe.Sizeof(s)) + len(s)
	}
	return size
}

const attrSize = int(unsafe.Sizeof(slog.Attr{}))

func sizeOfAttrs(attrs []slog.Attr) int {
	size := len(attrs) * attrSize
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
