package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/penstock-go/penstock/stage"
)

// TestShipIsByteForByte covers the real log files in PENSTOCK_DATA as well, if
// that names a folder.
func TestShipIsByteForByte(t *testing.T) {
	data := samples()
	if dir := os.Getenv("PENSTOCK_DATA"); dir != "" {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			data[e.Name()] = b
			t.Logf("%s: %d bytes", e.Name(), len(b))
		}
	}
	for name, want := range data {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
			for path, b := range map[string][]byte{in: want, out: []byte("what was there before, and longer than some")} {
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, _, stderr := call("", "ship", "-in", in, "-out", out)
			got, err := os.ReadFile(out)
			if err != nil || code != exitOK || !bytes.Equal(got, want) {
				t.Errorf("by files: code %d, %d bytes of %d, %v: %s", code, len(got), len(want), err, stderr)
			}
			code, stdout, stderr := call(string(want), "ship", "-in", "-", "-out", "-", "-queue", "3", "-batch", "2", "-queue-bytes", "262144")
			if code != exitOK || stdout != string(want) || !strings.Contains(stderr, "nothing lost") {
				t.Errorf("by streams: code %d, %d bytes of %d: %s", code, len(stdout), len(want), stderr)
			}
		})
	}
}

// TestVerdictNamesTheFirstCause holds that the hook's first failure is the cause,
// unless it is only that Close cut the event off, which happens in time or not.
func TestVerdictNamesTheFirstCause(t *testing.T) {
	full, late := errors.New("disk full"), errors.New("stuck in file")
	for _, c := range []struct{ write, want error }{
		{nil, late},
		{full, full},
		{fmt.Errorf("%w: late", stage.ErrAbandoned), late},
	} {
		v := verdict{events: 1, writeErr: c.write, closeErr: late}
		if got := v.String(); !strings.HasSuffix(got, "LOST 1: "+c.want.Error()) {
			t.Errorf("%v: %s", c.write, got)
		}
	}
}

func TestShipPrintsTheLedger(t *testing.T) {
	_, _, stderr := call("a\nb\n", "ship", "-in", "-", "-out", "-", "-stats", "json")
	if !strings.Contains(stderr, `"delivered":2,`) {
		t.Error(stderr)
	}
	_, _, stderr = call("a\nb\n", "ship", "-in", "-", "-out", "-", "-stats", "text")
	if !strings.Contains(stderr, "delivered             2\n") {
		t.Error(stderr)
	}
}

// failingWriter fails after some bytes.
type failingWriter struct{ left int }

func (f *failingWriter) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.left -= n
	if n < len(p) {
		return n, errors.New("no more room")
	}
	return n, nil
}

func TestShipStopsAtAWriteError(t *testing.T) {
	for _, policy := range []string{wait, dropOldest, dropNewest} {
		var stderr bytes.Buffer
		p := process{endless{}, &failingWriter{left: 1000}, &stderr, nil}
		code := run(p, []string{"ship", "-in", "-", "-out", "-", "-overflow", policy})
		if code != exitLoss || !strings.Contains(stderr.String(), "LOST") || !strings.Contains(stderr.String(), "no more room") {
			t.Errorf("%s: code %d: %s", policy, code, stderr.String())
		}
	}
}

// endless is an input without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, "0123456789 0123456789 0123456789\n"), nil
}

func TestShipDeliversWhatCameBeforeAReadError(t *testing.T) {
	var stdout, stderr bytes.Buffer
	in := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(errors.New("cable cut")))
	code := run(process{in, &stdout, &stderr, nil}, []string{"ship", "-in", "-", "-out", "-"})
	if code != exitRuntime || stdout.String() != "a\nb" || !strings.Contains(stderr.String(), "cable cut") {
		t.Errorf("code %d, %q: %s", code, stdout.String(), stderr.String())
	}
}
