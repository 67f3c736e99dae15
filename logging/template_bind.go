package logging

import (
	"log/slog"
	"strconv"
)

// bind appends the attributes that args give: first those of the properties,
// then what is left over.
func (t *Template) bind(attrs []slog.Attr, args []any) []slog.Attr {
	for i := range t.props {
		if p := &t.props[i]; p.arg < len(args) {
			attrs = append(attrs, slog.Attr{Key: p.name, Value: captureArg(args[p.arg], p.capture)})
		}
	}
	if t.dense && len(args) <= t.needs {
		return attrs
	}
	for i, arg := range args {
		if !t.takes(i) {
			attrs = append(attrs, slog.Attr{Key: surplusKey(i), Value: captureArg(arg, byType)})
		}
	}
	return attrs
}

// find returns the index of a property's attribute among those that bind made
// of n arguments, or -1 if its argument is missing.
func (t *Template) find(prop, n int) int {
	if n >= t.needs {
		return prop
	}
	if t.props[prop].arg >= n {
		return -1
	}
	at := 0
	for i := range t.props[:prop] {
		if t.props[i].arg < n {
			at++
		}
	}
	return at
}

// takes reports whether a property stands for argument i.
func (t *Template) takes(i int) bool {
	for p := range t.props {
		if t.props[p].arg == i {
			return true
		}
	}
	return false
}

var surplusKeys = [...]string{"__0", "__1", "__2", "__3", "__4", "__5", "__6", "__7"}

func surplusKey(i int) string {
	if i < len(surplusKeys) {
		return surplusKeys[i]
	}
	return "__" + strconv.Itoa(i)
}
