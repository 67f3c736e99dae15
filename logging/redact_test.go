package logging

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

const hunter = "hunter2"

// account is a value that says its secret in a group.
type account struct{}

func (account) LogValue() slog.Value {
	return slog.GroupValue(slog.String("user", "ada"), slog.String("PassWord", hunter))
}

// login is logged as one value.
type login struct {
	User     string
	Password string `json:"password"`
}

// unspeakable has methods that must not be called.
type unspeakable struct{ t *testing.T }

func (u unspeakable) LogValue() slog.Value { u.t.Error("LogValue was called"); return slog.Value{} }

func TestNoFormatShowsASecret(t *testing.T) {
	console, err := NewConsoleEncoder(ConsoleConfig{Color: ColorNever})
	require.NoError(t, err)
	formats := map[string]sinks.Encoder[Record]{"json": EncodeJSON, "text": EncodeText, "clef": EncodeCLEF, "console": console}
	uses := map[string]func(*slog.Logger, *Logger){
		"attribute":  func(l *slog.Logger, _ *Logger) { l.Info("m", "password", hunter) },
		"case":       func(l *slog.Logger, _ *Logger) { l.Info("m", "PASSWORD", hunter) },
		"bytes":      func(l *slog.Logger, _ *Logger) { l.Info("m", "password", []byte(hunter)) },
		"error":      func(l *slog.Logger, _ *Logger) { l.Info("m", "Token", errors.New(hunter)) },
		"group":      func(l *slog.Logger, _ *Logger) { l.Info("m", slog.Group("a", slog.Group("b", "token", hunter))) },
		"group name": func(l *slog.Logger, _ *Logger) { l.Info("m", slog.Group("token", "value", hunter)) },
		"With": func(l *slog.Logger, _ *Logger) {
			l.With("token", hunter).WithGroup("g").With("Token", hunter).Info("m")
		},
		"WithGroup": func(l *slog.Logger, _ *Logger) { l.WithGroup("token").With("a", hunter).Info("m", "b", hunter) },
		"inside WithGroup": func(l *slog.Logger, _ *Logger) {
			l.WithGroup("token").WithGroup("g").Info("m", slog.Group("", "b", hunter), slog.Any("", errors.New(hunter)))
		},
		"LogValuer": func(l *slog.Logger, _ *Logger) { l.Info("m", "account", account{}) },
		"struct":    func(l *slog.Logger, _ *Logger) { l.Info("m", "login", login{"ada", hunter}) },
		"pointer":   func(l *slog.Logger, _ *Logger) { l.Info("m", "login", &login{"ada", hunter}) },
		"slice":     func(l *slog.Logger, _ *Logger) { l.Info("m", "logins", []login{{"ada", ""}, {"bob", hunter}}) },
		"map": func(l *slog.Logger, _ *Logger) {
			l.Info("m", "form", map[string]any{"TOKEN": []any{hunter, map[string]any{"a": hunter}}, "z": 1})
		},
		"any in a group": func(l *slog.Logger, _ *Logger) { l.WithGroup("g").With("a", []any{login{"ada", hunter}}).Info("m") },
		"JSON": func(l *slog.Logger, _ *Logger) {
			l.Info("m", "body", json.RawMessage(`{"user":"ada", "t\u006fken": "`+hunter+`"}`))
		},
		"rendered": func(l *slog.Logger, _ *Logger) { l.Info("m", "login", Render(login{"ada", hunter}, FormJSON|FormText)) },
		"structure": func(_ *slog.Logger, l *Logger) {
			l.Information("{@Login} {Again} {X,5:j}", login{"ada", hunter}, []login{{"ada", hunter}}, map[string]string{"token": hunter})
		},
		"not called":    func(l *slog.Logger, _ *Logger) { l.Info("m", "token", unspeakable{t}) },
		"context":       func(l *slog.Logger, _ *Logger) { l.InfoContext(context.WithValue(t.Context(), key{}, hunter), "m") },
		"hole":          func(_ *slog.Logger, l *Logger) { l.Information("log in with {Password}", hunter) },
		"rendering":     func(_ *slog.Logger, l *Logger) { l.Information("log in with {Password:l}", hunter) },
		"index":         func(_ *slog.Logger, l *Logger) { l.Information("{0} {1}", "a", hunter) },
		"surplus":       func(_ *slog.Logger, l *Logger) { l.Information("{A}", "a", hunter) },
		"group in hole": func(_ *slog.Logger, l *Logger) { l.Information("log in with {Account}", account{}) },
		"group as text": func(_ *slog.Logger, l *Logger) {
			l.Information("log in with {$Account} {@Again}", account{}, account{})
		},
		"ForContext": func(_ *slog.Logger, l *Logger) { l.ForContext(slog.String("password", hunter)).Information("m") },
		"hole in group": func(l *slog.Logger, _ *Logger) {
			templates, err := NewLogger(l.WithGroup("token").Handler(), LoggerConfig{})
			require.NoError(t, err)
			templates.Information("log in with {Word}", hunter)
		},
	}
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			var q taken
			h := newHandler(t, &q, HandlerConfig{
				Redact:  []string{"password", "token", "1", "__1"},
				Extract: []Extractor{func(ctx context.Context, attrs []slog.Attr) []slog.Attr { return extractKey(ctx, attrs) }},
			})
			templates, err := NewLogger(h, LoggerConfig{})
			require.NoError(t, err)
			use(slog.New(h), templates)
			require.Len(t, q, 1)
			for format, encode := range formats {
				line := encoded(t, encode, q[0])
				require.NotContains(t, line, hunter, format)
				require.Contains(t, line, Redacted, format)
			}
			require.NotContains(t, q[0].Message+strings.Join(q[0].Renderings(), ""), hunter)
		})
	}
}

