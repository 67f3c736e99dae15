package setup

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-go/penstock/logging"
)

// What values must be, as errors say it.
const (
	text        = "a text"
	anyNumber   = "a number"
	wholeNumber = "a whole number"
)

// plain reads what encoding/json can.
func plain[T any](dst *T, want string) reader {
	return func(path string, raw json.RawMessage) error {
		if string(raw) == "null" || json.Unmarshal(raw, dst) != nil {
			return wrong(path, raw, want)
		}
		return nil
	}
}

// parsed reads a text that parse understands.
func parsed[T any](dst *T, want string, parse func(string) (T, bool)) reader {
	return func(path string, raw json.RawMessage) error {
		var s string
		if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
			return wrong(path, raw, want)
		}
		v, ok := parse(s)
		if !ok {
			return wrong(path, raw, want)
		}
		*dst = v
		return nil
	}
}

const aLevel = "Verbose, Debug, Information, Warning, Error or Fatal, three letters, or slog's names"

func level(dst *slog.Level) reader {
	return parsed(dst, aLevel, func(s string) (slog.Level, bool) {
		l, err := logging.ParseLevel(s)
		return l, err == nil
	})
}

func leveler(dst *slog.Leveler) reader {
	return parsed(dst, aLevel, func(s string) (slog.Leveler, bool) {
		l, err := logging.ParseLevel(s)
		return l, err == nil
	})
}

func levelsByName(dst *map[string]slog.Level) reader {
	return func(path string, raw json.RawMessage) error {
		*dst = map[string]slog.Level{}
		return each(path, raw, func(name string, value json.RawMessage) error {
			field := fmt.Sprintf("%s[%q]", path, name)
			if _, twice := (*dst)[name]; twice {
				return refuse(field, clip(value), "must not be there twice")
			}
			var l slog.Level
			err := level(&l)(field, value)
			(*dst)[name] = l
			return err
		})
	}
}

func duration(dst *time.Duration) reader {
	return parsed(dst, `a duration as "5s"`, func(s string) (time.Duration, bool) {
		d, err := time.ParseDuration(s)
		return d, err == nil
	})
}

func mode(dst *fs.FileMode) reader {
	return parsed(dst, `an octal mode as "0640"`, func(s string) (fs.FileMode, bool) {
		m, err := strconv.ParseUint(s, 8, 32)
		return fs.FileMode(m), err == nil
	})
}

func location(dst **time.Location) reader {
	return parsed(dst, `a time zone as "UTC" or "Europe/Oslo"`, func(s string) (*time.Location, bool) {
		l, err := time.LoadLocation(s)
		return l, err == nil
	})
}

// choice reads the name of one of the values.
func choice[T fmt.Stringer](dst *T, all ...T) reader {
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = strconv.Quote(v.String())
	}
	return parsed(dst, strings.Join(names, " or "), func(s string) (v T, ok bool) {
		for _, v := range all {
			if v.String() == s {
				return v, true
			}
		}
		return v, false
	})
}

var units = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// size reads a number of bytes, with a unit if it is a text.
func size(dst *int64) reader {
	const want = `a number of bytes, or a text as "10MB" or "64KiB"`
	return func(path string, raw json.RawMessage) error {
		if raw[0] != '"' {
			return plain(dst, want)(path, raw)
		}
		return parsed(dst, want, parseSize)(path, raw)
	}
}

func parseSize(s string) (int64, bool) {
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
			bytes := n * u.bytes
			return int64(bytes), err == nil && bytes == math.Trunc(bytes) && math.Abs(bytes) < 1<<62
		}
	}
	return 0, false
}
