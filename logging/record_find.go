package logging

import "log/slog"

// Find returns the value of the attribute at path: its key, with the keys of
// the groups around it in front, joined by dots. Keys may contain dots
// themselves. Of several the last one counts, in the order of [Record.Tree].
// Find allocates nothing.
func (r *Record) Find(path string) (slog.Value, bool) {
	if r.scope == nil {
		return find(r.all(), path)
	}
	if v, ok := r.scope.find(0, path, r.Attrs()); ok {
		return v, true
	}
	return find(r.Context(), path)
}

// find looks into level i of s and what is inside it, attrs being innermost.
func (s *scope) find(i int, path string, attrs []slog.Attr) (slog.Value, bool) {
	inner := i + 1
	switch {
	case inner == len(s.levels):
		if v, ok := find(attrs, path); ok {
			return v, true
		}
	default:
		if rest, ok := below(path, s.levels[inner].group); ok {
			if v, ok := s.find(inner, rest, attrs); ok {
				return v, true
			}
		}
	}
	return find(s.levels[i].attrs, path)
}

func find(attrs []slog.Attr, path string) (slog.Value, bool) {
	for i := len(attrs) - 1; i >= 0; i-- {
		a := &attrs[i]
		if a.Key == path {
			return a.Value, true
		}
		if a.Value.Kind() != slog.KindGroup {
			continue
		}
		rest, ok := below(path, a.Key)
		if a.Key == "" {
			rest, ok = path, true // its members belong to what is around it
		}
		if ok {
			if v, ok := find(a.Value.Group(), rest); ok {
				return v, true
			}
		}
	}
	return slog.Value{}, false
}

// below returns what follows group and a dot in path.
func below(path, group string) (rest string, ok bool) {
	if n := len(group); len(path) > n && path[n] == '.' && path[:n] == group {
		return path[n+1:], true
	}
	return "", false
}
