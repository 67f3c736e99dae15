package setup

import (
	"os"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// Target is a console, a file, or a sink: exactly one of them.
type Target struct {
	// Console is os.Stdout or os.Stderr. It is not closed.
	Console *os.File
	// File is a file of lines; its Encode must be nil.
	File *sinks.FileConfig[logging.Record]
	// Sink is any other sink. It belongs to the Log from a successful Open on. A
	// sink that serves several outputs goes into a sinks.Shared, by a handle for
	// each.
	Sink stage.Sink[logging.Record]

	// Format is how records are written to a console or a file; default
	// FormatAuto.
	Format Format
	// Style is for FormatConsole. Its Stream is by default the console; lines in
	// a file are not colored unless Color says so.
	Style logging.ConsoleConfig
	// Encode is a format of your own, in place of Format.
	Encode sinks.Encoder[logging.Record]
}

// format returns Format without FormatAuto.
func (t *Target) format() Format {
	switch {
	case t.Format != FormatAuto:
		return t.Format
	case t.Console != nil:
		return FormatConsole
	}
	return FormatJSON
}

func (t *Target) forms() logging.Forms {
	switch f := t.format(); {
	case t.Sink != nil || t.Encode != nil:
		return logging.FormJSON | logging.FormText
	case f == FormatText || f == FormatConsole:
		return logging.FormText
	case f == FormatCLEF:
		return logging.FormJSON | logging.FormErrors
	}
	return logging.FormJSON
}

// validate checks t before anything is opened.
func (t *Target) validate(field string) error {
	n := 0
	for _, is := range []bool{t.Console != nil, t.File != nil, t.Sink != nil} {
		if is {
			n++
		}
	}
	switch {
	case n != 1:
		return refuse(field, n, "must be one of Console, File and Sink")
	case t.Format >= numFormat:
		return refuse(field+".Format", t.Format, "must be FormatAuto, FormatJSON, FormatText, FormatCLEF or FormatConsole")
	case t.Sink != nil && (t.Format != FormatAuto || t.Encode != nil):
		return refuse(field+".Format", t.Format, "must not be set with Sink, nor Encode")
	case t.Encode != nil && t.Format != FormatAuto:
		return refuse(field+".Format", t.Format, "must be FormatAuto with Encode")
	case t.File != nil && t.File.Encode != nil:
		return refuse(field+".File.Encode", "a function", "must be left to Target.Encode")
	}
	_, err := t.encoder()
	return within(field+".Style", err)
}

// encoder returns what lines are made by.
func (t *Target) encoder() (sinks.Encoder[logging.Record], error) {
	if t.Encode != nil {
		return t.Encode, nil
	}
	switch t.format() {
	case FormatText:
		return logging.EncodeText, nil
	case FormatCLEF:
		return logging.EncodeCLEF, nil
	case FormatConsole:
		style := t.Style
		if style.Stream == nil {
			style.Stream = t.Console
		}
		if t.File != nil && style.Color == logging.ColorAuto {
			style.Color = logging.ColorNever
		}
		return logging.NewConsoleEncoder(style)
	}
	return logging.EncodeJSON, nil
}
