package term

import (
	"bytes"
	"strings"
	"testing"
)

func TestAFrameIsDrawnOverTheOneBefore(t *testing.T) {
	var out bytes.Buffer
	s := Screen{W: &out}
	s.Draw("one\ntwo\nthree\n")
	s.Draw("1\n" + strings.Repeat("x", 200) + "\n")
	want := "\rone\x1b[K\n\rtwo\x1b[K\n\rthree\x1b[K\n" +
		"\x1b[3A\r1\x1b[K\n\r" + strings.Repeat("x", Width) + "\x1b[K\n\r\x1b[K\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestColoursTakeNoColumns(t *testing.T) {
	on := Colours{on: true}
	line := "ab" + on.Good("cd") + "ef" + on.Bad("gh")
	for width, want := range map[int]string{
		3:  "ab\x1b[32mc\x1b[0m",
		6:  "ab\x1b[32mcd\x1b[0mef\x1b[31m\x1b[0m",
		20: line,
	} {
		if got := Clip(line, width); got != want {
			t.Errorf("%d: %q, want %q", width, got, want)
		}
	}
	if (Colours{}).Odd("x") != "x" || on.Faint("x") == "x" || on.Odd("x") == "x" {
		t.Error("colours are on or off")
	}
}

func TestOnlyTerminalsAreTerminals(t *testing.T) {
	if IsTerminal(&bytes.Buffer{}) || ColoursFor(&bytes.Buffer{}).on || columns(&bytes.Buffer{}) != Width {
		t.Error("a buffer is taken for a terminal")
	}
}
