// Package parse makes records of the lines of logs.
package parse

import (
	"bytes"
	"fmt"
	"log/slog"

	"github.com/penstock-go/penstock/logging"
)

// Format is what lines are taken for.
type Format string

// The formats. Auto takes a line that begins with a brace for JSON, and any
// other for logfmt.
const (
	JSON   Format = "json"
	Logfmt Format = "logfmt"
	Auto   Format = "auto"
)

// Line makes a record of a line, with or without its line end, and reports
// whether it could be parsed. If not, the whole line is the record's message.
//
// A line parses as JSON if it is one object, and as logfmt if it is one or more
// key=value pairs and nothing else. The first attribute under one of the usual
// keys that can be understood becomes the record's time, level, message or
// template; all others stay attributes, in their order. The record keeps no part of line.
func Line(line []byte, format Format) (logging.Record, bool) {
	text := bytes.TrimSpace(trimEnd(line))
	isJSON := len(text) > 0 && text[0] == '{'
	var attrs []slog.Attr
	var err error
	switch {
	case isJSON && format != Logfmt:
		attrs, err = parseJSON(text)
	case !isJSON && format != JSON:
		attrs, err = parseLogfmt(text)
	default:
		err = fmt.Errorf("not %s", format)
	}
	if err != nil {
		return Raw(line), false
	}
	return record(attrs), true
}

// Raw returns a record whose message is the line without its line end.
func Raw(line []byte) logging.Record { return logging.Record{Message: string(trimEnd(line))} }

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// record takes what a record has fields for out of the attributes.
func record(attrs []slog.Attr) (r logging.Record) {
	var timed, leveled, said bool
	rest := attrs[:0]
	for _, a := range attrs {
		switch {
		case !timed && timeKeys[a.Key]:
			if t, ok := timeOf(a.Value); ok {
				r.Time, timed = t, true
				continue
			}
		case !leveled && levelKeys[a.Key]:
			if l, ok := levelOf(a.Value); ok {
				r.Level, leveled = l, true
				continue
			}
		case !said && messageKeys[a.Key] && a.Value.Kind() == slog.KindString:
			r.Message, said = a.Value.String(), true
			continue
		case r.Template == "" && a.Key == "@mt" && a.Value.Kind() == slog.KindString:
			r.Template = a.Value.String()
			continue
		}
		rest = append(rest, a)
	}
	if !said {
		r.Message = r.Template
	}
	r.SetAttrs(rest)
	return r
}
