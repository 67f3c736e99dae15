package logging

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// mutable is an error and a Stringer that changes.
type mutable struct{ text []byte }

func (m *mutable) Error() string { return string(m.text) }

// A caller may change what it logged as soon as the call returns, while the
// flusher encodes; the race detector watches.
func TestRecordIsASnapshot(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var jsons, texts strings.Builder
		fan := newFan(t, w, &jsons, &texts)
		logger := slog.New(newHandler(t, fan, HandlerConfig{}))
		const calls = 200
		for range calls {
			slice, list := []byte("bytes"), []any{1, "two"}
			m, p := map[string]int{"a": 1}, &point{X: 1, S: "s"}
			group := []slog.Attr{slog.String("in", "side"), slog.Any("list", list)}
			err := &mutable{[]byte("broken")}
			source := &slog.Source{File: "f.go", Line: 7}
			with := []any{"with", list}
			logger.With(with...).Info("m", "bytes", slice, "map", m, "ptr", p, "err", err,
				"wrapped", fmt.Errorf("w: %w", err), "group", group, "src", source, "value", &later{m})
			slice[0], list[0], m["a"], p.X, err.text[0], source.Line, with[0] = 'X', 'X', 'X', 'X', 'X', 'X', "X"
			group[0], group[1] = slog.Attr{}, slog.Attr{}
		}
		require.NoError(t, fan.Close(t.Context()))
		for line := range strings.Lines(jsons.String()) {
			_, line, _ = strings.Cut(line, `"msg":`)
			require.Equal(t, `"m","with":[1,"two"],"bytes":"Ynl0ZXM=","map":{"a":1},"ptr":{"X":1,"s":"s","In":null},"err":"broken",`+
				`"wrapped":"w: broken","group":{"in":"side","list":[1,"two"]},"src":{"file":"f.go","line":7},"value":{"a":1}}`+"\n", line)
		}
		for line := range strings.Lines(texts.String()) {
			_, line, _ = strings.Cut(line, `msg=`)
			require.Equal(t, `m with="[1 two]" bytes="bytes" map=map[a:1] ptr="&{X:1 S:s In:<nil>}" err=broken wrapped="w: broken" `+
				`group.in=side group.list="[1 two]" src=f.go:7 value=map[a:1]`+"\n", line)
		}
		require.Equal(t, calls, strings.Count(jsons.String(), "\n"))
		require.Equal(t, calls, strings.Count(texts.String(), "\n"))
	})
}

type later struct{ m map[string]int }

func (l *later) LogValue() slog.Value { return slog.AnyValue(l.m) }

// newFan is a fan of two pipelines, JSON and text.
func newFan(t *testing.T, w *clocktest.World, jsons, texts *strings.Builder) *pipeline.Fan[Record] {
	var ps []*pipeline.Pipeline[Record]
	for _, out := range []struct {
		to     *strings.Builder
		encode sinks.Encoder[Record]
	}{{jsons, EncodeJSON}, {texts, EncodeText}} {
		sink, err := sinks.NewWriter(out.to, out.encode)
		require.NoError(t, err)
		p, err := pipeline.New[Record](sink, pipeline.Config[Record]{Clock: w.Clock(), BatchSize: 4})
		require.NoError(t, err)
		ps = append(ps, p)
	}
	fan, err := pipeline.NewFan(ps...)
	require.NoError(t, err)
	return fan
}

// selves are values that contain themselves.
func selves() map[string]any {
	m := map[string]any{}
	m["self"] = m
	s := []any{nil}
	s[0] = s
	type node struct{ Next *node }
	n := &node{}
	n.Next = n
	var i any
	i = &i
	group := make([]slog.Attr, 1)
	group[0] = slog.Attr{Key: "g", Value: slog.GroupValue(group...)}
	return map[string]any{
		"map": m, "slice": s, "pointer": n, "interface": i, "struct": struct{ M any }{m}, "array": [1]any{s},
		"group": group, "valuer": endless{}, "twins": twins{}, "self": itself{},
	}
}

type (
	endless struct{} // a group with itself in it
	twins   struct{} // twice
	itself  struct{} // never resolved
)

func (e endless) LogValue() slog.Value { return slog.GroupValue(slog.Any("e", e)) }
func (e twins) LogValue() slog.Value   { return slog.GroupValue(slog.Any("a", e), slog.Any("b", e)) }
func (e itself) LogValue() slog.Value  { return slog.AnyValue(e) }

func TestValuesThatContainThemselves(t *testing.T) {
	for name, v := range selves() {
		t.Run(name, func(t *testing.T) {
			r := record(t, HandlerConfig{}, func(l *slog.Logger) { l.Info("m", "k", v, "z", 1) })
			for _, encode := range []sinks.Encoder[Record]{EncodeJSON, EncodeCLEF} {
				line := encoded(t, encode, r)
				require.True(t, json.Valid([]byte(line)))
				require.True(t, strings.HasSuffix(line, `,"z":1}`))
				require.True(t, strings.Contains(line, "ERROR") || strings.Contains(line, "LogValue called too many times"), line)
			}
			require.True(t, strings.HasSuffix(encoded(t, EncodeText, r), " z=1"))
		})
	}
}

