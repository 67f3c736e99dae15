package logging

import (
	"encoding"
	"fmt"
	"log/slog"
	"reflect"
)

// captureArg takes an argument as its hole wants it. A group stays one.
func captureArg(arg any, how capture) slog.Value {
	v := slog.AnyValue(arg).Resolve()
	switch v.Kind() {
	case slog.KindAny:
		v = captureAny(v.Any(), how)
	case slog.KindGroup:
		f := freezer{forms: FormJSON | FormText}
		frozen, ok := f.group(v.Group(), 1)
		if v = frozen; !ok {
			v = slog.GroupValue()
		}
	}
	// What is in a group keeps its name, by which a handler may have to redact it.
	if k := v.Kind(); how == stringify && k != slog.KindString && k != slog.KindGroup {
		return slog.StringValue(string(appendValue(nil, v, "l", true)))
	}
	return v
}

// captureAny takes what is of none of slog's kinds. An error stays one, because
// handlers know what to do with it.
func captureAny(x any, how capture) slog.Value {
	switch x := x.(type) {
	case nil, *Rendered:
		return slog.AnyValue(x)
	case error:
		if how == byType {
			return slog.AnyValue(x)
		}
	case []byte:
		if how != destructure {
			return slog.StringValue(string(x))
		}
	}
	if how != destructure {
		if text, ok := textOf(x); ok {
			return slog.StringValue(text)
		}
	}
	if v, ok := basic(x); ok {
		return v
	}
	return slog.AnyValue(Render(x, FormJSON))
}

// textOf returns the text of a value whose type knows one.
func textOf(x any) (text string, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			text, ok = panicked(x, p), true
		}
	}()
	switch x := x.(type) {
	case error:
		return x.Error(), true
	case fmt.Stringer:
		return x.String(), true
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return fmt.Sprintf("!ERROR:%v", err), true
		}
		return string(text), true
	}
	return "", false
}

// basic returns what a type derived from a basic one holds, unless it has JSON
// of its own.
func basic(x any) (slog.Value, bool) {
	switch x.(type) {
	case interface{ MarshalJSON() ([]byte, error) }, encoding.TextMarshaler:
		return slog.Value{}, false
	}
	switch v := reflect.ValueOf(x); v.Kind() {
	case reflect.Bool:
		return slog.BoolValue(v.Bool()), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return slog.Int64Value(v.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return slog.Uint64Value(v.Uint()), true
	case reflect.Float32, reflect.Float64:
		return slog.Float64Value(v.Float()), true
	case reflect.String:
		return slog.StringValue(v.String()), true
	}
	return slog.Value{}, false
}
