package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder makes files with the given texts.
func folder(t *testing.T, texts map[string]string) (path func(string) string) {
	t.Helper()
	dir := t.TempDir()
	path = func(name string) string { return filepath.Join(dir, name) }
	for name, text := range texts {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func textOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSeveralInputs(t *testing.T) {
	at := folder(t, map[string]string{"a.log": "a1\na2", "b.log": "", "c.log": "c1\n", "x,y": "xy"})
	for _, c := range []struct {
		stdin string
		args  []string
		want  string
	}{
		{"s", []string{"-in", at("a.log") + ",-," + at("c.log")}, "a1\na2\ns\nc1\n"},
		{"", []string{"-in", at("c.log"), "-in", at("a.log")}, "c1\na1\na2\n"},
		{"", []string{"-in", at("*.log")}, "a1\na2\nc1\n"},
		{"", []string{"-in", at("x,y")}, "xy"},
		{"", []string{"-in", at("[a].log")}, "a1\na2"},
	} {
		code, stdout, stderr := call(c.stdin, append([]string{"ship", "-out", "-"}, c.args...)...)
		if code != exitOK || stdout != c.want || !strings.Contains(stderr, "nothing lost") {
			t.Errorf("%v: code %d, %q: %s", c.args, code, stdout, stderr)
		}
	}
	for args, want := range map[string]string{
		at("a.log") + ",":               "empty name",
		at("[") + ",x":                  "syntax error",
		at("*.txt"):                     "no file is called",
		at("c.log") + "," + at("d.log"): "d.log",
	} {
		if code, _, stderr := call("", "ship", "-out", "-", "-in", args); code == exitOK || !strings.Contains(stderr, want) {
			t.Errorf("%s: code %d: %s", args, code, stderr)
		}
	}
	code, _, stderr := call("", "ship", "-in", at("*.log"), "-out", at("c.log"))
	if code != exitUsage || !strings.Contains(stderr, "-in and -out are the same file") || textOf(t, at("c.log")) != "c1\n" {
		t.Errorf("code %d: %s", code, stderr)
	}
}

func TestNowhere(t *testing.T) {
	code, stdout, stderr := call("a\nb\n", "ship", "-in", "-", "-out", "null")
	if code != exitOK || stdout != "" || !strings.Contains(stderr, "delivered 2 to nowhere; nothing lost") {
		t.Errorf("code %d, %q: %s", code, stdout, stderr)
	}
	if _, err := os.Stat(nowhere); err == nil {
		t.Error("a file was made")
	}
}

func TestLongLinesAreTold(t *testing.T) {
	text := "1234567\n12345678\n" + strings.Repeat("123456789\n", 25)
	code, stdout, stderr := call(text, "ship", "-in", "-", "-out", "-", "-max-line", "8")
	if code != exitOK || stdout != text {
		t.Errorf("code %d, %q", code, stdout)
	}
	if n := strings.Count(stderr, "demo ship: the standard input: the line at byte "); n != maxTold ||
		!strings.Contains(stderr, "the line at byte 8 is longer than 8 bytes and goes in pieces\n") ||
		!strings.Contains(stderr, "only counted") || !strings.Contains(stderr, "; 26 long lines in pieces") {
		t.Errorf("%d told: %s", n, stderr)
	}
}

func TestParsing(t *testing.T) {
	in := `{"level":"warn","msg":"a","n":1}` + "\n" + `level=error msg=b` + "\r\n" + "plain text\n" + `msg="no end"`
	for format, want := range map[string]string{
		"json": `{"level":"WARN","msg":"a","n":1}` + "\n" + `{"level":"ERROR","msg":"b"}` + "\n" +
			`{"level":"INFO","msg":"plain text"}` + "\n" + `{"level":"INFO","msg":"no end"}` + "\n",
		"text":    "level=WARN msg=a n=1\nlevel=ERROR msg=b\nlevel=INFO msg=\"plain text\"\nlevel=INFO msg=\"no end\"\n",
		"clef":    `{"@m":"a","@l":"Warning","n":1}` + "\n" + `{"@m":"b","@l":"Error"}` + "\n" + `{"@m":"plain text"}` + "\n" + `{"@m":"no end"}` + "\n",
		"console": "WRN a n=1\nERR b\nINF plain text\nINF no end\n",
	} {
		t.Setenv("NO_COLOR", "1")
		code, stdout, stderr := call(in, "ship", "-in", "-", "-out", "-", "-parse", "auto", "-format", format)
		if code != exitOK || stdout != want || !strings.Contains(stderr, "; 1 lines did not parse and are messages; nothing lost") {
			t.Errorf("%s: code %d, %q: %s", format, code, stdout, stderr)
		}
	}
	// A piece that looks like a line of its own is not one.
	code, stdout, _ := call("12345678a=b\n", "ship", "-in", "-", "-out", "-", "-parse", "auto", "-format", "text", "-max-line", "8")
	if want := "level=INFO msg=12345678\nlevel=INFO msg=\"a=b\"\n"; code != exitOK || stdout != want {
		t.Errorf("code %d, %q", code, stdout)
	}
}

// TestParsedDeadLetters replays what an output refused: the lines that it would
// have got.
func TestParsedDeadLetters(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	at := folder(t, nil)
	code, _, stderr := call("msg=a\nplain\n", "ship", "-in", "-", "-out", "/dev/full", "-dead", at("dead"), "-parse", "logfmt", "-format", "text")
	if code != exitOK || !strings.Contains(stderr, "2 dead letters") {
		t.Errorf("code %d: %s", code, stderr)
	}
	if l := letters(t, at("dead")); len(l) != 2 || l[0].Attempts != 1 || l[0].First.IsZero() || !strings.Contains(l[0].Causes[0], "space") {
		t.Errorf("%+v", l)
	}
	code, stdout, stderr := call("", "replay", "-in", at("dead"), "-out", "-")
	if code != exitOK || stdout != "level=INFO msg=a\nlevel=INFO msg=plain\n" {
		t.Errorf("code %d, %q: %s", code, stdout, stderr)
	}
}
