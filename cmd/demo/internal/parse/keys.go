package parse

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-go/penstock/logging"
)

var (
	timeKeys    = map[string]bool{"time": true, "ts": true, "timestamp": true, "@timestamp": true, "@t": true}
	levelKeys   = map[string]bool{"level": true, "lvl": true, "severity": true, "@l": true}
	messageKeys = map[string]bool{"msg": true, "message": true, "@m": true}
)

// layouts are those of times in words, beside RFC 3339. Fractions of a second
// are read in each; a time without a zone is UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700",
	"2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
}

// timeOf reads a text of one of the layouts, or a number of seconds, or if that
// would be after the year 5000 of milliseconds, microseconds or nanoseconds,
// since 1970.
func timeOf(v slog.Value) (time.Time, bool) {
	switch v.Kind() {
	case slog.KindString:
		text := strings.Replace(v.String(), ",", ".", 1)
		for _, layout := range layouts {
			if t, err := time.Parse(layout, text); err == nil && t.Year() >= 0 && t.Year() <= 9999 && !t.IsZero() {
				return t, true
			}
		}
	case slog.KindInt64:
		return sinceEpoch(v.Int64(), 0)
	case slog.KindFloat64:
		return sinceEpochText(strconv.FormatFloat(v.Float64(), 'f', -1, 64))
	case slog.KindAny:
		if n, ok := v.Any().(*logging.Rendered); ok {
			var number json.Number
			if text, err := n.MarshalJSON(); err == nil && json.Unmarshal(text, &number) == nil {
				return sinceEpochText(string(number))
			}
		}
	}
	return time.Time{}, false
}

// sinceEpochText reads whole seconds and a fraction of up to nine digits.
func sinceEpochText(text string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(fraction) > 9 || seconds < 0 {
		return time.Time{}, false
	}
	nanos, err := strconv.ParseUint(fraction+"000000000"[len(fraction):], 10, 32)
	if err != nil {
		return time.Time{}, false
	}
	return sinceEpoch(seconds, int64(nanos))
}

func sinceEpoch(n, nanos int64) (time.Time, bool) {
	const last = 95_617_584_000 // 5000-01-01 in seconds
	var t time.Time
	switch {
	case n <= 0:
		return t, false
	case n < last:
		return time.Unix(n, nanos).UTC(), true
	case nanos != 0:
		return t, false
	case n < last*1e3:
		t = time.UnixMilli(n)
	case n/1e6 < last:
		t = time.UnixMicro(n)
	default:
		t = time.Unix(0, n)
	}
	return t.UTC(), true
}

// synonyms are names of levels that logging.ParseLevel does not know.
var synonyms = map[string]slog.Level{
	"trace": logging.LevelVerbose, "notice": logging.LevelInformation,
	"critical": logging.LevelFatal, "crit": logging.LevelFatal, "panic": logging.LevelFatal, "dpanic": logging.LevelFatal,
	"alert": logging.LevelFatal, "emerg": logging.LevelFatal, "emergency": logging.LevelFatal,
}

// levelOf reads a name, or a number as bunyan and pino write it, from 10 for
// trace to 60 for fatal.
func levelOf(v slog.Value) (slog.Level, bool) {
	switch v.Kind() {
	case slog.KindString:
		if l, ok := synonyms[strings.ToLower(v.String())]; ok {
			return l, true
		}
		l, err := logging.ParseLevel(v.String())
		return l, err == nil
	case slog.KindInt64:
		if n := v.Int64(); n >= 10 && n <= 60 && n%10 == 0 {
			return logging.LevelVerbose + slog.Level(4*(n/10-1)), true
		}
	}
	return 0, false
}
