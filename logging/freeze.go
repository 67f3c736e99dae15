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

// freezer makes copies of attributes in which nothing shows of what the caller
// does later.
type freezer struct {
	forms    Forms
	secrets  secrets
	all      bool // every value is secret
	redacted int  // values so far
	nested   int  // attributes in groups so far
}

// attrs appends copies of list to dst, without those that slog leaves out:
// empty attributes, and groups with nothing in them.
func (f *freezer) attrs(dst, list []slog.Attr, depth int) []slog.Attr {
	for i := range list {
		if f.hides(list[i].Key) {
			dst = append(dst, slog.String(list[i].Key, Redacted))
			continue
		}
		if v, ok := f.value(list[i].Key, list[i].Value, depth); ok {
			dst = append(dst, slog.Attr{Key: list[i].Key, Value: v})
		}
	}
	return dst
}

// changeable reports whether v is of a kind that may not be what it is now.
func changeable(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindAny, slog.KindGroup, slog.KindLogValuer:
		return true
	}
	return false
}

// value returns what v is now, and false if its attribute is to be left out.
func (f *freezer) value(key string, v slog.Value, depth int) (slog.Value, bool) {
	v = v.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		return f.group(v.Group(), depth+1)
	case slog.KindAny:
		switch x := v.Any().(type) {
		case nil:
			return v, key != ""
		case *slog.Source:
			if x == nil || *x == (slog.Source{}) {
				return v, false
			}
			source := *x
			return slog.AnyValue(&source), true
		case *Rendered: // it never changes
			r, hidden := x.without(f.secrets)
			f.count(hidden)
			return slog.AnyValue(r), true
		default:
			r, hidden := f.secrets.render(x, f.forms)
			f.count(hidden)
			return slog.AnyValue(r), true
		}
	}
	return v, true
}

// group copies the attributes of a group. Groups can contain themselves, by
// way of a LogValuer or of a slice, so there is an end to it.
func (f *freezer) group(list []slog.Attr, depth int) (slog.Value, bool) {
	f.nested += len(list)
	switch {
	case depth > maxDepth:
		return slog.AnyValue(failed(errDeep)), true
	case f.nested > maxNested:
		return slog.AnyValue(failed(errMany)), true
	}
	frozen := f.attrs(make([]slog.Attr, 0, len(list)), list, depth)
	return slog.GroupValue(frozen...), len(frozen) > 0
}
