package logging

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

func newConsole(t *testing.T, cfg ConsoleConfig) sinks.Encoder[Record] {
	encode, err := NewConsoleEncoder(cfg)
	require.NoError(t, err)
	return encode
}

func TestConsole(t *testing.T) {
	plain := newConsole(t, ConsoleConfig{Color: ColorNever})
	for _, c := range []struct {
		use  func(*slog.Logger)
		want string
	}{
		{func(l *slog.Logger) { l.Info("gate open") }, `INF gate open`},
		{func(l *slog.Logger) { l.Error("m", "a", 1, "b", "two words") }, `ERR m a=1 b="two words"`},
		{func(l *slog.Logger) {
			l.With("a", 1).WithGroup("g").Warn("m", slog.Group("h", "b", 2), slog.Group("", "c", 3))
		},
			`WRN m a=1 g.h.b=2 g.c=3`},
		{func(l *slog.Logger) { l.Info("two\nlines\x1b[2J \xff é\u202e") }, `INF two\nlines\x1b[2J \xff é\u202e`},
		{func(l *slog.Logger) { l.Info("\ufffd") }, "INF \ufffd"},
	} {
		require.Equal(t, c.want, logged(t, plain, HandlerConfig{}, c.use))
	}
	source := logged(t, plain, HandlerConfig{AddSource: true}, func(l *slog.Logger) { l.Info("m", "a", 1) })
	require.Regexp(t, `^INF m .*console_test\.go:\d+ a=1$`, source)
}

func TestConsoleTime(t *testing.T) {
	r := Record{Time: time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.UTC), Message: "m"}
	require.Equal(t, `05:06:07.123 INF m`, encoded(t, newConsole(t, ConsoleConfig{Color: ColorNever}), r))
	require.Equal(t, `07:06 INF m`, encoded(t, newConsole(t, ConsoleConfig{
		Color: ColorNever, TimeFormat: "15:04", Location: time.FixedZone("", 7200),
	}), r))
}

func TestConsoleColors(t *testing.T) {
	r := Record{Time: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Level: slog.LevelError, Message: "m"}
	r.SetAttrs([]slog.Attr{slog.Int("a", 1)})
	require.Equal(t, "\x1b[90m05:06:07.000\x1b[0m \x1b[31mERR\x1b[0m m \x1b[36ma=\x1b[0m1",
		encoded(t, newConsole(t, ConsoleConfig{Color: ColorAlways}), r))
}

func TestConsoleDecidesOnColors(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal is
	require.NoError(t, err)
	defer func() { require.NoError(t, device.Close()) }()

	for _, c := range []struct {
		name            string
		color           Color
		stream          *os.File
		force, no, term string
		want            bool
	}{
		{"a terminal", ColorAuto, device, "", "", "xterm", true},
		{"a file", ColorAuto, file, "", "", "xterm", false},
		{"dumb", ColorAuto, device, "", "", "dumb", false},
		{"NO_COLOR", ColorAuto, device, "", "1", "xterm", false},
		{"FORCE_COLOR", ColorAuto, file, "1", "", "xterm", true},
		{"FORCE_COLOR=0", ColorAuto, device, "0", "", "xterm", false},
		{"FORCE_COLOR=false", ColorAuto, device, "false", "", "xterm", false},
		{"both", ColorAuto, file, "1", "1", "xterm", true},
		{"always", ColorAlways, file, "0", "1", "dumb", true},
		{"never", ColorNever, device, "1", "", "xterm", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("FORCE_COLOR", c.force)
			t.Setenv("NO_COLOR", c.no)
			t.Setenv("TERM", c.term)
			line := encoded(t, newConsole(t, ConsoleConfig{Color: c.color, Stream: c.stream}), Record{})
			assert.Equal(t, c.want, line != "INF ", "%q", line)
		})
	}
}

func TestNewConsoleEncoderRefuses(t *testing.T) {
	_, err := NewConsoleEncoder(ConsoleConfig{Color: 3})
	var bad *pipeline.ConfigError
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, "Color", bad.Field)
}
