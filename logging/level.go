package logging

import "log/slog"

// Serilog's six levels on slog's scale, where the four that slog names have
// the numbers it gives them. Each stands for the numbers from its own up to
// the next one's.
const (
	LevelVerbose     = slog.Level(-8)
	LevelDebug       = slog.LevelDebug
	LevelInformation = slog.LevelInfo
	LevelWarning     = slog.LevelWarn
	LevelError       = slog.LevelError
	LevelFatal       = slog.Level(12)
)

var (
	levelNames   = [6]string{"Verbose", "Debug", "Information", "Warning", "Error", "Fatal"}
	levelAbbrevs = [6]string{"VRB", "DBG", "INF", "WRN", "ERR", "FTL"}
)

// LevelName returns the level's name: Verbose, Debug, Information, Warning,
// Error or Fatal. Every number has one, also those between the constants.
func LevelName(l slog.Level) string { return levelNames[rank(l)] }

// LevelAbbrev returns the level's name in three letters: VRB, DBG, INF, WRN,
// ERR or FTL.
func LevelAbbrev(l slog.Level) string { return levelAbbrevs[rank(l)] }

// rank returns which of the six levels l belongs to, from 0.
func rank(l slog.Level) int {
	switch {
	case l < LevelDebug:
		return 0
	case l < LevelInformation:
		return 1
	case l < LevelWarning:
		return 2
	case l < LevelError:
		return 3
	case l < LevelFatal:
		return 4
	}
	return 5
}
