package setup

import (
	"encoding/json"
	"log/slog"
)

// filter reads a filter: an object with one member.
func filter(dst *Filter) reader {
	return func(path string, raw json.RawMessage) error {
		*dst = nil
		var l slog.Level
		var name string
		var some []Filter
		var one Filter
		var eq equals
		// Each reads into the variable that its filter is then made of.
		made := func(read reader, f func() Filter) reader {
			return func(path string, raw json.RawMessage) error {
				if *dst != nil {
					return refuse(path, clip(raw), "must be the only member of its filter")
				}
				err := read(path, raw)
				*dst = f()
				return err
			}
		}
		named := func(path string, raw json.RawMessage) error {
			err := plain(&name, text)(path, raw)
			if err == nil && name == "" {
				return refuse(path, clip(raw), "must not be empty")
			}
			return err
		}
		filters := list(&some, func(f *Filter) reader { return filter(f) })
		err := members{
			"levelAtLeast": made(level(&l), func() Filter { return LevelAtLeast(l) }),
			"has":          made(named, func() Filter { return Has(name) }),
			"named":        made(named, func() Filter { return Named(name) }),
			"equals":       made(eq.read, func() Filter { return Equals(eq.path, eq.value) }),
			"all":          made(filters, func() Filter { return All(some...) }),
			"any":          made(filters, func() Filter { return Any(some...) }),
			"not":          made(filter(&one), func() Filter { return Not(one) }),
		}.read(path, raw)
		if err == nil && *dst == nil {
			return wrong(path, raw, "a filter")
		}
		return err
	}
}

// equals is what Equals is made of.
type equals struct {
	path  string
	value slog.Value
}

func (e *equals) read(path string, raw json.RawMessage) error {
	*e = equals{}
	if err := (members{"path": plain(&e.path, text), "value": scalar(&e.value)}).read(path, raw); err != nil {
		return err
	}
	if e.path == "" || e.value.Equal(slog.Value{}) {
		return wrong(path, raw, "an object with path and value")
	}
	return nil
}
