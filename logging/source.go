package logging

import (
	"log/slog"
	"runtime"
	"strconv"
)

// sourceOf looks up where a call was made.
func sourceOf(pc uintptr) slog.Source {
	frames := runtime.CallersFrames([]uintptr{pc})
	f, _ := frames.Next()
	return slog.Source{Function: f.Function, File: f.File, Line: f.Line}
}

// appendJSONSource appends what is known of s, if anything is, as an object.
func appendJSONSource(dst []byte, key string, s *slog.Source) []byte {
	if s == nil || *s == (slog.Source{}) {
		return dst
	}
	if key != "" {
		dst = append(appendJSONKey(dst, key), '{')
	}
	if s.Function != "" {
		dst = appendJSONString(appendJSONKey(dst, "function"), s.Function)
	}
	if s.File != "" {
		dst = appendJSONString(appendJSONKey(dst, "file"), s.File)
	}
	if s.Line != 0 {
		dst = strconv.AppendInt(appendJSONKey(dst, "line"), int64(s.Line), 10)
	}
	if key != "" {
		dst = append(dst, '}')
	}
	return dst
}
