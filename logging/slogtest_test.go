package logging

import (
	"encoding/json"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/sinks"
)

func TestHandlerKeepsSlogsRules(t *testing.T) {
	console, err := NewConsoleEncoder(ConsoleConfig{Color: ColorNever})
	require.NoError(t, err)
	for _, format := range []struct {
		name   string
		encode sinks.Encoder[Record]
		parse  func(t *testing.T, line string) map[string]any
	}{
		{"JSON", EncodeJSON, parseJSON},
		{"text", EncodeText, parseText},
		{"CLEF", EncodeCLEF, parseCLEF},
		{"console", console, parseConsole},
	} {
		t.Run(format.name, func(t *testing.T) {
			var q *taken
			slogtest.Run(t, func(t *testing.T) slog.Handler {
				q = new(taken)
				return newHandler(t, q, HandlerConfig{})
			}, func(t *testing.T) map[string]any {
				require.Len(t, *q, 1)
				return format.parse(t, string(q.lines(t, format.encode)))
			})
		})
		t.Run(format.name+" in one run", func(t *testing.T) {
			q := new(taken)
			require.NoError(t, slogtest.TestHandler(newHandler(t, q, HandlerConfig{}), func() (all []map[string]any) {
				for line := range strings.Lines(string(q.lines(t, format.encode))) {
					all = append(all, format.parse(t, line))
				}
				return all
			}))
		})
	}
}

func parseJSON(t *testing.T, line string) (m map[string]any) {
	require.NoError(t, json.Unmarshal([]byte(line), &m), line)
	return m
}

// parseCLEF names the marks as slog does.
func parseCLEF(t *testing.T, line string) map[string]any {
	m := parseJSON(t, line)
	for mark, key := range map[string]string{"@t": slog.TimeKey, "@m": slog.MessageKey} {
		if v, ok := m[mark]; ok {
			m[key] = v
		}
	}
	require.NotContains(t, m, "@l")
	m[slog.LevelKey] = "Information" // what a line without @l has
	return m
}

// parseConsole names what has no key. Messages are of one word.
func parseConsole(t *testing.T, line string) map[string]any {
	words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
	head := map[string]any{}
	if _, err := time.Parse(DefaultTimeFormat, words[0]); err == nil {
		head[slog.TimeKey], words = words[0], words[1:]
	}
	head[slog.LevelKey], head[slog.MessageKey] = words[0], words[1]
	m := parseText(t, strings.Join(words[2:], " "))
	maps.Copy(m, head)
	return m
}

// parseText reads key=value pairs whose keys are not quoted.
func parseText(t *testing.T, line string) map[string]any {
	top := map[string]any{}
	for rest := strings.TrimSuffix(line, "\n"); rest != ""; rest = strings.TrimPrefix(rest, " ") {
		key, after, ok := strings.Cut(rest, "=")
		require.True(t, ok, rest)
		value, _, _ := strings.Cut(after, " ")
		rest = after[len(value):]
		if strings.HasPrefix(after, `"`) {
			quoted, err := strconv.QuotedPrefix(after)
			require.NoError(t, err)
			rest = after[len(quoted):]
			value, err = strconv.Unquote(quoted)
			require.NoError(t, err)
		}
		m := top
		parts := strings.Split(key, ".")
		for _, group := range parts[:len(parts)-1] {
			if m[group] == nil {
				m[group] = map[string]any{}
			}
			m = m[group].(map[string]any)
		}
		m[parts[len(parts)-1]] = value
	}
	return top
}
