package sinks

import (
	"reflect"
	"strconv"
)

const (
	describeDepth = 8
	describeBytes = 16 << 10 // about
)

// describe renders an event for the eye, much as the verb %#v does. Unlike fmt
// it comes to an end with values that contain themselves, and calls none of
// their methods. The result is never empty.
func describe[T any](ev T) string {
	d := describer{}
	d.value(reflect.ValueOf(&ev).Elem(), describeDepth)
	return clip(string(d.buf), describeBytes)
}

type describer struct{ buf []byte }

func (d *describer) add(s string) { d.buf = append(d.buf, s...) }

func (d *describer) value(v reflect.Value, depth int) {
	if depth == 0 || len(d.buf) > describeBytes {
		d.add("…")
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		d.buf = strconv.AppendBool(d.buf, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.buf = strconv.AppendInt(d.buf, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		d.buf = strconv.AppendUint(d.buf, v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		d.buf = strconv.AppendFloat(d.buf, v.Float(), 'g', -1, v.Type().Bits())
	case reflect.Complex64, reflect.Complex128:
		d.add(strconv.FormatComplex(v.Complex(), 'g', -1, v.Type().Bits()))
	case reflect.String:
		d.quote(v.String())
	case reflect.Pointer, reflect.Interface:
		d.inside(v, depth)
	case reflect.Struct:
		d.list(v, v.NumField(), func(i int) {
			d.add(v.Type().Field(i).Name + ":")
			d.value(v.Field(i), depth-1)
		})
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			d.quote(string(v.Bytes()[:min(v.Len(), describeBytes)]))
			return
		}
		d.list(v, v.Len(), func(i int) { d.value(v.Index(i), depth-1) })
	case reflect.Map:
		keys := v.MapRange()
		d.list(v, v.Len(), func(int) {
			keys.Next()
			d.value(keys.Key(), depth-1)
			d.add(":")
			d.value(keys.Value(), depth-1)
		})
	default: // a channel, a function
		d.add(v.Type().String())
	}
}

// inside renders what a pointer or an interface holds.
func (d *describer) inside(v reflect.Value, depth int) {
	switch {
	case v.IsNil():
		d.add("nil")
	case v.Kind() == reflect.Pointer:
		d.add("&")
		fallthrough
	default:
		d.value(v.Elem(), depth-1)
	}
}

// list renders n parts of v, or as many of them as there is room for.
func (d *describer) list(v reflect.Value, n int, part func(i int)) {
	d.add(v.Type().String() + "{")
	for i := range n {
		if i > 0 {
			d.add(", ")
		}
		if len(d.buf) > describeBytes {
			d.add("…")
			break
		}
		part(i)
	}
	d.add("}")
}

func (d *describer) quote(s string) {
	d.buf = strconv.AppendQuote(d.buf, s[:min(len(s), describeBytes)])
}
