package main

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
)

// samples are streams that a framer could get wrong.
func samples() map[string][]byte {
	long := bytes.Repeat([]byte("0123456789"), frame.BlockSize/4)
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 3*frame.BlockSize+17)
	for i := range noise {
		noise[i] = "\n\r\x00ab\xff"[r.IntN(6)]
	}
	return map[string][]byte{
		"empty":             nil,
		"one line":          []byte("one\n"),
		"no last line feed": []byte("one\ntwo"),
		"CRLF":              []byte("one\r\ntwo\r\n"),
		"bare CR":           []byte("one\rtwo\r\rthree"),
		"only line feeds":   []byte("\n\n\n"),
		"only a line feed":  []byte("\n"),
		"NUL":               []byte("a\x00b\n\x00\n\x00"),
		"not UTF-8":         []byte("\xff\xfe\n\x80"),
		"exact":             append(bytes.Repeat([]byte("x"), frame.DefaultMax-1), '\n'),
		"one over":          append(bytes.Repeat([]byte("x"), frame.DefaultMax), '\n'),
		"very long":         append(append(append([]byte("a\n"), long...), "\r\nb\n"...), long...),
		"many":              []byte(strings.Repeat("a line of a log\r\n", 50_000)),
		"noise":             noise,
	}
}

func inputOf(r io.Reader) input {
	return input{name: "in", open: func() (io.ReadCloser, error) { return io.NopCloser(r), nil }}
}

// feedOf is a feed of one input, of lines of the usual length.
func feedOf(r io.Reader, emit func([]byte)) *feed {
	return newFeed([]input{inputOf(r)}, frame.DefaultMax, false, func(error) {}, func(line []byte, _ bool) { emit(line) })
}

func TestFeedKeepsEveryByte(t *testing.T) {
	readers := map[string]func(io.Reader) io.Reader{
		"whole":     func(r io.Reader) io.Reader { return r },
		"halves":    iotest.HalfReader,
		"data+EOF":  iotest.DataErrReader,
		"odd sizes": func(r io.Reader) io.Reader { return &sizedReader{r: r, rand: rand.New(rand.NewPCG(3, 4))} },
	}
	for name, data := range samples() {
		for how, reader := range readers {
			var events [][]byte
			f := feedOf(reader(bytes.NewReader(data)), func(ev []byte) { events = append(events, ev) })
			if err := f.run(); err != nil {
				t.Fatalf("%s, %s: %v", name, how, err)
			}
			f.stop()
			f.stop()
			if got := bytes.Join(events, nil); !bytes.Equal(got, data) {
				t.Errorf("%s, %s: %d bytes became %d, or others", name, how, len(data), len(got))
			}
			if f.read.bytes != uint64(len(data)) || f.read.events != uint64(len(events)) {
				t.Errorf("%s, %s: counted %d events, %d bytes", name, how, f.read.events, f.read.bytes)
			}
			for i, ev := range events {
				whole := len(ev) == frame.DefaultMax || ev[len(ev)-1] == '\n' || i == len(events)-1
				if len(ev) > frame.DefaultMax || bytes.Count(ev, []byte("\n")) > 1 || !whole {
					t.Fatalf("%s, %s: event %d of %d bytes is not a line", name, how, i, len(ev))
				}
			}
		}
	}
}

// sizedReader reads a random number of bytes at a time.
type sizedReader struct {
	r    io.Reader
	rand *rand.Rand
}

func (s *sizedReader) Read(p []byte) (int, error) {
	return s.r.Read(p[:min(len(p), 1+s.rand.IntN(30_000))])
}

func TestFeedReportsErrors(t *testing.T) {
	broken := errors.New("broken")
	got := ""
	f := feedOf(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), func(ev []byte) { got += string(ev) })
	if err := f.run(); !errors.Is(err, broken) {
		t.Errorf("run returned %v", err)
	}
	if f.stop(); got != "a\nb" {
		t.Errorf("emitted %q", got)
	}
	f = feedOf(idleReader{}, func([]byte) {})
	if err := f.run(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("run returned %v", err)
	}
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

func TestFeedStopsBesideABlockedRead(t *testing.T) {
	r, w := io.Pipe()
	first := make(chan struct{})
	got := ""
	f := feedOf(r, func(ev []byte) {
		if got += string(ev); len(got) == 2 {
			close(first)
		}
	})
	ended := make(chan error)
	go func() { ended <- f.run() }()
	if _, err := w.Write([]byte("a\nrest")); err != nil {
		t.Fatal(err)
	}
	<-first
	f.stop()
	if got != "a\nrest" {
		t.Errorf("emitted %q", got)
	}
	if _, err := w.Write([]byte("too late\n")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil || got != "a\nrest" {
		t.Errorf("after stop: emitted %q, %v", got, err)
	}
}
