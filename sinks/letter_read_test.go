package sinks

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// readOne reads a text that is one line.
func readOne[T any](t *testing.T, r LetterReader[T], text string) (letter Letter[T], err error) {
	t.Helper()
	n := 0
	for l, e := range r.Read(strings.NewReader(text)) {
		letter, err = l, e
		n++
	}
	require.Equal(t, 1, n, text)
	return letter, err
}

// outcome of reading a text: events, and the numbers of the lines in error.
func readAll(r LetterReader[string], in io.Reader) (events []string, bad []int, last error) {
	for l, err := range r.Read(in) {
		var line *LineError
		switch {
		case err == nil:
			events = append(events, l.Event)
		case errors.As(err, &line):
			bad = append(bad, line.Line)
		default:
			last = err
		}
	}
	return events, bad, last
}

func TestReadingIsTolerant(t *testing.T) {
	one := func(ev string) string { return `{"v":1,"event":"` + ev + `"}` }
	for name, c := range map[string]struct {
		text   string
		events []string
		bad    []int
	}{
		"nothing":           {"", nil, nil},
		"blank lines":       {"\n\r\n" + one("a") + "\n  \t\n" + one("b") + "\n\n", []string{"a", "b"}, nil},
		"CRLF":              {one("a") + "\r\n" + one("b") + "\r\n", []string{"a", "b"}, nil},
		"no last line feed": {one("a") + "\n" + one("b"), []string{"a", "b"}, nil},
		"torn":              {one("a") + "\n" + one("b")[:9], []string{"a"}, []int{2}},
		"a stump inside":    {one("a")[:9] + "\n" + one("b") + "\n", []string{"b"}, []int{1}},
		"two in a line":     {one("a") + one("b") + "\n" + one("c") + "\n", []string{"c"}, []int{1}},
		"unknown fields":    {`{"v":1,"new":{"a":[1]},"event":"a"}` + "\n", []string{"a"}, nil},
		"newer":             {`{"v":2,"event":"a"}` + "\n" + one("b") + "\n" + `{"v":2,"attempts":"few"}` + "\n", []string{"b"}, []int{1, 3}},
		"other JSON":        {"{}\n[]\n1\nnull\n" + `{"msg":"hello"}` + "\n" + `{"v":0,"event":"a"}` + "\n" + `{"v":"1","event":"a"}` + "\n", nil, []int{1, 2, 3, 4, 5, 6, 7}},
		"no event":          {`{"v":1,"stage":"db"}` + "\n", nil, []int{1}},
		"a text":            {`{"v":1,"event_text":"NaN"}` + "\n", nil, []int{1}},
		"an event and text": {`{"v":1,"event_text":"NaN","event":"a"}` + "\n", []string{"a"}, nil},
		"another type":      {`{"v":1,"event":{"a":1}}` + "\n" + `{"v":1,"event":"a","first":"noon"}` + "\n", nil, []int{1, 2}},
		"zeros":             {"\x00\x00\x00\n" + one("a") + "\n", []string{"a"}, []int{1}},
		"too deep":          {`{"v":1,"event":` + strings.Repeat("[", 20_000) + "\n" + one("a") + "\n", []string{"a"}, []int{1}},
	} {
		for how, reader := range map[string]func(io.Reader) io.Reader{
			"at once":     func(r io.Reader) io.Reader { return r },
			"bytewise":    iotest.OneByteReader,
			"with an EOF": iotest.DataErrReader,
		} {
			events, bad, err := readAll(LetterReader[string]{}, reader(strings.NewReader(c.text)))
			require.NoError(t, err, "%s, %s", name, how)
			require.Equal(t, c.events, events, "%s, %s", name, how)
			require.Equal(t, c.bad, bad, "%s, %s", name, how)
		}
	}
}

func TestReadingSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"v":1,"eve`:                "line 1: cut off: unexpected end of JSON input",
		`{"v":3,"event":1}` + "\n":   "line 1: version 3 of the format, want 1 or less",
		`{"v":1}` + "\n":             "line 1: no event in it",
		`{"level":"info"}` + "\n":    "line 1: not a dead letter",
		`{"v":1,"event":1}` + "\n":   "line 1: json: cannot unmarshal number",
		`{"v":1,"event_text":"NaN"}`: "line 1: cut off: " + ErrNoEvent.Error(),
	} {
		_, err := readOne(t, LetterReader[string]{}, text)
		require.ErrorContains(t, err, want, text)
	}
	l, err := readOne(t, LetterReader[string]{}, `{"v":1,"stage":"db","causes":["a","b"],"attempts":4,"event":1}`)
	require.Error(t, err)
	require.Equal(t, Letter[string]{Stage: "db", Causes: []string{"a", "b"}, Attempts: 4}, l, "what else it says")
}

