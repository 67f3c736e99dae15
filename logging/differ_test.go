package logging

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The differences from slog's handlers that the encoders state. If slog comes
// to agree, its part here fails, and the statement goes.
func TestEncodersDifferFromSlog(t *testing.T) {
	far := time.Date(12345, 1, 2, 3, 4, 5, 678e6, time.UTC)
	hollow := slog.Group("g", slog.Attr{})
	for _, c := range []struct {
		name       string
		args       []any
		json, text string
	}{
		{"a year of five digits", []any{"t", far},
			`"t":"!ERROR:time.Time year outside of range [0,9999]"`, `t=12345-01-02T03:04:05.678Z`},
		{"a year before Christ", []any{"t", time.Date(-1, 1, 2, 3, 4, 5, 678e6, time.FixedZone("", -3600))},
			`"t":"!ERROR:time.Time year outside of range [0,9999]"`, `t=-0001-01-02T03:04:05.678-01:00`},
		{"a group whose members are left out", []any{hollow, "b", 2}, `"b":2`, `b=2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			use := func(l *slog.Logger) { l.Info("m", c.args...) }
			require.Equal(t, `{"level":"INFO","msg":"m",`+c.json+`}`, logged(t, EncodeJSON, HandlerConfig{}, use))
			require.Equal(t, `level=INFO msg=m `+c.text, logged(t, EncodeText, HandlerConfig{}, use))
			var theirs bytes.Buffer
			use(slog.New(slog.NewJSONHandler(&theirs, nil)))
			require.False(t, json.Valid(theirs.Bytes()), "%s", theirs.Bytes())
			theirs.Reset()
			use(slog.New(slog.NewTextHandler(&theirs, nil)))
			require.NotContains(t, theirs.String(), " msg=m "+c.text+"\n")
		})
	}
	empty := func(l *slog.Logger) { l.WithGroup("g").Info("m", "k", valuer{slog.GroupValue()}) }
	require.Equal(t, `{"level":"INFO","msg":"m"}`, logged(t, EncodeJSON, HandlerConfig{}, empty))
	var theirs bytes.Buffer
	empty(slog.New(slog.NewJSONHandler(&theirs, nil)))
	require.Contains(t, theirs.String(), `"g":{}`)
}

// Values with methods that disagree or fail are what slog's handlers make of
// them, whatever forms are asked for.
func TestEncodersAgreeWithSlog(t *testing.T) {
	type unusual struct {
		name  string
		value any
	}
	all := []unusual{
		{"an error that panics", unsaid("oh")},
		{"an error whose JSON fails", unmarshaled("oh")},
		{"an error whose JSON panics", bombError{bomb{1, "oh"}}},
		{"a panic with a struct", bomb{1, "oh"}},
		{"bytes that are an error", octetError("oh")},
		{"a hundred hours east", time.Date(2020, 1, 2, 3, 4, 5, 6e6, time.FixedZone("", 400_000))},
		{"a hundred hours west", time.Date(2020, 1, 2, 3, 4, 5, 6e6, time.FixedZone("", -400_000))},
		{"seconds east", time.Date(2020, 1, 2, 3, 4, 5, 6e6, time.FixedZone("", 59))},
		{"a reflect.Value", reflect.ValueOf(map[string]int{"a": 1})},
		{"a thousand slices", inSlices(1000)},
	}
	for _, u := range all {
		for _, forms := range []Forms{FormJSON, FormText, FormJSON | FormText} {
			t.Run(fmt.Sprint(u.name, forms), func(t *testing.T) {
				use := func(l *slog.Logger) { l.Info("m", "v", u.value, slog.Group("g", "v", u.value)) }
				untimed := func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey {
						return slog.Attr{}
					}
					return a
				}
				var theirs bytes.Buffer
				if forms&FormJSON != 0 {
					use(slog.New(slog.NewJSONHandler(&theirs, &slog.HandlerOptions{ReplaceAttr: untimed})))
					require.Equal(t, theirs.String(), logged(t, EncodeJSON, HandlerConfig{Forms: forms}, use)+"\n")
				}
				theirs.Reset()
				if forms&FormText != 0 {
					use(slog.New(slog.NewTextHandler(&theirs, &slog.HandlerOptions{ReplaceAttr: untimed})))
					require.Equal(t, theirs.String(), logged(t, EncodeText, HandlerConfig{Forms: forms}, use)+"\n")
				}
			})
		}
	}
}

// bombError is an error whose JSON panics.
type bombError struct{ bomb }

func (e bombError) Error() string { return e.S }

// inSlices returns a slice in so many slices.
func inSlices(n int) (v any) {
	for range n {
		v = []any{v}
	}
	return v
}

func TestAppendJSONFloat(t *testing.T) {
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1.5, 1e-6, 9.99e-7, 1e-9, 1e-10, 1e20, 1e21, -1e21, 1e100, 1e-100,
		math.MaxFloat64, math.SmallestNonzeroFloat64, math.Pi} {
		want, err := json.Marshal(f)
		require.NoError(t, err)
		require.Equal(t, string(want), string(appendJSONFloat(nil, f)))
	}
	for f, want := range map[float64]string{math.Inf(1): "+Inf", math.Inf(-1): "-Inf"} {
		require.Equal(t, `"!ERROR:json: unsupported value: `+want+`"`, string(appendJSONFloat(nil, f)))
	}
	require.Equal(t, `"!ERROR:json: unsupported value: NaN"`, string(appendJSONFloat(nil, math.NaN())))
}
