package logging

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTemplateMessage(t *testing.T) {
	for _, c := range []struct {
		template string
		args     []any
		want     string
	}{
		{"", nil, ""},
		{"no holes", nil, "no holes"},
		{"User {UserId} bought {Item}", []any{42, "a boat"}, `User 42 bought "a boat"`},
		{"{Item:l}", []any{"a boat"}, "a boat"},
		{"{0} {1} {0}", []any{"a", 2}, `"a" 2 "a"`},
		{"{1} {0}", []any{"a", "b"}, `"b" "a"`},
		{"{00} {0}", []any{1}, "1 1"},
		{"{0} {Name}", []any{1, 2}, "1 2"}, // a name among them: all are names
		{"{99999999999999999999}", []any{1}, "1"},

		// Braces.
		{"{{Name}} {Name}", []any{1}, "{Name} 1"},
		{"}} } {{", nil, "} } {"},
		{"{{{Name}}}", []any{1}, "{1}"},

		// What is no hole is text.
		{"{", nil, "{"},
		{"{}", []any{}, "{}"},
		{"{Name", nil, "{Name"},
		{"{a {Name}", []any{1}, "{a {Name}"},
		{"{a {Name} {Name}", []any{1}, "{a {Name} 1"},
		{"{a < {{b} {Name}", []any{1}, "{a < {{b} 1"},
		{"{Name {{ a", []any{1}, "{Name {{ a"},
		{"{Price:$0.00}", []any{1}, "{Price:$0.00}"},
		{"{Price:0 = 1}", []any{1}, "{Price:0 = 1}"},
		{"{Price:(+0) {-_%}", []any{1}, "1"},
		{"{Price,$5}", []any{1}, "{Price,$5}"},
		{"{Name:a\xff}", []any{1}, "{Name:a\xff}"},
		{"{not a name}", nil, "{not a name}"},
		{"{@}", nil, "{@}"},
		{"{@@x}", nil, "{@@x}"},
		{"{http.method}", nil, "{http.method}"},
		{"{\"json\": 1}", nil, "{\"json\": 1}"},
		{"{Name\n}", nil, "{Name\n}"},
		{"{Na\xffme}", nil, "{Na\xffme}"},
		{"{Name,}", nil, "{Name,}"},
		{"{Name,0}", nil, "{Name,0}"},
		{"{Name,--1}", nil, "{Name,--1}"},
		{"{Name,+1}", nil, "{Name,+1}"},
		{"{Name,1001}", nil, "{Name,1001}"},
		{"{Größe_2}", []any{1}, "1"},

		// Alignment, by characters.
		{"[{N,5}]", []any{42}, "[   42]"},
		{"[{N,-5}]", []any{42}, "[42   ]"},
		{"[{N,1}]", []any{42}, "[42]"},
		{"[{N,6:l}]", []any{"äöü"}, "[   äöü]"},
		{"[{N,8:0.00}]", []any{1.5}, "[    1.50]"},

		// Too few arguments, too many.
		{"{A} {B,5:0.0}", []any{1}, "1 {B,5:0.0}"},
		{"{0} {2}", []any{1, 2}, "1 {2}"},
		{"{A}", []any{1, 2}, "1"},
		{"no holes", []any{1}, "no holes"},

		// A name that occurs again is the same property.
		{"{A} and {A:X} and {B}", []any{10, 11}, "10 and A and 11"},

		// What a value renders as is not a template.
		{"{A} {B}", []any{"{B}", "{{x}} {A}"}, `"{B}" "{{x}} {A}"`},
		{"{A:l}{B:l}", []any{"{", "0}"}, "{0}"},
	} {
		require.Equal(t, c.want, string(ParseTemplate(c.template).Append(nil, c.args...)), c.template)
		require.Equal(t, "before "+c.want, string(ParseTemplate(c.template).Append([]byte("before "), c.args...)), c.template)
		require.Equal(t, c.template, ParseTemplate(c.template).String())
	}
}

