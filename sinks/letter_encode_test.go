package sinks

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// encodeLetter returns one line and what any JSON reader finds in it.
func encodeLetter[T any](t *testing.T, event Encoder[T], l Letter[T]) (string, map[string]any) {
	t.Helper()
	const before = "{\"before\":1}\n"
	out, err := LetterEncoder(event)([]byte(before), l)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(out, []byte(before)))
	text := string(out[len(before):])
	require.True(t, utf8.ValidString(text))
	require.Equal(t, len(text)-1, strings.IndexByte(text, '\n'), "one line: %q", text)
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &fields))
	return text, fields
}

func TestALetterIsALine(t *testing.T) {
	l := Letter[string]{
		Event: "<a> & \"b\"\n", Stage: "db", Causes: []string{"down\r\n\x00", "a\xff"}, Permanent: true, Attempts: 3,
		First: noon, Last: noon.Add(time.Second),
	}
	text, _ := encodeLetter(t, nil, l)
	require.Equal(t, `{"v":1,"stage":"db","causes":["down\r\n\u0000","a\ufffd"],"permanent":true,"attempts":3,`+
		`"first":"2026-01-02T11:00:00.000000005Z","last":"2026-01-02T11:00:01.000000005Z","event":"<a> & \"b\"\n"}`+"\n", text)
	text, _ = encodeLetter(t, nil, Letter[*int]{})
	require.Equal(t, `{"v":1,"stage":"","permanent":false,"attempts":0,"event":null}`+"\n", text)
}

func TestTimesThatCannotBeWrittenAreLeftOut(t *testing.T) {
	for _, at := range []time.Time{time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("west", -7200))} {
		_, fields := encodeLetter(t, nil, Letter[int]{First: at, Last: noon})
		require.NotContains(t, fields, "first")
		require.Contains(t, fields, "last")
	}
}

func TestTheEncoderOfEventsMayBreakLines(t *testing.T) {
	pretty := func(dst []byte, ev int) ([]byte, error) { return append(dst, "{\n\t\"n\": 1\r\n}\n"...), nil }
	text, _ := encodeLetter(t, pretty, Letter[int]{})
	require.Contains(t, text, `"event":{"n":1}}`)
}

// node can be in a ring.
type node struct {
	Name string
	Next *node
}

// grenade panics when it is encoded.
type grenade struct{ name string }

func (grenade) MarshalJSON() ([]byte, error) { panic(errDown) }
func (grenade) String() string               { panic(errDown) }

// An event that cannot be encoded is in its letter as a text, with the reason,
// and costs no other letter anything.
func TestEventsThatCannotBeEncoded(t *testing.T) {
	cycle := map[string]any{"a": 1}
	cycle["self"] = cycle
	ring := &node{Name: "ring"}
	ring.Next = ring
	var deep any
	for range 9_999 { // fits alone, and not with a letter around it
		deep = []any{deep}
	}
	for name, c := range map[string]struct {
		ev   any
		text string
		why  string
	}{
		"NaN":      {struct{ V, W float64 }{math.NaN(), math.Inf(-1)}, "struct { V float64; W float64 }{V:NaN, W:-Inf}", "unsupported value: NaN"},
		"channel":  {make(chan int), "chan int", "unsupported type: chan int"},
		"function": {[]any{func() {}, nil, true, int8(-1), uint8(2), 2i}, "[]interface {}{func(), nil, true, -1, 2, (0+2i)}", "unsupported type"},
		"map":      {cycle, "map[string]interface {}{", "cycle"},
		"pointers": {ring, `&sinks.node{Name:"ring", Next:&sinks.node{`, "cycle"},
		"panic":    {[]any{grenade{"pin"}, (*node)(nil)}, `[]interface {}{sinks.grenade{name:"pin"}, nil}`, "panic: down"},
		"deep":     {[]any{deep}, "[]interface {}{[]interface {}{", errNotJSON.Error()},
		"bytes":    {[]any{[]byte("a\xff"), [2]bool{}, math.NaN()}, `[]interface {}{"a\xff", [2]bool{false, false}, NaN}`, "NaN"},
		"huge":     {[]any{strings.Repeat("x", 1<<20), strings.Repeat("y", 1<<20), math.NaN()}, `[]interface {}{"xxx`, "NaN"},
		"wide":     {append(make([]any, 1<<20), math.NaN()), `[]interface {}{nil, nil`, "NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			causes := []string{"down"}
			text, fields := encodeLetter(t, nil, Letter[any]{Event: c.ev, Stage: "db", Causes: causes, Attempts: 2})
			require.NotContains(t, fields, "event")
			require.Contains(t, fields["event_text"], c.text)
			require.Contains(t, fields["causes"].([]any)[1], "event not encoded: ")
			require.Contains(t, fields["causes"].([]any)[1], c.why)
			require.Equal(t, []string{"down"}, causes[:1])
			require.Less(t, len(text), 2*describeBytes+2*maxCause)

			l, err := readOne[any](t, LetterReader[any]{}, text)
			require.ErrorIs(t, err, ErrNoEvent)
			require.Equal(t, fields["event_text"], l.Text)
			require.Equal(t, "db", l.Stage)
			require.Equal(t, 2, l.Attempts)
			again, _ := encodeLetter(t, nil, l)
			require.Equal(t, text, again, "a text stays what it is")
		})
	}
}

