package logging

import (
	"errors"
	"log/slog"
)

const (
	maxDepth  = 100   // of groups in groups
	maxNested = 10000 // attributes in the groups of one record
)

var (
	errDeep = errors.New("groups are nested too deep")
	errMany = errors.New("groups hold too many attributes")
)

// freezer copies attributes so that nothing the caller does later shows in
// them.
type freezer struct {
	block  *block
	forms  Forms
	nested int // attributes in groups so far
}

// attrs copies a list. It leaves out what slog leaves out: empty attributes
// and groups with nothing in them.
func (f *freezer) attrs(list []slog.Attr, depth int) []slog.Attr {
	frozen := f.block.take(len(list))
	for i := range list {
		frozen = f.attr(frozen, &list[i], depth)
	}
	return frozen
}

// attr appends a copy of a, unless it is to be left out.
func (f *freezer) attr(frozen []slog.Attr, a *slog.Attr, depth int) []slog.Attr {
	v := a.Value
	kind := v.Kind()
	if kind == slog.KindLogValuer {
		v = v.Resolve()
		kind = v.Kind()
	}
	switch kind {
	case slog.KindGroup:
		v = f.group(v.Group(), depth+1)
		if v.Kind() == slog.KindGroup && len(v.Group()) == 0 {
			return frozen
		}
	case slog.KindAny:
		switch x := v.Any().(type) {
		case nil:
			if a.Key == "" {
				return frozen
			}
		case *slog.Source:
			if x == nil || *x == (slog.Source{}) {
				return frozen
			}
			source := *x
			v = slog.AnyValue(&source)
		case *Rendered:
			// It never changes.
		default:
			v = slog.AnyValue(Render(x, f.forms))
		}
	}
	return append(frozen, slog.Attr{Key: a.Key, Value: v})
}

// group copies the attributes of a group. Groups can contain themselves, by
// way of a LogValuer or of a slice, so there is an end to it.
func (f *freezer) group(list []slog.Attr, depth int) slog.Value {
	f.nested += len(list)
	switch {
	case depth > maxDepth:
		return slog.AnyValue(failed(errDeep))
	case f.nested > maxNested:
		return slog.AnyValue(failed(errMany))
	}
	return slog.GroupValue(f.attrs(list, depth)...)
}
