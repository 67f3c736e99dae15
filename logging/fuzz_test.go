package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzJSON holds EncodeJSON against slog's handler, line by line.
func FuzzJSON(f *testing.F) {
	fuzzAgainst(f, EncodeJSON, func(b *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(b, o) },
		func(t *testing.T, line []byte) { require.True(t, json.Valid(line), "%s", line) })
}

// FuzzText holds EncodeText against slog's handler, line by line.
func FuzzText(f *testing.F) {
	fuzzAgainst(f, EncodeText, func(b *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(b, o) },
		func(t *testing.T, line []byte) { require.Equal(t, 1, bytes.Count(line, []byte("\n")), "%s", line) })
}

func fuzzAgainst(f *testing.F, encode func([]byte, Record) ([]byte, error),
	theirs func(*bytes.Buffer, *slog.HandlerOptions) slog.Handler, check func(*testing.T, []byte)) {
	seedFuzz(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var want bytes.Buffer
		var q taken
		p := newPlan(data)
		p.log(theirs(&want, &slog.HandlerOptions{Level: slog.Level(math.MinInt), AddSource: true}))
		q.log(t, p)
		got := q.lines(t, encode)
		require.Equal(t, want.String(), string(got))
		check(t, got)
	})
}

// FuzzCLEF holds every line to the rules of the format.
func FuzzCLEF(f *testing.F) {
	seedFuzz(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var q taken
		q.log(t, newPlan(data))
		line := q.lines(t, EncodeCLEF)
		top := parseDistinct(t, json.NewDecoder(bytes.NewReader(line)), string(line))
		for key := range top {
			switch {
			case !strings.HasPrefix(key, "@"), strings.HasPrefix(key, "@@"):
			case key == "@t", key == "@m", key == "@l", key == "@x", key == "@tr", key == "@sp":
			default:
				t.Fatalf("%s in %s", key, line)
			}
		}
		require.Equal(t, string([]rune(q[0].Message)), top["@m"])
	})
}

// FuzzConsole holds every record to one line that moves no cursor.
func FuzzConsole(f *testing.F) {
	seedFuzz(f)
	encode, err := NewConsoleEncoder(ConsoleConfig{Color: ColorNever})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		var q taken
		q.log(t, newPlan(data))
		line := string(q.lines(t, encode))
		end := strings.IndexFunc(line, func(r rune) bool { return r < ' ' })
		require.Equal(t, len(line)-1, end, "%q", line)
	})
}

// parseDistinct reads an object in which no key may be there twice.
func parseDistinct(t *testing.T, d *json.Decoder, line string) map[string]any {
	open, err := d.Token()
	require.NoError(t, err, line)
	require.Equal(t, json.Delim('{'), open, line)
	m := map[string]any{}
	for d.More() {
		key, err := d.Token()
		require.NoError(t, err, line)
		require.NotContains(t, m, key.(string), line)
		var raw json.RawMessage
		require.NoError(t, d.Decode(&raw), line)
		var v any
		require.NoError(t, json.Unmarshal(raw, &v), line)
		m[key.(string)] = v
	}
	_, err = d.Token()
	require.NoError(t, err, line)
	return m
}

func seedFuzz(f *testing.F) {
	f.Add([]byte{})
	for kind := range byte(kinds) {
		f.Add([]byte{0, 3, kind, 2, 'k', 'v', 5, 1, kind, 1, 'a', 7, 2, 3, kind, 9, 9, 4, 0xff, 0xfe, '@', 'x', kind, kind})
		f.Add([]byte{kind, 2, 1, 'G', 0, 1, kind, 3, 'e', 'r', 'r', 8, kind, 2, '@', 't', 1, 2, 3, kind, kind, 5, 6, 7})
	}
}

// plan is one record, logged by a handler with attributes and groups.
type plan struct {
	with   []func(slog.Handler) slog.Handler
	record slog.Record
}

