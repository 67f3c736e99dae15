package logging

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// Color says whether a console's lines are colored.
type Color uint8

// The choices. ColorAuto colors if FORCE_COLOR is set in the environment, to
// anything but 0 or false; else does not if NO_COLOR is set to anything; else
// colors if the stream is a terminal and TERM is not dumb.
const (
	ColorAuto Color = iota
	ColorAlways
	ColorNever
)

// DefaultTimeFormat is how the console writes the time of day.
const DefaultTimeFormat = "15:04:05.000"

// ConsoleConfig sets up a console encoder. The zero value is a working default.
type ConsoleConfig struct {
	// Color says whether lines are colored; default ColorAuto.
	Color Color
	// Stream is what ColorAuto looks at; default os.Stderr.
	Stream *os.File
	// TimeFormat is a layout of package time; default DefaultTimeFormat.
	TimeFormat string
	// Location is the time zone of the times; default that of each time.
	Location *time.Location
}

// NewConsoleEncoder returns an encoder of lines for people: the time, the
// level in three letters, the message, and the attributes as [EncodeText]
// writes them. Whether to color is decided now, once.
//
// A line is one line, and moves no cursor: what is not printable in a message
// is escaped as in a Go string. The encoder may be used by several sinks.
func NewConsoleEncoder(cfg ConsoleConfig) (sinks.Encoder[Record], error) {
	if cfg.Color > ColorNever {
		return nil, &pipeline.ConfigError{Field: "Color", Value: uint8(cfg.Color), Reason: "must be ColorAuto, ColorAlways or ColorNever"}
	}
	if cfg.Stream == nil {
		cfg.Stream = os.Stderr
	}
	if cfg.TimeFormat == "" {
		cfg.TimeFormat = DefaultTimeFormat
	}
	c := console{cfg: cfg}
	if cfg.Color == ColorAlways || cfg.Color == ColorAuto && wantsColor(cfg.Stream) {
		c.paint = colors
	}
	return c.encode, nil
}

// paint holds what to write before parts of a line; "": no colors.
type paint struct {
	levels           [6]string
	faint, key, none string
}

var colors = paint{
	levels: [6]string{"\x1b[90m", "\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[1;31m"},
	faint:  "\x1b[90m",
	key:    "\x1b[36m",
	none:   "\x1b[0m",
}

func wantsColor(stream *os.File) bool {
	if force := os.Getenv("FORCE_COLOR"); force != "" {
		return force != "0" && force != "false"
	}
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := stream.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type console struct {
	cfg   ConsoleConfig
	paint paint
}

func (c *console) encode(dst []byte, r Record) ([]byte, error) {
	p := &c.paint
	if !r.Time.IsZero() {
		t := r.Time
		if c.cfg.Location != nil {
			t = t.In(c.cfg.Location)
		}
		dst = append(t.AppendFormat(append(dst, p.faint...), c.cfg.TimeFormat), p.none...)
		dst = append(dst, ' ')
	}
	dst = append(append(dst, p.levels[rank(r.Level)]...), LevelAbbrev(r.Level)...)
	dst = append(append(dst, p.none...), ' ')
	dst = appendPrintable(dst, r.Message)
	if r.PC != 0 {
		if s := sourceOf(r.PC); s.File != "" {
			dst = append(append(dst, ' '), p.faint...)
			dst = append(appendPrintable(dst, fmt.Sprintf("%s:%d", s.File, s.Line)), p.none...)
		}
	}
	return append(c.attrs(dst, "", r.Tree()), '\n'), nil
}

func (c *console) attrs(dst []byte, prefix string, attrs []slog.Attr) []byte {
	for i := range attrs {
		a := &attrs[i]
		if a.Value.Kind() == slog.KindGroup {
			inner := prefix
			if a.Key != "" {
				inner += a.Key + "."
			}
			dst = c.attrs(dst, inner, a.Value.Group())
			continue
		}
		dst = append(append(dst, ' '), c.paint.key...)
		dst = appendTextKey(dst, prefix, a.Key)
		dst = append(append(dst, '='), c.paint.none...)
		dst = appendTextValue(dst, a.Value)
	}
	return dst
}

// appendPrintable appends s with escapes for what would not stay on the line.
func appendPrintable(dst []byte, s string) []byte {
	done := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		quoted := strconv.Quote(s[i : i+size])
		dst = append(append(dst, s[done:i]...), quoted[1:len(quoted)-1]...)
		i += size
		done = i
	}
	return append(dst, s[done:]...)
}
