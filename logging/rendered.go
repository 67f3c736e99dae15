package logging

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// Forms is a set of forms that a value is rendered in.
type Forms uint8

// The forms. JSON needs the first, text and the console the second, CLEF the
// first and, for its @x, the third. An encoder that does not find its own takes
// another one as a string.
const (
	FormJSON   Forms = 1 << iota // as slog's JSON handler writes it
	FormText                     // as slog's text handler does
	FormErrors                   // FormText of errors alone
)

// Rendered is what a value looked like when it was logged: an error, a
// pointer, a struct, a map or anything else that is of none of slog's basic
// kinds. It never changes. Nil pointers, values that panic or fail when they
// are rendered, and values that contain themselves have a text that says so.
type Rendered struct {
	json  string // the JSON, or if plain a string that JSON is to quote
	text  string
	forms Forms
	plain bool
	bytes bool // text of a byte slice, which the text format always quotes
	isErr bool
}

// Render renders v in the given forms, FormJSON or FormText among them. It
// calls v's methods, as Error, String, MarshalJSON or MarshalText, in the
// caller's goroutine.
func Render(v any, forms Forms) *Rendered {
	_, isErr := v.(error)
	if isErr && forms&FormErrors != 0 {
		forms |= FormText
	}
	r := &Rendered{forms: forms, isErr: isErr}
	said := forms&FormJSON != 0 && r.renderJSON(v)
	if forms&FormText != 0 {
		r.renderText(v, said)
	}
	return r
}

// failed is what stands for a value that could not be logged.
func failed(err error) *Rendered {
	text := "!ERROR: " + err.Error()
	return &Rendered{json: text, text: text, forms: FormJSON | FormText, plain: true}
}

// IsError reports whether the value was an error.
func (r *Rendered) IsError() bool { return r.isErr }

// Equal reports whether both look alike in the text form, or, if one of them
// has none, in JSON.
func (r *Rendered) Equal(x *Rendered) bool {
	if r.forms&x.forms&FormText == 0 {
		return string(r.appendJSON(nil)) == string(x.appendJSON(nil))
	}
	return r.text == x.text
}

// String returns the text form.
func (r *Rendered) String() string {
	if r.forms&FormText == 0 {
		return r.json
	}
	return r.text
}

// MarshalJSON returns the JSON form.
func (r *Rendered) MarshalJSON() ([]byte, error) { return r.appendJSON(nil), nil }

// MarshalText returns the text form.
func (r *Rendered) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r *Rendered) appendJSON(dst []byte) []byte {
	switch {
	case r.forms&FormJSON == 0:
		return appendJSONString(dst, r.text)
	case r.plain:
		return appendJSONString(dst, r.json)
	}
	return append(dst, r.json...)
}

// renderJSON reports whether the JSON is what an error's Error has returned.
func (r *Rendered) renderJSON(v any) (said bool) {
	defer func() {
		if p := recover(); p != nil {
			r.json, r.plain = panicked(v, p), true
		}
	}()
	if _, marshals := v.(json.Marshaler); r.isErr && !marshals {
		r.json, r.plain = v.(error).Error(), true
		return true
	}
	var err error
	if r.json, err = marshal(v); err != nil {
		r.json, r.plain = fmt.Sprintf("!ERROR:%v", err), true
	}
	return false
}

// renderText renders the text, which most errors have said already.
func (r *Rendered) renderText(v any, said bool) {
	defer func() {
		if p := recover(); p != nil {
			r.text = panicked(v, p)
		}
	}()
	if m, ok := v.(encoding.TextMarshaler); ok {
		data, err := m.MarshalText()
		if err != nil {
			data = fmt.Appendf(nil, "!ERROR:%v", err)
		}
		r.text = string(data)
		return
	}
	if t := reflect.TypeOf(v); t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		r.text, r.bytes = string(reflect.ValueOf(v).Bytes()), true
		return
	}
	if _, formats := v.(fmt.Formatter); said && !formats {
		r.text = r.json // %+v would call Error again
		return
	}
	r.text = printed("%+v", v)
}

// panicked describes the panic p of a method of v.
func panicked(v, p any) string {
	if v := reflect.ValueOf(v); v.Kind() == reflect.Pointer && v.IsNil() {
		return "<nil>" // the method is not made for it, and this says more
	}
	return "!PANIC: " + printed("%v", p)
}

// marshaler is an encoder, kept for its buffers.
type marshaler struct {
	buf bytes.Buffer
	enc *json.Encoder
}

var marshalers = sync.Pool{New: func() any {
	m := new(marshaler)
	m.enc = json.NewEncoder(&m.buf)
	m.enc.SetEscapeHTML(false)
	return m
}}

// marshal returns v's JSON, in which HTML is not escaped.
func marshal(v any) (string, error) {
	const keep = 16 << 10 // a larger buffer is not kept
	m := marshalers.Get().(*marshaler)
	m.buf.Reset() // here, because a panic leaves what it had written
	err := m.enc.Encode(v)
	text := strings.TrimSuffix(m.buf.String(), "\n")
	if m.buf.Cap() <= keep {
		marshalers.Put(m)
	}
	return text, err
}
