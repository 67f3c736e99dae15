package logging

import (
	"encoding/json"
	"flag"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseLevel(t *testing.T) {
	for text, want := range map[string]slog.Level{
		"Verbose": LevelVerbose, "vrb": LevelVerbose,
		"Debug": LevelDebug, "dbg": LevelDebug,
		"Information": LevelInformation, "inf": LevelInformation, "info": LevelInformation,
		"Warning": LevelWarning, "wrn": LevelWarning, "warn": LevelWarning,
		"Error": LevelError, "err": LevelError,
		"Fatal": LevelFatal, "ftl": LevelFatal,
		"info+2": 2, "ERROR-1": 7,
	} {
		for _, text := range []string{text, strings.ToLower(text), strings.ToUpper(text)} {
			got, err := ParseLevel(text)
			require.NoError(t, err)
			require.Equal(t, want, got, text)
		}
	}
	for _, text := range []string{"", "inform", "7", " info", "fatal+1", "info+x"} {
		_, err := ParseLevel(text)
		require.ErrorContains(t, err, `"`+text+`"`)
		require.ErrorContains(t, err, "Information")
	}
}

func TestLevelText(t *testing.T) {
	for l := slog.Level(-20); l <= 20; l++ {
		text, err := Level(l).MarshalText()
		require.NoError(t, err)
		var back Level
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, l, back.Level(), string(text))
	}
	require.Equal(t, "Warning", Level(LevelWarning).String())
	require.Equal(t, "WARN+1", Level(LevelWarning+1).String())

	var cfg struct{ Level Level }
	require.NoError(t, json.Unmarshal([]byte(`{"Level":"wrn"}`), &cfg))
	require.Equal(t, LevelWarning, cfg.Level.Level())
	require.Error(t, json.Unmarshal([]byte(`{"Level":"loud"}`), &cfg))
	require.Equal(t, LevelWarning, cfg.Level.Level(), "an error changes nothing")

	var l Level
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.TextVar(&l, "level", Level(LevelInformation), "")
	require.NoError(t, flags.Parse([]string{"-level", "vrb"}))
	require.Equal(t, LevelVerbose, l.Level())
	require.False(t, slog.New(newHandler(t, new(taken), HandlerConfig{Level: Level(LevelWarning)})).Enabled(t.Context(), LevelInformation))
}
