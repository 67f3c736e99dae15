package logging

import (
	"log/slog"
	"runtime"
)

// sourceOf looks up where a call was made.
func sourceOf(pc uintptr) slog.Source {
	frames := runtime.CallersFrames([]uintptr{pc})
	f, _ := frames.Next()
	return slog.Source{Function: f.Function, File: f.File, Line: f.Line}
}

// sourceAttrs returns what is known of s as attributes.
func sourceAttrs(s *slog.Source) (attrs []slog.Attr) {
	if s.Function != "" {
		attrs = append(attrs, slog.String("function", s.Function))
	}
	if s.File != "" {
		attrs = append(attrs, slog.String("file", s.File))
	}
	if s.Line != 0 {
		attrs = append(attrs, slog.Int("line", s.Line))
	}
	return attrs
}