func TestEncodersOfEventsThatMisbehave(t *testing.T) {
	event := func(dst []byte, ev string) ([]byte, error) {
		switch ev {
		case "error":
			return append(dst, "half"...), errDown
		case "panic":
			panic(errDown)
		case "nothing":
			return dst, nil
		case "nil":
			return nil, nil
		}
		return append(dst, ev...), nil
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, LetterEncoder(event))
	require.NoError(t, err)
	s := deadLetters(t, w)
	f := broken
	f.Events = []string{`"good"`, "error", "panic", "nothing", "nil", "{", "1 2", `"` + "\xff" + `"`, "\n", `{"a":1}`}
	require.NoError(t, s.WriteFailure(t.Context(), f), "a letter is never refused")
	var texts, events []string
	for l, err := range (LetterReader[json.RawMessage]{}).Read(&out) {
		if err != nil {
			require.ErrorIs(t, err, ErrNoEvent)
			texts = append(texts, l.Text)
			continue
		}
		events = append(events, string(l.Event))
		require.Equal(t, []string{"down"}, l.Causes, "no letter has another's reasons")
	}
	require.Equal(t, []string{`"good"`, `{"a":1}`}, events)
	require.Equal(t, []string{`"error"`, `"panic"`, `"nothing"`, `"nil"`, `"{"`, `"1 2"`, `"\"\xff\""`, `"\n"`}, texts)
}

func TestTextIsKeptToTheByte(t *testing.T) {
	for text, want := range map[string]string{
		"":                `""`,
		"a <b>\r\n\x00":   `"a <b>\r\n\u0000"`,
		"\uFFFD \u2028 𝄞": `"` + "\uFFFD" + ` \u2028 𝄞"`,
		"a\xff\n":         `{"base64":"Yf8K"}`,
	} {
		got, err := EncodeText([]byte("x"), text)
		require.NoError(t, err)
		require.Equal(t, "x"+want, strings.TrimSuffix(string(got), "\n"))
		back, err := DecodeText[[]byte](bytes.TrimSpace(got[1:]))
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	for _, bad := range []string{``, `null`, `1`, `{}`, `{"base64":null}`, `{"base64":"*"}`, `"a`, `[]`} {
		_, err := DecodeText[string]([]byte(bad))
		require.Error(t, err, bad)
	}
}

var _ error = (*LineError)(nil)

func TestLineErrorsNameTheirLine(t *testing.T) {
	err := error(&LineError{7, errDown})
	require.EqualError(t, err, "line 7: down")
	require.True(t, errors.Is(err, errDown))
}
