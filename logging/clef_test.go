package logging

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEncodeCLEF(t *testing.T) {
	traced := formatter("x") // has more to say with %+v
	for _, c := range []struct {
		name string
		use  func(*slog.Logger)
		want string
	}{
		{"a message", func(l *slog.Logger) { l.Info("m") }, `{"@m":"m"}`},
		{"a level", func(l *slog.Logger) { l.Warn("m") }, `{"@m":"m","@l":"Warning"}`},
		{"a level in between", func(l *slog.Logger) { l.Log(t.Context(), 3, "m") }, `{"@m":"m"}`},
		{"keys with @", func(l *slog.Logger) { l.Info("m", "@m", 1, "@@m", 2, slog.Group("@g", "@x", 3)) },
			`{"@m":"m","@@m":1,"@@@m":2,"@@g":{"@x":3}}`},
		{"an error", func(l *slog.Logger) { l.Info("m", "err", errors.New("no"), "a", 1) }, `{"@m":"m","@x":"no","a":1}`},
		{"an error with a stack", func(l *slog.Logger) { l.Info("m", "error", traced) }, `{"@m":"m","@x":"\"x\"+true"}`},
		{"two errors", func(l *slog.Logger) { l.With("err", errors.New("1")).Info("m", "error", errors.New("2")) },
			`{"@m":"m","@x":"2","err":"1"}`},
		{"one error after another", func(l *slog.Logger) { l.With("err", errors.New("1")).Info("m", "err", errors.New("2")) },
			`{"@m":"m","@x":"2"}`},
		{"an error by another key", func(l *slog.Logger) { l.Info("m", "cause", errors.New("no")) }, `{"@m":"m","cause":"no"}`},
		{"a text for an error", func(l *slog.Logger) { l.Info("m", "err", "no", "error", []int{1}) }, `{"@m":"m","err":"no","error":[1]}`},
		{"an error in a group", func(l *slog.Logger) { l.WithGroup("g").Info("m", "err", errors.New("no")) }, `{"@m":"m","g":{"err":"no"}}`},
		{"a trace", func(l *slog.Logger) { l.Info("m", TraceIDKey, "t1", SpanIDKey, "s1") }, `{"@m":"m","@tr":"t1","@sp":"s1"}`},
		{"no trace", func(l *slog.Logger) { l.Info("m", TraceIDKey, 1, SpanIDKey, 2) }, `{"@m":"m","trace_id":1,"span_id":2}`},
		{"a key twice", func(l *slog.Logger) { l.With("a", 1, "b", 2).Info("m", "a", 3, slog.Group("g", "c", 4, "c", 5)) },
			`{"@m":"m","b":2,"a":3,"g":{"c":5}}`},
		{"a group without a name", func(l *slog.Logger) { l.Info("m", "a", 1, slog.Group("", "a", 2, "b", 3)) }, `{"@m":"m","a":2,"b":3}`},
		{"a source without a name", func(l *slog.Logger) { l.Info("m", "", &slog.Source{File: "f"}, "file", "g") }, `{"@m":"m","file":"g"}`},
		{"keys that are no UTF-8", func(l *slog.Logger) { l.Info("m", "\xff", 1, "\xfe", 2) }, `{"@m":"m","` + "\ufffd" + `":2}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, logged(t, EncodeCLEF, HandlerConfig{}, c.use))
		})
	}
}

func TestEncodeCLEFKeepsOneOfManyKeys(t *testing.T) {
	line := logged(t, EncodeCLEF, HandlerConfig{}, func(l *slog.Logger) {
		var attrs []any
		for i := range 100 {
			attrs = append(attrs, slog.Int(fmt.Sprint(i%40), i))
		}
		l.Info("m", attrs...)
	})
	m := parseJSON(t, line)
	require.Len(t, m, 41)
	require.Equal(t, 99.0, m["19"])
	require.Equal(t, 79.0, m["39"])
}

func TestEncodeCLEFWritesUTC(t *testing.T) {
	r := Record{Time: time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.FixedZone("", 3600))}
	require.Equal(t, `{"@t":"2026-03-04T04:06:07.123456789Z","@m":""}`, encoded(t, EncodeCLEF, r))
}

func TestHashTemplate(t *testing.T) {
	for template, want := range map[string]uint32{
		"": 0, "a": 0xca2e9442, "The quick brown fox jumps over the lazy dog": 0x519e91f5,
		"é": 0x7d4b7a55, "\U0001f600": 0x5c28937a,
	} {
		assert.Equal(t, want, hashTemplate(template), template)
	}
	assert.Contains(t, encoded(t, EncodeCLEF, Record{Template: "\x00"}), `"@i":"00000000"`)
}
