package setup

import (
	"log/slog"

	"github.com/penstock-go/penstock/logging"
)

// Filter reports whether a record is kept. It runs in the goroutine of the call,
// concurrently, before the record takes room in a queue, and sees what outputs
// would: redacted values are [logging.Redacted]. It does not log, which would
// call it again. A nil Filter keeps everything. If one panics the record is
// kept, and Stats count it.
type Filter func(r logging.Record) bool

// LevelAtLeast keeps records of this level or a higher one.
func LevelAtLeast(level slog.Level) Filter {
	return func(r logging.Record) bool { return r.Level >= level }
}

// Has keeps records that have an attribute at path; see [logging.Record.Find].
func Has(path string) Filter {
	return func(r logging.Record) bool {
		_, ok := r.Find(path)
		return ok
	}
}

// Equals keeps records whose attribute at path has this value. Numbers are
// equal if they are the same number, whatever their types; what is of none of
// slog's kinds, as an error, is compared by its text, also with a string.
func Equals(path string, value any) Filter {
	want := frozen(slog.AnyValue(value).Resolve())
	text := want
	if want.Kind() == slog.KindString {
		text = rendered(want.String())
	}
	return func(r logging.Record) bool {
		v, ok := r.Find(path)
		if ok && v.Kind() == slog.KindAny {
			return equal(v, text)
		}
		return ok && equal(v, want)
	}
}

// Named keeps records of loggers with this name, or one below it: "mill" is for
// "mill.gate" too.
func Named(name string) Filter {
	return func(r logging.Record) bool {
		v, ok := r.Find(NameKey)
		return ok && v.Kind() == slog.KindString && isBelow(v.String(), name)
	}
}

// isBelow reports whether name is that of above, or of something below it.
func isBelow(name, above string) bool {
	n := len(above)
	return name == above || len(name) > n && name[n] == '.' && name[:n] == above
}

// All keeps what every one of the filters keeps; without any, everything.
func All(filters ...Filter) Filter {
	return func(r logging.Record) bool {
		for _, f := range filters {
			if f != nil && !f(r) {
				return false
			}
		}
		return true
	}
}

// Any keeps what at least one of the filters keeps; without any, nothing.
func Any(filters ...Filter) Filter {
	return func(r logging.Record) bool {
		for _, f := range filters {
			if f == nil || f(r) {
				return true
			}
		}
		return false
	}
}

// Not keeps what the filter does not.
func Not(filter Filter) Filter {
	return func(r logging.Record) bool { return filter != nil && !filter(r) }
}
