package logging

import (
	"log/slog"
	"slices"
	"sync/atomic"
)

// scope is what a logger's With and WithGroup have added. It never changes, so
// all records of the logger share it, and what an encoder makes of it is made
// once and kept.
type scope struct {
	levels []scopeLevel // the first is the record itself; each other is a group in the one before
	filled int          // so many levels hold attributes, or a level that does

	json atomic.Pointer[jsonScope]
	text atomic.Pointer[textScope]
}

type scopeLevel struct {
	group string
	attrs []slog.Attr
}

// withAttrs returns a scope with attributes, not none, added to the innermost
// group. s may be nil.
func (s *scope) withAttrs(attrs []slog.Attr) *scope {
	next := s.grown(0)
	last := &next.levels[len(next.levels)-1]
	last.attrs = append(slices.Clip(last.attrs), attrs...)
	next.filled = len(next.levels)
	return next
}

// withGroup returns a scope with a group opened. s may be nil.
func (s *scope) withGroup(name string) *scope {
	next := s.grown(1)
	next.levels = append(next.levels, scopeLevel{group: name})
	return next
}

// grown returns a copy with room for more levels.
func (s *scope) grown(more int) *scope {
	if s == nil {
		return &scope{levels: make([]scopeLevel, 1, 1+more)}
	}
	return &scope{levels: append(make([]scopeLevel, 0, len(s.levels)+more), s.levels...), filled: s.filled}
}
