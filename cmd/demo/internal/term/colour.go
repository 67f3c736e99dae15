package term

import (
	"io"
	"os"
)

// Colours paints words. The zero value does not.
type Colours struct{ on bool }

const reset = "\x1b[0m"

// ColoursFor returns colours for w: none if it is no terminal or the variable
// NO_COLOR is set to anything.
func ColoursFor(w io.Writer) Colours {
	return Colours{IsTerminal(w) && os.Getenv("NO_COLOR") == ""}
}

// Good is green.
func (c Colours) Good(s string) string { return c.paint("32", s) }

// Bad is red.
func (c Colours) Bad(s string) string { return c.paint("31", s) }

// Odd is yellow.
func (c Colours) Odd(s string) string { return c.paint("33", s) }

// Faint is what need not be looked at.
func (c Colours) Faint(s string) string { return c.paint("2", s) }

func (c Colours) paint(code, s string) string {
	if !c.on {
		return s
	}
	return "\x1b[" + code + "m" + s + reset
}
