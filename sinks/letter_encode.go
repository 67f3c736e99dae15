package sinks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/penstock-go/penstock/stage"
)

// letterVersion is the format of the lines below. A change that an older
// reader would misread raises it; a new field does not.
const letterVersion = 1

// letterLine is a letter as JSON. A line has either an event or a text.
type letterLine struct {
	Version   int             `json:"v"`
	Stage     string          `json:"stage"`
	Causes    []string        `json:"causes,omitempty"`
	Permanent bool            `json:"permanent"`
	Attempts  int             `json:"attempts"`
	First     time.Time       `json:"first,omitzero"`
	Last      time.Time       `json:"last,omitzero"`
	Event     json.RawMessage `json:"event,omitempty"`
	Text      string          `json:"event_text,omitempty"`
}

var errNotJSON = errors.New("encoder of events has not appended one JSON value in UTF-8")

// LetterEncoder returns the [Encoder] of a sink of letters. Each letter becomes
// one line of JSON, whatever is in it:
//
//	{"v":1,"stage":"db","causes":["timeout"],"permanent":false,"attempts":1,
//	 "first":"2026-01-02T15:04:05.123Z","last":"2026-01-02T15:04:06Z","event":…}
//
// (in one line; times are RFC 3339 in UTC, and left out if unknown).
//
// event appends an event as one JSON value. nil stands for encoding/json,
// which replaces what is not UTF-8 in strings: events that are text of unknown
// origin want [EncodeText].
//
// A letter is never refused. If an event cannot be encoded, because event
// returned an error, panicked, or appended something else than JSON, as it is
// with a NaN in encoding/json, the line has in place of "event" a rendering
// for the eye under "event_text", and the reason as the last of the causes.
// [LetterReader] tells such a letter from one that can be sent again.
func LetterEncoder[T any](event Encoder[T]) Encoder[Letter[T]] {
	if event == nil {
		event = appendJSON[T]
	}
	return func(dst []byte, l Letter[T]) ([]byte, error) {
		line := lineOf(l)
		if l.Text == "" {
			err := stage.Guard(context.Background(), "encoder of events", func() (err error) {
				line.Event, err = event(nil, l.Event)
				return err
			}, nil)
			if err == nil {
				if out, ok := line.append(dst); ok {
					return out, nil
				}
				err = errNotJSON
			}
			line.Event = nil
			line.Text = describe(l.Event)
			line.Causes = append(line.Causes[:len(l.Causes):len(l.Causes)], clip(fmt.Sprintf("event not encoded: %v", err), maxCause))
		}
		out, _ := line.append(dst)
		return out, nil
	}
}

func lineOf[T any](l Letter[T]) letterLine {
	return letterLine{
		Version: letterVersion, Stage: l.Stage, Causes: l.Causes, Permanent: l.Permanent,
		Attempts: l.Attempts, First: writable(l.First), Last: writable(l.Last), Text: l.Text,
	}
}

// append appends the line if it is one that any reader of JSON can read.
func (l *letterLine) append(dst []byte) (_ []byte, ok bool) {
	if l.Text == "" && len(l.Event) == 0 || !utf8.Valid(l.Event) {
		return dst, false
	}
	out, err := appendJSON(dst, l)
	if err != nil || !json.Valid(out[len(dst):]) { // too deep, with the line around it
		return dst, false
	}
	return out, true
}

// writable returns t, or the zero time if RFC 3339 has no way to write it.
func writable(t time.Time) time.Time {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return time.Time{}
	}
	return t
}

// appendJSON appends v and a line feed. It leaves <, > and & as they are.
func appendJSON[T any](dst []byte, v T) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return buf.Bytes(), err
}
