package setup

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
)

// attrs reads an object as attributes, in its order; objects in it are groups.
func attrs(dst *[]slog.Attr) reader {
	return func(path string, raw json.RawMessage) error {
		*dst = []slog.Attr{}
		return each(path, raw, func(name string, value json.RawMessage) error {
			if slices.ContainsFunc(*dst, func(a slog.Attr) bool { return a.Key == name }) {
				return refuse(path+"."+name, clip(value), "must not be there twice")
			}
			a := slog.Attr{Key: name}
			var err error
			if value[0] == '{' {
				var group []slog.Attr
				err = attrs(&group)(path+"."+name, value)
				a.Value = slog.GroupValue(group...)
			} else {
				err = scalar(&a.Value)(path+"."+name, value)
			}
			*dst = append(*dst, a)
			return err
		})
	}
}

// scalar reads a text, a truth value or a number, which is whole if it is
// written as one and fits.
func scalar(dst *slog.Value) reader {
	return func(path string, raw json.RawMessage) error {
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			return wrong(path, raw, "a value")
		}
		switch v := v.(type) {
		case string:
			*dst = slog.StringValue(v)
		case bool:
			*dst = slog.BoolValue(v)
		case json.Number:
			if n, err := v.Int64(); err == nil {
				*dst = slog.Int64Value(n)
				return nil
			}
			f, err := v.Float64()
			if err != nil {
				return wrong(path, raw, "a number that fits")
			}
			*dst = slog.Float64Value(f)
		default:
			return wrong(path, raw, "a text, a number, true or false")
		}
		return nil
	}
}