func TestValuesThatPanic(t *testing.T) {
	for _, c := range []struct {
		name       string
		v          any
		json, text string
	}{
		{"error and text", thrower("no"), `"!PANIC: no"`, `"!PANIC: no"`},
		{"JSON", panicJSON{}, `"!PANIC: no json"`, `{}`},
		{"string", panicString{}, `{}`, `"%!v(PANIC=String method: no string)"`},
		{"nil error", (*pathError)(nil), `"<nil>"`, `<nil>`},
		{"nil time", (*time.Time)(nil), `null`, `<nil>`},
		{"nil pointer", (*point)(nil), `null`, `<nil>`},
		{"panic with a map that contains itself", panicWith{selves()["map"]},
			`"!PANIC: !ERROR:map[string]interface {} contains itself, or is nested more than 1000 deep"`, ``},
		{"channel", make(chan int), `"!ERROR:json: unsupported type: chan int"`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := record(t, HandlerConfig{}, func(l *slog.Logger) { l.Info("m", "k", c.v) })
			require.Equal(t, `{"level":"INFO","msg":"m","k":`+c.json+`}`, encoded(t, EncodeJSON, r))
			if c.text != "" {
				require.Equal(t, `level=INFO msg=m k=`+c.text, encoded(t, EncodeText, r))
			}
		})
	}
	r := record(t, HandlerConfig{}, func(l *slog.Logger) { l.Info("m", "k", panicValue{}) })
	require.Contains(t, encoded(t, EncodeJSON, r), `"k":"LogValue panicked`)
}

type (
	panicJSON   struct{}
	panicString struct{}
	panicValue  struct{}
	panicWith   struct{ v any }
)

func (panicJSON) MarshalJSON() ([]byte, error)   { panic(errors.New("no json")) }
func (panicString) String() string               { panic("no string") }
func (panicValue) LogValue() slog.Value          { panic("no value") }
func (p panicWith) MarshalJSON() ([]byte, error) { panic(p.v) }

func TestForms(t *testing.T) {
	use := func(l *slog.Logger) { l.Info("m", "k", []int{1, 2}, "e", errors.New("broken"), "b", []byte("x")) }
	require.Equal(t, `{"level":"INFO","msg":"m","k":"[1 2]","e":"broken","b":"x"}`, logged(t, EncodeJSON, HandlerConfig{Forms: FormText}, use))
	require.Equal(t, `level=INFO msg=m k=[1,2] e=broken b="\"eA==\""`, logged(t, EncodeText, HandlerConfig{Forms: FormJSON}, use))
	require.Equal(t, `{"level":"INFO","msg":"m","k":[1,2],"e":"broken","b":"eA=="}`, logged(t, EncodeJSON, HandlerConfig{Forms: FormJSON}, use))
	require.Equal(t, `level=INFO msg=m k="[1 2]" e=broken b="x"`, logged(t, EncodeText, HandlerConfig{Forms: FormText}, use))
}

func TestRenderedReadsAlikeEverywhere(t *testing.T) {
	r := Render(&point{X: 1, S: "s"}, FormJSON|FormText)
	data, err := json.Marshal(r)
	require.NoError(t, err)
	assert.Equal(t, `{"X":1,"s":"s","In":null}`, string(data))
	text, err := r.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, `&{X:1 S:s In:<nil>}`, string(text))
	assert.Equal(t, `&{X:1 S:s In:<nil>}`, r.String())
	assert.False(t, r.IsError())
	assert.True(t, Render(errors.New("x"), FormText).IsError())

	again := record(t, HandlerConfig{}, func(l *slog.Logger) { l.Info("m", "k", r) })
	assert.Same(t, r, again.Attrs()[0].Value.Any())
}

// A stage may put any value into a record.
func TestEncodersRenderWhatAStageAdds(t *testing.T) {
	var r Record
	r.SetAttrs([]slog.Attr{slog.Any("k", []int{1}), slog.Group("g"), slog.Any("n", nil)})
	require.Equal(t, `{"level":"INFO","msg":"","k":[1],"n":null}`, encoded(t, EncodeJSON, r))
	require.Equal(t, `level=INFO msg="" k=[1] n=<nil>`, encoded(t, EncodeText, r))
	require.Equal(t, `{"@m":"","k":[1],"g":{},"n":null}`, encoded(t, EncodeCLEF, r))
}

// Package fmt looks into a reflect.Value, of which JSON sees nothing.
func TestReflectedValuesThatContainThemselves(t *testing.T) {
	line := logged(t, EncodeText, HandlerConfig{}, func(l *slog.Logger) { l.Info("m", "k", reflect.ValueOf(selves()["map"])) })
	require.Contains(t, line, `k="!ERROR:reflect.Value contains itself, or is nested more than 1000 deep"`)
}
