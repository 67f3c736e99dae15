//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// logWriter writes numbered lines to a log and rotates it in every way.
type logWriter struct {
	t    *testing.T
	r    *rand.Rand
	path string
	file *os.File
	next int
}

func newLogWriter(t *testing.T, r *rand.Rand, path string) *logWriter {
	w := &logWriter{t: t, r: r, path: path}
	w.open()
	t.Cleanup(func() { w.file.Close() })
	return w
}

func (w *logWriter) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *logWriter) open() {
	var err error
	w.file, err = os.OpenFile(w.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	w.must(err)
}

// work writes some lines, some of them in two parts, and may rotate the file. It
// does not write between the copying and the cutting: what is written then is in
// no file afterwards, and nobody can ship it.
func (w *logWriter) work() {
	var text []byte
	for range 1 + w.r.IntN(200) {
		text = fmt.Appendf(text, "%07d %s\n", w.next, strings.Repeat("x", w.r.IntN(90)))
		w.next++
	}
	at := w.r.IntN(len(text))
	for _, part := range [][]byte{text[:at], text[at:]} {
		_, err := w.file.Write(part)
		w.must(err)
	}
	switch w.r.IntN(12) {
	case 0:
		w.shift()
		w.must(os.Rename(w.path, w.path+".1"))
		w.must(w.file.Close())
		w.open()
	case 1:
		w.shift()
		whole, err := os.ReadFile(w.path)
		w.must(err)
		w.must(os.WriteFile(w.path+".1", whole, 0o600))
		w.must(w.file.Truncate(0))
	}
}

// shift makes room for app.log.1.
func (w *logWriter) shift() {
	siblings, err := filepath.Glob(w.path + ".*")
	w.must(err)
	for n := len(siblings); n > 0; n-- {
		w.must(os.Rename(w.path+"."+strconv.Itoa(n), w.path+"."+strconv.Itoa(n+1)))
	}
}

// TestNoLineIsMissingAfterKills kills a shipment again and again, at random
// moments, while it follows a log that grows and is rotated. What it has
// written by the next kill, and after the last one, is what was logged, each
// line once and in order.
func TestNoLineIsMissingAfterKills(t *testing.T) {
	kills := 50
	if testing.Short() {
		kills = 8
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("PENSTOCK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PENSTOCK_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	out, keep := filepath.Join(dir, "out"), filepath.Join(dir, "keep")
	log := newLogWriter(t, r, filepath.Join(dir, "app.log"))
	args := []string{"ship", "-in", log.path, "-out", out, "-follow", "-checkpoint", keep,
		"-checkpoint-every", "3ms", "-poll", "1ms", "-interval", "1ms"}
	// What is rotated away before the first checkpoint is not looked for.
	start(t, "ship", "-in", log.path, "-out", out, "-checkpoint", keep).end(exitOK)
	for range kills {
		c := exec.Command(binary, args...)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// The moment is some time after some work, from before main to long
		// after a few checkpoints.
		end := time.NewTimer(time.Duration(r.IntN(150)) * time.Millisecond)
		for working := true; working; {
			log.work()
			pause := time.NewTimer(time.Duration(r.IntN(4)) * time.Millisecond)
			select {
			case <-end.C:
				working = false
			case <-pause.C:
			}
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		var killed *exec.ExitError
		if err := c.Wait(); !errors.As(err, &killed) || killed.Exited() || stderr.Len() > 0 {
			t.Fatalf("ended by itself: %v: %s", err, stderr.Bytes())
		}
		for range r.IntN(3) {
			log.work()
		}
	}
	// The last run reads to the end and comes to an end.
	c := start(t, "ship", "-in", log.path, "-out", out, "-checkpoint", keep)
	c.verdict(exitOK, "nothing lost")
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(got), "\n"), "\n")
	for i, line := range lines {
		if n, _, _ := strings.Cut(line, " "); n != fmt.Sprintf("%07d", i) {
			t.Fatalf("line %d is %.20q, after %.20q", i, line, lines[max(0, i-1)])
		}
	}
	if len(lines) != log.next {
		t.Errorf("%d lines of %d", len(lines), log.next)
	}
}
