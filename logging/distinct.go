package logging

import (
	"log/slog"
	"strings"
	"unicode/utf8"
)

// distinct returns a copy of attrs in which every key is there once, with its
// last value. Groups without a name are replaced by what is in them, and keys
// are valid UTF-8.
func distinct(attrs []slog.Attr) []slog.Attr {
	all := flatten(make([]slog.Attr, 0, len(attrs)), attrs)
	const few = 16 // so many are compared with each other, more by a map
	var last map[string]int
	if len(all) > few {
		last = make(map[string]int, len(all))
		for i := range all {
			last[all[i].Key] = i
		}
	}
	kept := all[:0]
	for i, a := range all {
		again := last != nil && last[a.Key] != i
		for j := i + 1; last == nil && j < len(all) && !again; j++ {
			again = all[j].Key == a.Key
		}
		if !again {
			kept = append(kept, a)
		}
	}
	return kept
}

// flatten appends attrs to dst with groups without a name replaced by what is
// in them.
func flatten(dst, attrs []slog.Attr) []slog.Attr {
	for _, a := range attrs {
		if a.Value.Kind() == slog.KindAny {
			if source, ok := a.Value.Any().(*slog.Source); ok {
				a.Value = slog.GroupValue(sourceAttrs(source)...)
			}
		}
		if a.Key == "" && a.Value.Kind() == slog.KindGroup {
			dst = flatten(dst, a.Value.Group())
			continue
		}
		if !utf8.ValidString(a.Key) {
			a.Key = strings.ToValidUTF8(a.Key, "\ufffd")
		}
		dst = append(dst, a)
	}
	return dst
}