type key struct{}

func extractKey(ctx context.Context, attrs []slog.Attr) []slog.Attr {
	if v, ok := ctx.Value(key{}).(string); ok {
		attrs = append(attrs, slog.String("Token", v))
	}
	return attrs
}

// The rest of a message is as it was.
func TestMessagesAreRenderedAnew(t *testing.T) {
	boom := errors.New("no such user")
	for _, c := range []struct {
		unquoted bool
		template string
		args     []any
		want     string
		rendered []string
	}{
		{false, "{User} with {Password} from {Host,6}: {Err}", []any{"ada", hunter, "here", boom},
			`"ada" with "[redacted]" from "here": "no such user"`, nil},
		{true, "{User} with {Password} from {Host,6}: {Err}", []any{"ada", hunter, "here", boom},
			`ada with [redacted] from   here: no such user`, nil},
		{false, "{Price:0.00} {Password:l} {Missing:x}", []any{3, hunter}, `3.00 [redacted] {Missing:x}`, []string{"3.00", "[redacted]", "{Missing:x}"}},
		{false, "{Price:0.00} {{and}}", []any{3}, `3.00 {and}`, []string{"3.00"}},
		{false, "{Password} {Password}", []any{hunter}, `"[redacted]" "[redacted]"`, nil},
	} {
		var q taken
		l, err := NewLogger(newHandler(t, &q, HandlerConfig{Redact: []string{"password"}}), LoggerConfig{Unquoted: c.unquoted})
		require.NoError(t, err)
		l.Information(c.template, c.args...)
		require.Equal(t, c.want, q[0].Message)
		require.Equal(t, c.template, q[0].Template)
		require.Equal(t, c.rendered, q[0].Renderings())
	}
}

func TestRedactHasNames(t *testing.T) {
	_, err := NewHandler(&taken{}, HandlerConfig{Redact: []string{"a", ""}})
	var bad *pipeline.ConfigError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, "Redact[1]", bad.Field)
}
