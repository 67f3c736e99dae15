package logging

import (
	"fmt"
	"log/slog"
	"strings"
)

// ParseLevel reads a level's full name, its three letters, or slog's name for
// it, in upper or lower case: "Information", "inf" and "INFO" are one level.
// slog's offsets ("INFO+2") are for levels between names. The error names the
// text and what would have been right.
func ParseLevel(text string) (slog.Level, error) {
	for i := range levelNames {
		if strings.EqualFold(text, levelNames[i]) || strings.EqualFold(text, levelAbbrevs[i]) {
			return LevelVerbose + slog.Level(4*i), nil
		}
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(text)); err != nil {
		return 0, fmt.Errorf("penstock: level %q: want one of %s, or three letters, or slog's names",
			text, strings.Join(levelNames[:], ", "))
	}
	return l, nil
}

// Level is a slog.Level in a configuration: it reads what [ParseLevel] reads,
// from JSON, a flag (flag.TextVar), or whatever else goes by
// encoding.TextUnmarshaler. It is a slog.Leveler. The zero value is
// Information.
type Level slog.Level

// Level implements slog.Leveler.
func (l Level) Level() slog.Level { return slog.Level(l) }

// String returns the level's full name if it has one, else slog's name with an
// offset. ParseLevel reads both.
func (l Level) String() string {
	name := LevelName(slog.Level(l))
	if named, err := ParseLevel(name); err == nil && named == slog.Level(l) {
		return name
	}
	return slog.Level(l).String()
}

// MarshalText returns String's text.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is [ParseLevel]; on an error l is as before.
func (l *Level) UnmarshalText(text []byte) error {
	parsed, err := ParseLevel(string(text))
	if err == nil {
		*l = Level(parsed)
	}
	return err
}
