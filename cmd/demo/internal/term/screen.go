package term

import (
	"fmt"
	"io"
	"os"
	"strings"

	xterm "golang.org/x/term"
)

// Width is the greatest number of columns that anything here takes.
const Width = 100

// IsTerminal reports whether w is a terminal on which lines can be written
// over.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && xterm.IsTerminal(int(f.Fd()))
}

// columns returns how many columns w has, at most Width.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := xterm.GetSize(int(f.Fd())); err == nil && n > 0 {
			return min(n, Width)
		}
	}
	return Width
}

// Screen draws frames over each other, at the place on a terminal where the
// first one was.
type Screen struct {
	W     io.Writer
	lines int
}

const eraseLine = "\x1b[K"

// Draw draws a frame in place of the one before. Lines that are longer than the
// terminal is wide are cut off, for they would move everything below.
func (s *Screen) Draw(frame string) {
	var b strings.Builder
	if s.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", s.lines)
	}
	width := columns(s.W)
	lines := strings.Split(strings.TrimSuffix(frame, "\n"), "\n")
	for _, line := range lines {
		b.WriteString("\r" + Clip(line, width) + eraseLine + "\n")
	}
	for range s.lines - len(lines) {
		b.WriteString("\r" + eraseLine + "\n")
	}
	s.lines = max(s.lines, len(lines))
	io.WriteString(s.W, b.String())
}

// Clip cuts line off behind so many columns. Colours take none, and end.
func Clip(line string, width int) string {
	var b strings.Builder
	escape, coloured, column := false, false, 0
	for _, r := range line {
		switch {
		case r == '\x1b':
			escape, coloured = true, true
		case escape:
			escape = r != 'm'
		case column == width:
			if coloured {
				b.WriteString(reset)
			}
			return b.String()
		default:
			column++
		}
		b.WriteRune(r)
	}
	return b.String()
}
