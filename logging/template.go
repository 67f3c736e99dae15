package logging

import (
	"log/slog"
	"slices"
)

// Template is a parsed message template, as https://messagetemplates.org
// defines them: text with holes, each of which names a property.
//
//	{UserId}           the next argument, as property UserId
//	{0}                argument 0, if all holes of the template are numbers
//	{@Cart}            the argument's structure, as JSON
//	{$Cart}            the argument's text, unless it is a group
//	{Name,10}          at least 10 characters wide, to the right; {Name,-10} to the left
//	{Price:0.00}       with a format; a format that does not fit the value is ignored
//	{{ and }}          braces
//
// What is not a valid hole is text, up to its closing brace. A name that occurs
// again is the same property and takes no further argument. A hole without an
// argument stays as it is written; an argument without a hole becomes the
// property "__" and its position, counted from 0.
//
// A Template does not change and is safe for concurrent use.
type Template struct {
	text    string
	message string // the whole message, if there is no hole
	tokens  []token
	props   []prop
	needs   int  // arguments
	dense   bool // it takes all of them
}

// token is a piece of a template: text, or a hole if prop is not negative.
type token struct {
	raw    string // as written; concatenated, all tokens' give the template
	text   string // what raw stands for, if it is text
	prop   int    // index into Template.props
	width  int    // least width in characters; negative: text to the left
	format string
}

// prop is a property: what all holes of one name stand for.
type prop struct {
	name    string
	arg     int // position of its argument
	capture capture
}

// capture is how a hole takes its argument.
type capture byte

const (
	byType      capture = 0   // as text if the type knows how, else its structure
	destructure capture = '@' // its structure
	stringify   capture = '$' // its text
)

// String returns the template as it was written.
func (t *Template) String() string { return t.text }

// Append appends the message that the template gives with args. Values are
// rendered once: braces in them mean nothing. It never panics, whatever the
// arguments are and their methods do.
//
// Text is quoted, unless its hole's format is "l"; see the package's document
// on templates for what becomes of each type.
func (t *Template) Append(dst []byte, args ...any) []byte {
	var store [inlineAttrs]slog.Attr
	attrs := t.bind(store[:0], args)
	return t.append(dst, attrs, len(args), false, nil)
}

// Attrs appends one attribute for each property that has an argument, in the
// order of the template, and then the arguments without a hole. Their values
// are of basic kinds, groups of such, nil, errors, or a [*Rendered]: except
// for errors, nothing that happens later to the arguments shows in them.
func (t *Template) Attrs(dst []slog.Attr, args ...any) []slog.Attr { return t.bind(dst, args) }

// inlineAttrs is the number of attributes for which nobody allocates.
const inlineAttrs = 8

// append renders the template from attrs, which bind made of n arguments. If
// spans is not nil it gets where the holes with a format begin and end.
func (t *Template) append(dst []byte, attrs []slog.Attr, n int, unquoted bool, spans *[]int) []byte {
	for i := range t.tokens {
		tok := &t.tokens[i]
		if tok.prop < 0 {
			dst = append(dst, tok.text...)
			continue
		}
		from := len(dst)
		dst = tok.append(dst, attrs, t.find(tok.prop, n), unquoted)
		if spans != nil && tok.format != "" {
			*spans = append(*spans, from, len(dst))
		}
	}
	return dst
}

// append renders a hole from the attribute at index at; negative: there is none.
func (tok *token) append(dst []byte, attrs []slog.Attr, at int, unquoted bool) []byte {
	if at < 0 {
		return append(dst, tok.raw...)
	}
	from := len(dst)
	dst = appendValue(dst, attrs[at].Value, tok.format, unquoted)
	return pad(dst, from, tok.width)
}

// named renders the template from attributes that are found by their names. It
// also returns the texts of the holes that have a format.
func (t *Template) named(attrs []slog.Attr, unquoted bool) (message string, renderings []string) {
	var dst []byte
	for i := range t.tokens {
		tok := &t.tokens[i]
		if tok.prop < 0 {
			dst = append(dst, tok.text...)
			continue
		}
		from := len(dst)
		name := t.props[tok.prop].name
		at := slices.IndexFunc(attrs, func(a slog.Attr) bool { return a.Key == name })
		dst = tok.append(dst, attrs, at, unquoted)
		if tok.format != "" {
			renderings = append(renderings, string(dst[from:]))
		}
	}
	return string(dst), renderings
}