func TestLinesAreBounded(t *testing.T) {
	one := func(n int) string {
		return `{"v":1,"event":"` + strings.Repeat("x", n-len(`{"v":1,"event":""}`+"\n")) + `"}` + "\n"
	}
	for _, size := range []int{64, 4096, 4097, 10_000} { // bufio's buffer has 4096
		r := LetterReader[string]{MaxLine: size}
		text := one(size) + one(size+1) + one(10*size) + one(size) + one(size+1)
		events, bad, err := readAll(r, strings.NewReader(text))
		require.NoError(t, err)
		require.Len(t, events, 2)
		require.Equal(t, []int{2, 3, 5}, bad)
		_, bad, _ = readAll(r, strings.NewReader(one(size)+one(2 * size)[:size+9]))
		require.Equal(t, []int{2}, bad, "too long, and cut off")
	}
	_, err := readOne(t, LetterReader[string]{MaxLine: 20}, one(30))
	require.ErrorIs(t, err, errLong)
}

// A line without an end costs no more memory than the longest allowed one.
func TestALineWithoutAnEnd(t *testing.T) {
	lines := lineReader{in: bufio.NewReader(io.LimitReader(repeat('x'), 64<<20)), max: 10_000}
	_, err := lines.next()
	require.ErrorIs(t, err, errLong)
	require.Less(t, cap(lines.buf), 20_000)
	_, err = lines.next()
	require.ErrorIs(t, err, io.EOF)
}

type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

func TestAReadErrorIsTheLast(t *testing.T) {
	in := io.MultiReader(strings.NewReader(`{"v":1,"event":"a"}`+"\n"+`{"v":1,"ev`), iotest.ErrReader(errDown))
	events, bad, err := readAll(LetterReader[string]{}, in)
	require.Equal(t, []string{"a"}, events)
	require.Empty(t, bad)
	require.ErrorIs(t, err, errDown)
}

func TestReadingGoesOnWhereItWasLeft(t *testing.T) {
	lines := LetterReader[int]{}.Read(strings.NewReader(`{"v":1,"event":1}` + "\nbad\n" + `{"v":1,"event":2}` + "\n"))
	var got []string
	for range 4 {
		for l, err := range lines {
			got = append(got, fmt.Sprint(l.Event, err == nil))
			break
		}
	}
	require.Equal(t, []string{"1 true", "0 false", "2 true"}, got)
}

type touchy struct{}

func (*touchy) UnmarshalJSON([]byte) error { panic(errDown) }

func TestDecodersThatMisbehave(t *testing.T) {
	_, err := readOne(t, LetterReader[touchy]{}, `{"v":1,"event":1}`)
	require.ErrorIs(t, err, errDown)
	var pe *stage.PanicError
	r := LetterReader[int]{Decode: func(data []byte) (int, error) {
		if string(data) == "1" {
			panic("one")
		}
		return 0, errNoSpace
	}}
	_, err = readOne(t, r, `{"v":1,"event": 1 }`)
	require.ErrorAs(t, err, &pe)
	require.Contains(t, pe.Stack, "TestDecodersThatMisbehave")
	_, err = readOne(t, r, `{"v":1,"event":2}`)
	require.ErrorIs(t, err, errNoSpace)
}