// newPlan makes what data says.
func newPlan(data []byte) (p plan) {
	f := &feed{data: data}
	for range f.upTo(4) {
		if f.upTo(2) == 0 {
			attrs := f.attrs(3, 0)
			p.with = append(p.with, func(h slog.Handler) slog.Handler { return h.WithAttrs(slices.Clone(attrs)) })
		} else if name := f.text(); name != "" {
			p.with = append(p.with, func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
		}
	}
	level := slog.Level(int8(f.next()))
	if f.upTo(4) == 0 {
		level = slog.Level(4 * f.upTo(4))
	}
	p.record = slog.NewRecord(f.time(), level, f.text(), f.pc())
	p.record.AddAttrs(f.attrs(8, 0)...)
	return p
}

func (p plan) log(h slog.Handler) {
	for _, with := range p.with {
		h = with(h)
	}
	_ = h.Handle(context.Background(), p.record.Clone())
}

// log makes a record of what data says.
func (t *taken) log(tb testing.TB, p plan) {
	p.log(newHandler(tb, t, HandlerConfig{Level: slog.Level(math.MinInt), AddSource: true}))
}

// feed makes a plan of a fuzzer's bytes; after the last there are zeros.
type feed struct{ data []byte }

func (f *feed) next() byte {
	if len(f.data) == 0 {
		return 0
	}
	b := f.data[0]
	f.data = f.data[1:]
	return b
}

// upTo returns a number below n.
func (f *feed) upTo(n int) int { return int(f.next()) % n }

func (f *feed) bits() (v uint64) {
	for range 8 {
		v = v<<8 | uint64(f.next())
	}
	return v
}

func (f *feed) text() string {
	const oftenIn = "\"\\\n\r\t =@<>&\x00\x7f\u2028\u2029\u00a0é世\U0001f600\ufffd\xff"
	switch f.upTo(5) {
	case 0:
		return ""
	case 1:
		i := f.upTo(len(oftenIn))
		return "a" + oftenIn[i:min(len(oftenIn), i+f.upTo(6))]
	case 2:
		return []string{"err", "error", "trace_id", "span_id", "source", "time", "level", "msg"}[f.upTo(8)]
	}
	n := min(f.upTo(12), len(f.data))
	s := string(f.data[:n])
	f.data = f.data[n:]
	return s
}

func (f *feed) time() time.Time {
	if f.upTo(4) == 0 {
		return time.Time{}
	}
	// Years 1 to 9998: slog's handlers write others wrong.
	t := time.Unix(int64(f.bits()%315_000_000_000)-62_000_000_000, int64(f.bits()%1_000_000_000))
	half := 1800
	if f.upTo(8) == 0 {
		half = 18_000 // no such zone exists, but package time has it
	}
	return t.In(time.FixedZone("", (f.upTo(48)-24)*half))
}

func (f *feed) pc() uintptr {
	if f.upTo(3) > 0 {
		return 0
	}
	var pcs [1]uintptr
	runtime.Callers(1+f.upTo(2), pcs[:])
	return pcs[0]
}

func (f *feed) attrs(most, depth int) []slog.Attr {
	attrs := make([]slog.Attr, 0, most)
	for range f.upTo(most + 1) {
		attrs = append(attrs, slog.Attr{Key: f.text(), Value: f.value(depth)})
	}
	return attrs
}

const kinds = 40

// value returns a value of any kind. Groups come out with something in them:
// slog's handlers write lines that cannot be parsed if all of a group is left
// out.
func (f *feed) value(depth int) slog.Value {
	deeper := func() any {
		if depth > 3 {
			return f.text()
		}
		return f.value(depth + 1).Any()
	}
	switch f.upTo(kinds) {
	case 0:
		return slog.IntValue(int(f.bits()))
	case 1:
		return slog.Uint64Value(f.bits())
	case 2:
		return slog.Float64Value(math.Float64frombits(f.bits()))
	case 3:
		return slog.Float64Value(float64(int8(f.next())) * math.Pow10(f.upTo(60)-30))
	case 4:
		return slog.BoolValue(f.upTo(2) == 0)
	case 5:
		return slog.DurationValue(time.Duration(f.bits()))
	case 6:
		return slog.TimeValue(f.time())
	case 7, 8, 9, 10:
		return slog.StringValue(f.text())
	case 11:
		return slog.AnyValue(nil)
	case 12, 13:
		if depth > 3 {
			return slog.IntValue(depth)
		}
		return slog.GroupValue(append(f.attrs(3, depth+1), slog.Int("z", depth))...)
	case 14:
		return slog.AnyValue(errors.New(f.text()))
	case 15:
		return slog.AnyValue(fmt.Errorf("a: %w", &pathError{f.text()}))
	case 16:
		return slog.AnyValue((*pathError)(nil))
	case 17:
		return slog.AnyValue([]byte(f.text()))
	case 18:
		return slog.AnyValue(octets(f.text()))
	case 19:
		return slog.AnyValue(map[string]any{f.text(): deeper(), "b": f.text()})
	case 20:
		return slog.AnyValue([]any{deeper(), f.text(), nil})
	case 21:
		return slog.AnyValue(point{X: math.Float64frombits(f.bits()), S: f.text(), In: deeper()})
	case 22:
		return slog.AnyValue(&point{X: 1.5, S: f.text()})
	case 23:
		return slog.AnyValue(texted(f.text()))
	case 24:
		return slog.AnyValue(jsoned(f.text()))
	case 25:
		return slog.AnyValue(json.RawMessage(f.text()))
	case 26:
		return slog.AnyValue(stringer(f.text()))
	case 27:
		return slog.AnyValue(thrower(f.text()))
	case 28:
		if depth > 150 { // more than slog resolves, and less than EncodeText cuts
			return slog.IntValue(depth)
		}
		return slog.AnyValue(valuer{f.value(depth + 1)})
	case 29:
		return slog.AnyValue(&slog.Source{Function: f.text(), File: f.text(), Line: 1 + f.upTo(3)})
	case 30:
		return slog.AnyValue([]any{make(chan int, f.upTo(2)+1) == nil, func() {} == nil, complex(1, 2)})
	case 31:
		return slog.AnyValue(slog.KindInt64)
	case 32:
		return slog.AnyValue(slog.Level(f.upTo(20)))
	case 33:
		return slog.AnyValue(formatter(f.text()))
	case 34:
		return slog.AnyValue(jsonError(f.text()))
	case 35:
		return slog.AnyValue(unsaid(f.text()))
	case 36:
		return slog.AnyValue(unmarshaled(f.text()))
	case 37:
		return slog.AnyValue(octetError(f.text()))
	case 38:
		return slog.AnyValue(bomb{f.upTo(3), f.text()})
	}
	return slog.AnyValue((*time.Time)(nil))
}

type (
	point struct {
		X  float64
		S  string `json:"s,omitempty"`
		In any
	}
	octets    []byte
	texted    string
	jsoned    string
	stringer  string
	thrower   string
	formatter string
	jsonError string
	valuer    struct{ v slog.Value }
	pathError struct{ path string }

	unsaid      string // an error that panics
	unmarshaled string // an error whose JSON fails
	octetError  []byte
	bomb        struct { // whose JSON panics with itself
		N int
		S string
	}
)

func (e unsaid) Error() string                     { panic(string(e)) }
func (e unmarshaled) Error() string                { return string(e) }
func (e unmarshaled) MarshalJSON() ([]byte, error) { return nil, errors.New(string(e)) }
func (e octetError) Error() string                 { return "octets " + string(e) }
func (b bomb) MarshalJSON() ([]byte, error)        { panic(b) }

func (e *pathError) Error() string             { return "bad path " + e.path }
func (v valuer) LogValue() slog.Value          { return v.v }
func (s stringer) String() string              { return "<" + string(s) + ">" }
func (s thrower) Error() string                { panic(string(s)) }
func (s thrower) MarshalText() ([]byte, error) { panic(errors.New(string(s))) }
func (s jsonError) Error() string              { return string(s) }
func (s jsonError) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"err": string(s)})
}
func (s formatter) Error() string { return string(s) }
func (s formatter) Format(st fmt.State, _ rune) {
	_, _ = fmt.Fprintf(st, "%q+%v", string(s), st.Flag('+'))
}
func (s texted) MarshalText() ([]byte, error) {
	if s == "" {
		return nil, errors.New("no text")
	}
	return []byte(s), nil
}
func (s jsoned) MarshalJSON() ([]byte, error) { return []byte(s), nil }
