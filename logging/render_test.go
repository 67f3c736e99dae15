package logging

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// said is what a template gives for one argument.
func said(hole string, arg any) string { return string(ParseTemplate(hole).Append(nil, arg)) }

func TestNumberFormats(t *testing.T) {
	for _, c := range []struct {
		format string
		arg    any
		want   string
	}{
		{"0.00", 1.005, "1.00"}, // the binary value is a little less
		{"0.00", 2.5, "2.50"},
		{"0.00", 12, "12.00"},
		{"0.00", uint64(math.MaxUint64), "18446744073709551615.00"},
		{"0.00", int64(math.MinInt64), "-9223372036854775808.00"},
		{"0.00", -0.001, "0.00"},
		{"0.0", -1.25, "-1.2"},
		{"0.0#", 1.5, "1.5"},
		{"0.0#", 1.0, "1.0"},
		{"0.##", 1.0, "1"},
		{"0.##", 7, "7"},
		{"#.##", 0.25, ".25"},
		{"#.##", -0.25, "-.25"},
		{"#", 0, ""},
		{"#", 0.0, ""},
		{"000", 7, "007"},
		{"000.0", -7.25, "-007.2"},
		{"0", 1.5, "2"},
		{"#,##0", 1234567, "1,234,567"},
		{"#,##0", 123, "123"},
		{"#,##0.00", -1234.5, "-1,234.50"},
		{"0,000", 7, "0,007"},
		{"0%", 0.125, "12%"},
		{"0.0%", 0.125, "12.5%"},
		{"0%", 2, "200%"},
		{"0%", 0, "0%"},

		{"N", 1234.5, "1,234.50"},
		{"N0", 1234567, "1,234,567"},
		{"F", 1.0, "1.00"},
		{"f3", 1.5, "1.500"},
		{"P", 0.125, "12.50 %"},
		{"P0", 12.34, "1,234 %"},
		{"D5", 42, "00042"},
		{"D5", -42, "-00042"},
		{"d", 42, "42"},
		{"X", 255, "FF"},
		{"x4", 255, "00ff"},
		{"X", -1, "FFFFFFFFFFFFFFFF"},
		{"X", uint8(171), "AB"},
		{"E2", 12345.678, "1.23E+04"},
		{"e", 12345, "1.234500e+04"},

		// What does not fit is ignored.
		{"D5", 1.5, "1.5"},
		{"X", 1.5, "1.5"},
		{"C", 1.5, "1.5"},
		{"N100", 1, "1"},
		{"N-1", 1, "1"},
		{"0.0.0", 1, "1"},
		{"0#", 1, "1"},
		{"0.#0", 1, "1"},
		{",0", 1, "1"},
		{".", 1, "1"},
		{"%", 1, "1"},
		{"0.00", "text", `"text"`},
		{"0.00", true, "true"},
		{"0.00", time.Second, "1s"},
		{"0.00", math.NaN(), "NaN"},
		{"0.00", math.Inf(-1), "-Inf"},
		{"HH:mm", 5, "5"},
	} {
		require.Equal(t, c.want, said("{X:"+c.format+"}", c.arg), "%s of %v", c.format, c.arg)
	}
}

// A pattern of integers and the same of floats that hold them give the same.
func TestNumberFormatsAgree(t *testing.T) {
	pattern := rapid.SampledFrom([]string{"0", "#", "000", "0.00", "0.0#", "#,##0.0", "0,000", "N", "N0", "F3", "P1", "0%", "#.##"})
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "n")
		hole := "{X:" + pattern.Draw(t, "pattern") + "}"
		require.Equal(t, said(hole, float64(n)), said(hole, n))
	})
}

func TestTimeFormats(t *testing.T) {
	at := time.Date(2026, 3, 4, 15, 6, 7, 89_012_345, time.FixedZone("", 2*3600))
	for format, want := range map[string]string{
		"o":                             "2026-03-04T15:06:07.089012345+02:00",
		"yyyy-MM-dd HH:mm:ss":           "2026-03-04 15:06:07",
		"yyyy-MM-ddTHH:mm:ss.fffzzz":    "2026-03-04T15:06:07.089+02:00",
		"yy M d H h m s f":              "26 3 4 15 3 6 7 0",
		"ddd, dd MMM / dddd, d. MMMM":   "Wed, 04 Mar / Wednesday, 4. March",
		"hh:mm tt K zz":                 "03:06 PM +02:00 +02",
		"fffffff":                       "0890123",
		"ffffffffff":                    "ffffffffff",
		"2006-01-02T15:04:05.000Z07:00": "2026-03-04T15:06:07.089+02:00",
		"Jan 2, 06":                     "Mar 4, 26",
	} {
		require.Equal(t, want, said("{At:"+format+"}", at), format)
	}
	require.Equal(t, "2026-03-04T15:06:07.089012345+02:00", said("{At}", at))
	require.Equal(t, "[          15:06]", said("[{At,15:HH:mm}]", at))
}

type (
	userID    int
	code      uint8
	ratio     float32
	isOpen    bool
	label     string
	secret    string
	boat      struct{ Length int }
	broken    struct{}
	badText   struct{}
	picky     struct{}
	plainText struct{}
	hollow    struct{ text *string }
	grouped   []slog.Attr
	nested    struct{}
)