func TestTemplateAttrs(t *testing.T) {
	attrs := func(template string, args ...any) string {
		var out []string
		for _, a := range ParseTemplate(template).Attrs(nil, args...) {
			out = append(out, a.String())
		}
		return strings.Join(out, " ")
	}
	require.Equal(t, "UserId=42 Item=boat", attrs("{UserId} {Item}", 42, "boat"))
	require.Equal(t, "A=1", attrs("{A} {B}", 1))
	require.Equal(t, "A=1 __1=2 __2=3", attrs("{A} {A}", 1, 2, 3))
	require.Equal(t, "1=b 0=a", attrs("{1} {0}", "a", "b"))
	require.Equal(t, "0=a 2=c __1=b", attrs("{0} {2}", "a", "b", "c"))
	require.Equal(t, "0=a 00=a 2=c __1=b", attrs("{0} {00} {2}", "a", "b", "c"))
	require.Equal(t, "__0=1", attrs("no holes", 1))
	require.Equal(t, "__0=0 __1=1 __2=2 __3=3 __4=4 __5=5 __6=6 __7=7 __8=8", attrs("", 0, 1, 2, 3, 4, 5, 6, 7, 8))

	first := slog.Int("first", 1)
	require.Equal(t, []slog.Attr{first, slog.Int("A", 2)}, ParseTemplate("{A}").Attrs([]slog.Attr{first}, 2))
}

// templates draws texts that look like templates.
func templates() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"{", "}", "{{", "}}", "{A}", "{@B}", "{$C}", "{0}", "{1}", "{2,5}", "{A,-3:0.0}", ":", ",", " "}),
		rapid.StringN(0, 4, -1),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 12), func(pieces []string) string { return strings.Join(pieces, "") })
}

func TestTemplateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := templates().Draw(t, "template")
		args := rapid.SliceOfN(rapid.Map(templates(), func(s string) any { return s }), 0, 5).Draw(t, "args")
		checkTemplate(t, text, args)
	})
}

// checkTemplate holds what is true of every template and all arguments.
func checkTemplate(t require.TestingT, text string, args []any) {
	tmpl := ParseTemplate(text)
	var raw strings.Builder
	for i := range tmpl.tokens {
		require.NotEmpty(t, tmpl.tokens[i].raw)
		raw.WriteString(tmpl.tokens[i].raw)
	}
	require.Equal(t, text, raw.String(), "the tokens are the template")

	// Every argument is an attribute, and no property is there twice.
	attrs := tmpl.Attrs(nil, args...)
	seen := map[string]bool{}
	for _, a := range attrs {
		require.False(t, seen[a.Key] && !strings.HasPrefix(a.Key, "__"), "%s is there twice", a.Key)
		seen[a.Key] = true
	}
	distinct := map[int]bool{}
	for _, p := range tmpl.props {
		if p.arg < len(args) {
			distinct[p.arg] = true
			require.True(t, seen[p.name], "%s is missing", p.name)
		}
	}
	surplus := 0
	for i := range args {
		if !distinct[i] {
			surplus++
			require.True(t, seen[surplusKey(i)])
		}
	}
	held := 0
	for _, p := range tmpl.props {
		if p.arg < len(args) {
			held++
		}
	}
	require.Len(t, attrs, held+surplus)

	// Rendered once: each text as it is, each value in its place.
	var want strings.Builder
	for i := range tmpl.tokens {
		switch tok := &tmpl.tokens[i]; {
		case tok.prop < 0:
			want.WriteString(tok.text)
		case tmpl.props[tok.prop].arg >= len(args):
			want.WriteString(tok.raw)
		default:
			v := captureArg(args[tmpl.props[tok.prop].arg], tmpl.props[tok.prop].capture)
			want.Write(pad(appendValue(nil, v, tok.format, false), 0, tok.width))
		}
	}
	require.Equal(t, want.String(), string(tmpl.Append(nil, args...)))
}

func FuzzTemplate(f *testing.F) {
	for _, text := range []string{"", "User {UserId} bought {@Cart} for {Price:0.00}", "{0} {{ {1,-5:l} }}", "{a {$b}", "{x,1001} {}"} {
		f.Add(text, "value", 1.5)
	}
	f.Fuzz(func(t *testing.T, text, value string, number float64) {
		checkTemplate(t, text, []any{value, number})
		checkTemplate(t, text, nil)
		checkTemplate(t, "{A:"+text+"}", []any{number})
		checkTemplate(t, "{A:"+text+"}", []any{int64(number)})
	})
}
