package logging

import (
	"log/slog"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLevelNames(t *testing.T) {
	for _, c := range []struct {
		from, to slog.Level
		name     string
		abbrev   string
	}{
		{math.MinInt, LevelDebug - 1, "Verbose", "VRB"},
		{LevelVerbose, LevelVerbose, "Verbose", "VRB"},
		{LevelDebug, LevelInformation - 1, "Debug", "DBG"},
		{LevelInformation, LevelWarning - 1, "Information", "INF"},
		{LevelWarning, LevelError - 1, "Warning", "WRN"},
		{LevelError, LevelFatal - 1, "Error", "ERR"},
		{LevelFatal, math.MaxInt, "Fatal", "FTL"},
	} {
		for _, l := range []slog.Level{c.from, c.to} {
			assert.Equal(t, c.name, LevelName(l), "%d", l)
			assert.Equal(t, c.abbrev, LevelAbbrev(l), "%d", l)
		}
	}
}