// What goes in comes out, with any text of any bytes, and each line is JSON.
func TestLettersRoundTrip(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	moment := rapid.Map(rapid.Int64(), func(ns int64) time.Time { return time.Unix(0, ns).In(noon.Location()) })
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Letter[[]byte] {
			l := Letter[[]byte]{
				Event: []byte(text.Draw(t, "event")), Stage: rapid.String().Draw(t, "stage"),
				Permanent: rapid.Bool().Draw(t, "permanent"), Attempts: rapid.IntRange(0, 1<<31-1).Draw(t, "attempts"),
				First: moment.Draw(t, "first"),
			}
			for _, cause := range rapid.SliceOf(text).Draw(t, "causes") {
				l.Causes = append(l.Causes, clip(cause, maxCause))
			}
			if rapid.Bool().Draw(t, "known") {
				l.Last = moment.Draw(t, "last")
			}
			return l
		}), 0, 20).Draw(t, "letters")
		encode := LetterEncoder(EncodeText[[]byte])
		var out []byte
		for _, l := range letters {
			var err error
			if out, err = encode(out, l); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "CRLF") {
				out = append(out[:len(out)-1], "\r\n\n"...)
			}
		}
		cut := len(out)
		if len(letters) > 0 && rapid.Bool().Draw(t, "torn") {
			letters = letters[:len(letters)-1]
			cut = bytes.LastIndexByte(bytes.TrimRight(out, "\r\n"), '\n') + 1
			if cut < len(out) {
				cut += rapid.IntRange(0, len(bytes.TrimRight(out[cut:], "\r\n"))-1).Draw(t, "left")
			}
		}
		i := 0
		for l, err := range (LetterReader[[]byte]{Decode: DecodeText[[]byte]}).Read(bytes.NewReader(out[:cut])) {
			if i == len(letters) {
				if err == nil {
					t.Fatalf("a torn letter was read: %+v", l)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !sameLetter(l, letters[i]) {
				t.Fatalf("%+v became %+v", letters[i], l)
			}
			i++
		}
		if i != len(letters) {
			t.Fatalf("%d letters of %d", i, len(letters))
		}
	})
}

func sameLetter(a, b Letter[[]byte]) bool {
	same := bytes.Equal(a.Event, b.Event) && a.First.Equal(b.First) && a.Last.Equal(b.Last)
	return same && fmt.Sprint(a.Stage, a.Causes, a.Permanent, a.Attempts, a.Text) == fmt.Sprint(b.Stage, b.Causes, b.Permanent, b.Attempts, b.Text)
}

// FuzzLetters reads any bytes as letters. Every line that is not blank comes
// once, in order; what is read as a letter is the same when it is written and
// read again.
func FuzzLetters(f *testing.F) {
	for _, seed := range []string{
		"",
		"\n\r\n",
		`{"v":1,"stage":"db","causes":["down","a\ufffd"],"permanent":true,"attempts":3,"first":"2026-01-02T11:00:00.000000005Z","last":"2026-01-02T11:00:01Z","event":"a"}` + "\n",
		`{"v":1,"event":{"base64":"Yf8K"}}` + "\r\n" + `{"v":1,"event_text":"NaN"}` + "\n",
		`{"v":2,"event":"a"}` + "\n" + `{"v":1,"event":"a"`,
		`{"v":1,"event":null,"first":"0000-01-01T00:00:00+23:59"}`,
		`{"V":1,"EVENT":"\ud800","attempts":-1}` + "\n\x00",
		"{}\n[]\n" + strings.Repeat("[", 100) + "\n" + strings.Repeat("x", 400) + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := LetterReader[string]{Decode: DecodeText[string], MaxLine: 300}
		encode := LetterEncoder(EncodeText[string])
		line := 0
		texts := bytes.SplitAfter(data, []byte("\n"))
		for l, err := range r.Read(bytes.NewReader(data)) {
			for len(bytes.TrimSpace(texts[line])) == 0 && len(texts[line]) <= r.MaxLine {
				line++
			}
			line++
			var bad *LineError
			if err != nil {
				require.ErrorAs(t, err, &bad)
				require.Equal(t, line, bad.Line)
				continue
			}
			require.True(t, json.Valid(texts[line-1]), "line %d", line)
			out, err := encode(nil, l)
			require.NoError(t, err)
			again, err := readOne(t, LetterReader[string]{Decode: DecodeText[string]}, string(out))
			require.NoError(t, err)
			require.Equal(t, writable(l.First), again.First)
			l.First, l.Last, again.First, again.Last = time.Time{}, time.Time{}, time.Time{}, time.Time{}
			if len(l.Causes) == 0 {
				l.Causes = nil // an empty list is not written
			}
			require.Equal(t, l, again)
		}
		for ; line < len(texts); line++ {
			require.Empty(t, bytes.TrimSpace(texts[line]), "line %d was skipped", line+1)
		}
	})
}
