package logging

import (
	"fmt"
	"reflect"
)

// maxPrint is how deep a value may be nested to be printed: so many maps,
// slices and structs inside each other. Package fmt has no limit: a map that
// contains itself would end the program.
const maxPrint = 1000

// printed is fmt.Sprintf with one verb, for values that may contain themselves.
func printed(verb string, v any) string {
	of := reflect.ValueOf(v)
	switch x := v.(type) {
	case reflect.Value: // fmt looks into it, and calls no method
		of = x
	case fmt.Formatter, fmt.Stringer, error:
		of = reflect.Value{}
	}
	if bottomless(of, 0) {
		return fmt.Sprintf("!ERROR:%T contains itself, or is nested more than %d deep", v, maxPrint)
	}
	return fmt.Sprintf(verb, v)
}

// bottomless reports whether v is nested too deep. It goes where fmt goes: into
// a pointer at the top, but no other.
func bottomless(v reflect.Value, depth int) bool {
	if depth > maxPrint {
		return true
	}
	switch v.Kind() {
	case reflect.Pointer:
		return depth == 0 && bottomless(v.Elem(), 1)
	case reflect.Interface:
		return bottomless(v.Elem(), max(depth, 1)) // a pointer in it is no longer at the top
	case reflect.Struct:
		for i := range v.NumField() {
			if bottomless(v.Field(i), depth+1) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		if flat(v.Type().Elem()) {
			return false
		}
		for i := range v.Len() {
			if bottomless(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		if flat(v.Type().Elem()) && flat(v.Type().Key()) {
			return false
		}
		for it := v.MapRange(); it.Next(); {
			if bottomless(it.Key(), depth+1) || bottomless(it.Value(), depth+1) {
				return true
			}
		}
	}
	return false
}

// flat reports whether values of type t have nothing in them.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return false
	}
	return true
}