func (b *boat) String() string                 { return fmt.Sprintf("boat of %d", b.Length) }
func (secret) LogValue() slog.Value            { return slog.StringValue("***") }
func (broken) String() string                  { panic("no text") }
func (broken) MarshalJSON() ([]byte, error)    { panic("no JSON") }
func (badText) MarshalText() ([]byte, error)   { return nil, errors.New("no text") }
func (badText) MarshalJSON() ([]byte, error)   { return nil, errors.New("no JSON") }
func (plainText) MarshalText() ([]byte, error) { return []byte("plain"), nil }
func (picky) MarshalJSON() ([]byte, error)     { return []byte(`"picky"`), nil }
func (h *hollow) Error() string                { return *h.text }
func (g grouped) LogValue() slog.Value         { return slog.GroupValue(g...) }
func (n nested) LogValue() slog.Value          { return slog.GroupValue(slog.Any("again", n)) }

func cyclic() map[string]any {
	m := map[string]any{}
	m["self"] = m
	return m
}

func TestValues(t *testing.T) {
	three := 3
	for _, c := range []struct {
		arg                       any
		plain, structure, literal string // of {X}, {@X} and {$X:l}
	}{
		{nil, "null", "null", "null"},
		{true, "true", "true", "true"},
		{-3, "-3", "-3", "-3"},
		{uint(3), "3", "3", "3"},
		{1e21, "1e+21", "1e+21", "1e+21"},
		{"a \"b\"\n", `"a \"b\"\n"`, `"a \"b\"\n"`, "a \"b\"\n"},
		{"\xff", `"\ufffd"`, `"\ufffd"`, "\xff"},
		{1500 * time.Millisecond, "1.5s", "1.5s", "1.5s"},
		{userID(3), "3", "3", "3"},
		{code(3), "3", "3", "3"},
		{ratio(0.5), "0.5", "0.5", "0.5"},
		{isOpen(true), "true", "true", "true"},
		{label("a"), `"a"`, `"a"`, "a"},
		{slog.GroupValue(), "{}", "{}", "{}"},
		{grouped{}, "{}", "{}", "{}"},
		{secret("x"), `"***"`, `"***"`, "***"},
		{[]byte("raw"), `"raw"`, `"cmF3"`, "raw"},
		{errors.New("down"), `"down"`, `"down"`, "down"},
		{boat{3}, `{"Length":3}`, `{"Length":3}`, `{"Length":3}`},
		{&boat{3}, `"boat of 3"`, `{"Length":3}`, "boat of 3"},
		{plainText{}, `"plain"`, `"plain"`, "plain"},
		{picky{}, `"picky"`, `"picky"`, `"picky"`},
		{&three, "3", "3", "3"},
		{(*int)(nil), "null", "null", "null"},
		{(*boat)(nil), `"<nil>"`, "null", "<nil>"},
		{[]string{"a", "b"}, `["a","b"]`, `["a","b"]`, `["a","b"]`},
		{map[string]any{"a": 1, "b": []int{2}}, `{"a":1,"b":[2]}`, `{"a":1,"b":[2]}`, `{"a":1,"b":[2]}`},
		{big.NewInt(7), `"7"`, "7", "7"},
		{netip.MustParseAddr("::1"), `"::1"`, `"::1"`, "::1"},
		{time.Saturday, `"Saturday"`, "6", "Saturday"},
		{slog.GroupValue(slog.Int("a", 1), slog.Any("s", secret("x"))), `{"a":1,"s":"***"}`, `{"a":1,"s":"***"}`, `{"a":1,"s":"***"}`},
		{grouped{slog.Int("a", 1)}, `{"a":1}`, `{"a":1}`, `{"a":1}`},
		{Render(boat{3}, FormJSON), `{"Length":3}`, `{"Length":3}`, `{"Length":3}`},
	} {
		require.Equal(t, c.plain, said("{X}", c.arg), "{X} of %#v", c.arg)
		require.Equal(t, c.structure, said("{@X}", c.arg), "{@X} of %#v", c.arg)
		require.Equal(t, c.literal, said("{$X:l}", c.arg), "{$X:l} of %#v", c.arg)
	}
	require.Equal(t, "+Inf NaN", said("{X}", math.Inf(1))+" "+said("{X}", math.NaN()))
	require.Equal(t, `"a" 1`, said("{X:j}", "a")+" "+said("{X:j}", 1))
}

// Whatever the arguments do, the message says it.
func TestHostileValues(t *testing.T) {
	for _, c := range []struct {
		arg  any
		want string
	}{
		{broken{}, "no text"},
		{&broken{}, "no text"},
		{badText{}, "no text"},
		{cyclic(), "cycle"},
		{make(chan int), "chan int"},
		{func() {}, "func()"},
		{math.NaN(), "NaN"},
		{[]float64{math.NaN()}, "NaN"},
		{&hollow{}, "nil pointer"},
		{(*hollow)(nil), "<nil>"},
		{nested{}, "nested too deep"},
	} {
		for _, hole := range []string{"{X}", "{$X}"} {
			require.Contains(t, said(hole, c.arg), c.want, "%s of %T", hole, c.arg)
		}
		require.NotEmpty(t, said("{@X}", c.arg))
	}
	require.Contains(t, said("{@X}", broken{}), "no JSON")

	// A format changes none of it.
	require.Equal(t, "2.50", said("{X:0.00}", ratio(2.5)))
	require.Equal(t, "0x03", "0x"+said("{X:x2}", code(3)))
}
