package parse

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"unicode"
	"unicode/utf8"
)

var errNotPairs = errors.New("not key=value pairs")

// parseLogfmt returns the pairs that text consists of.
func parseLogfmt(text []byte) (attrs []slog.Attr, err error) {
	for len(text) > 0 {
		eq := bytes.IndexByte(text, '=')
		if eq <= 0 {
			return nil, errNotPairs
		}
		var key string
		if text[0] == '"' { // as slog's text handler quotes keys
			var rest []byte
			if key, rest, err = quoted(text); err != nil || len(rest) == 0 || rest[0] != '=' {
				return nil, errNotPairs
			}
			text = rest[1:]
		} else {
			if key = string(text[:eq]); !bare(key) {
				return nil, errNotPairs
			}
			text = text[eq+1:]
		}
		var v slog.Value
		if v, text, err = logfmtValue(text); err != nil {
			return nil, err
		}
		attrs = append(attrs, slog.Attr{Key: key, Value: v})
		if len(text) > 0 && text[0] != ' ' && text[0] != '\t' {
			return nil, errNotPairs
		}
		text = bytes.TrimLeft(text, " \t")
	}
	if len(attrs) == 0 {
		return nil, errNotPairs
	}
	return attrs, nil
}

// bare reports whether s may be a key, or a value, without quotes.
func bare(s string) bool {
	for _, r := range s {
		if r == '"' || r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// logfmtValue reads a value and returns what follows it. What is not in quotes
// is a number or a truth value if it is written as we would write that.
func logfmtValue(text []byte) (v slog.Value, rest []byte, err error) {
	if len(text) > 0 && text[0] == '"' {
		s, rest, err := quoted(text)
		return slog.StringValue(s), rest, err
	}
	end := bytes.IndexAny(text, " \t")
	if end < 0 {
		end = len(text)
	}
	s := string(text[:end])
	if !bare(s) {
		return v, nil, errNotPairs
	}
	v = slog.StringValue(s)
	if s == "true" || s == "false" {
		v = slog.BoolValue(s == "true")
	} else if n, ok := number(s); ok {
		v = n
	}
	return v, text[end:], nil
}

// quoted reads a string in quotes, as Go or as JSON writes it.
func quoted(text []byte) (s string, rest []byte, err error) {
	end := 1
	for end < len(text) && text[end] != '"' {
		if text[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(text) {
		return "", nil, errNotPairs
	}
	literal, rest := text[:end+1], text[end+1:]
	if s, err = strconv.Unquote(string(literal)); err == nil {
		return s, rest, nil
	}
	if json.Unmarshal(literal, &s) != nil {
		return "", nil, errNotPairs
	}
	return s, rest, nil
}
