package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
	"github.com/penstock-go/penstock/sinks"
)

// letters reads a file of dead letters.
func letters(t *testing.T, path string) (all []letter) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for l, err := range (sinks.LetterReader[[]byte]{Decode: sinks.DecodeText[[]byte]}).Read(file) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// put writes a file and returns its path.
func put(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// callTo is call with a standard output of one's own.
func callTo(stdout io.Writer, stdin string, args ...string) (code int, stderr string) {
	var errs bytes.Buffer
	code = run(process{strings.NewReader(stdin), stdout, &errs, nil}, args)
	return code, errs.String()
}

// What a shipment cannot write comes out of a replay byte for byte.
func TestReplayIsByteForByte(t *testing.T) {
	for name, want := range samples() {
		want = want[:min(len(want), 2*frame.DefaultMax+99)] // a letter costs much more than a line
		t.Run(name, func(t *testing.T) {
			dead := filepath.Join(t.TempDir(), "new", "dead.jsonl")
			code, stderr := callTo(&failingWriter{}, string(want), "ship", "-in", "-", "-out", "-", "-dead", dead)
			if code != exitOK || !strings.Contains(stderr, "delivered 0 to") || !strings.Contains(stderr, "nothing lost") {
				t.Errorf("ship: code %d: %s", code, stderr)
			}
			if len(want) > 0 && (!strings.Contains(stderr, "dead letters to "+dead) || !strings.Contains(stderr, "no more room")) {
				t.Errorf("ship: %s", stderr)
			}
			code, stdout, stderr := call("", "replay", "-in", dead, "-out", "-")
			if code != exitOK || stdout != string(want) || !strings.Contains(stderr, "demo replay: read") {
				t.Errorf("replay: code %d, %d bytes of %d: %s", code, len(stdout), len(want), stderr)
			}
			out := put(t, "out", "what was there before")
			text, err := os.ReadFile(dead)
			if err != nil {
				t.Fatal(err)
			}
			code, _, stderr = call(string(text), "replay", "-in", "-", "-out", out, "-queue", "3", "-batch", "2", "-queue-bytes", "262144")
			got, err := os.ReadFile(out)
			if err != nil || code != exitOK || !bytes.Equal(got, want) {
				t.Errorf("replay: code %d, %d bytes of %d, %v: %s", code, len(got), len(want), err, stderr)
			}
		})
	}
}

// fickleWriter refuses every other write.
type fickleWriter struct {
	bytes.Buffer
	calls int
}

func (w *fickleWriter) Write(p []byte) (int, error) {
	if w.calls++; w.calls%2 == 0 {
		return 0, errors.New("not now")
	}
	return w.Buffer.Write(p)
}

// The two commands are a loop: after a few rounds every line has arrived once,
// and each letter on the way knows all attempts.
func TestShipAndReplayAreALoop(t *testing.T) {
	var in strings.Builder
	for i := range 2_000 {
		fmt.Fprintf(&in, "%04d\xff\n", i)
	}
	dir := t.TempDir()
	var arrived []string
	args := []string{"ship", "-in", "-"}
	for round := 1; ; round++ {
		dead := filepath.Join(dir, fmt.Sprint(round))
		var out fickleWriter
		code, stderr := callTo(&out, in.String(), append(args, "-out", "-", "-dead", dead, "-batch", "16")...)
		if code != exitOK || !strings.Contains(stderr, "nothing lost") {
			t.Fatalf("round %d: code %d: %s", round, code, stderr)
		}
		arrived = append(arrived, strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")...)
		left := letters(t, dead)
		for _, l := range left {
			if l.Attempts != round || l.Stage != "the standard output" || l.Causes[0] == "" || l.First.IsZero() || l.Last.Before(l.First) {
				t.Fatalf("round %d: %+v", round, l)
			}
		}
		if len(left) == 0 {
			break
		}
		args = []string{"replay", "-in", dead}
	}
	for i := range arrived {
		arrived[i] = strings.TrimSuffix(arrived[i], "\n") + "\n"
	}
	slices.Sort(arrived)
	if got := strings.Join(arrived, ""); got != in.String() {
		t.Errorf("%d bytes of %d, or others", len(got), in.Len())
	}
}

// Dead letters are added to a file, and never take the place of others.
func TestDeadLettersAreAppended(t *testing.T) {
	dead := put(t, "dead.jsonl", `{"v":1,"event":"a\n"}`+"\n"+`{"v":1,"ev`) // cut off by a crash
	code, stderr := callTo(&failingWriter{}, "b\n", "ship", "-in", "-", "-out", "-", "-dead", dead)
	if code != exitOK {
		t.Errorf("code %d: %s", code, stderr)
	}
	code, stdout, stderr := call("", "replay", "-in", dead, "-out", "-")
	if code != exitRuntime || stdout != "a\nb\n" || !strings.Contains(stderr, "demo replay: line 2: ") {
		t.Errorf("code %d, %q: %s", code, stdout, stderr)
	}
}

func TestReplayReportsWhatItCannotRead(t *testing.T) {
	in := `{"v":1,"event":"a"}` + "\n\n" + `{"v":9,"event":"new"}` + "\nnonsense\r\n" + `{"v":1,"event":{"base64":"Yf8K"}}` + "\r\n" +
		`{"v":1,"event":{"id":7}}` + "\n" + `{"v":1,"event_text":"NaN"}` + "\n" + `{"v":1,"event":"z"`
	code, stdout, stderr := call(in, "replay", "-in", "-", "-out", "-")
	if code != exitRuntime || stdout != "aa\xff\n" {
		t.Errorf("code %d, %q", code, stdout)
	}
	for _, want := range []string{
		"line 3: version 9", "line 4: invalid character", "line 6: neither a string nor base64", "line 7: penstock: letter has no event",
		"line 8: cut off", "read 2 events, 4 bytes", "delivered 2", "NOT READ 5 lines", "nothing lost",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in %s", want, stderr)
		}
	}
	_, _, stderr = call(strings.Repeat("nonsense\n", 1000), "replay", "-in", "-", "-out", "-")
	if n := strings.Count(stderr, "demo replay: line"); n != maxComplaints || !strings.Contains(stderr, "NOT READ 1,000 lines") {
		t.Errorf("%d complaints: %s", n, stderr)
	}
}

// Without a file for dead letters a refusal is a loss, and the letters are
// still where they were.
func TestAReplayThatIsRefused(t *testing.T) {
	in := put(t, "dead.jsonl", strings.Repeat(`{"v":1,"event":"a\n"}`+"\n", 3))
	code, stderr := callTo(&failingWriter{}, "", "replay", "-in", in, "-out", "-")
	if code != exitLoss || !strings.Contains(stderr, "LOST 3") || !strings.Contains(stderr, "no more room") {
		t.Errorf("code %d: %s", code, stderr)
	}
	if n := len(letters(t, in)); n != 3 {
		t.Errorf("%d letters are left", n)
	}
}

func TestReplayDeliversWhatCameBeforeAReadError(t *testing.T) {
	var stdout, stderr bytes.Buffer
	in := io.MultiReader(strings.NewReader(`{"v":1,"event":"a"}`+"\n"), iotest.ErrReader(errors.New("cable cut")))
	code := run(process{in, &stdout, &stderr, nil}, []string{"replay", "-in", "-", "-out", "-"})
	if code != exitRuntime || stdout.String() != "a" || !strings.Contains(stderr.String(), "cable cut") {
		t.Errorf("code %d, %q: %s", code, stdout.String(), stderr.String())
	}
}

func TestNoFileServesTwice(t *testing.T) {
	const text = `{"v":1,"event":"a\n"}` + "\n"
	a, b := put(t, "a", text), put(t, "b", text)
	for _, args := range [][]string{{a, a, b}, {a, b, a}, {a, b, b}, {"-", b, b}} {
		code, _, stderr := call("", "replay", "-in", args[0], "-out", args[1], "-dead", args[2])
		if code != exitUsage || !strings.Contains(stderr, "are the same file") {
			t.Errorf("%v: code %d: %s", args, code, stderr)
		}
	}
	for _, path := range []string{a, b} {
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}

func TestAMailbagStopsBesideABlockedRead(t *testing.T) {
	r, w := io.Pipe()
	first := make(chan struct{})
	got := ""
	m := newReplaySource(&files{inputs: []input{inputOf(r)}}, outlet[letter]{send: func(l letter) {
		if got += string(l.Event); got == "ab" {
			close(first)
		}
	}})
	ended := make(chan error)
	go func() { ended <- m.run() }()
	if _, err := io.WriteString(w, `{"v":1,"event":"a"}`+"\n"+`{"v":1,"event":"b"}`+"\n"+`{"v":1,`); err != nil {
		t.Fatal(err)
	}
	<-first
	m.stop()
	if _, err := io.WriteString(w, `"event":"c"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	var v verdict
	if err := <-ended; err != nil || got != "ab" {
		t.Errorf("after stop: %q, %v", got, err)
	}
	if m.count(&v); v.events != 2 || v.bytes != 2 || v.unread != 0 {
		t.Errorf("counted %+v", v)
	}
}
