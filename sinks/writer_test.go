package sinks

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"weak"

	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// piecewise takes what step says of each write.
type piecewise struct {
	bytes.Buffer
	calls int
	step  func(call int, p []byte) (int, error)
}

func (w *piecewise) Write(p []byte) (int, error) {
	w.calls++
	if w.step == nil {
		return w.Buffer.Write(p)
	}
	n, err := w.step(w.calls, p)
	if n > 0 && n <= len(p) {
		w.Buffer.Write(p[:n])
	}
	return n, err
}

func newTestWriter(t *testing.T, w io.Writer) *Writer[string] {
	t.Helper()
	s, err := NewWriter(w, line)
	require.NoError(t, err)
	return s
}

func TestWriterWritesABatchByOneCall(t *testing.T) {
	var to piecewise
	s := newTestWriter(t, &to)
	require.NoError(t, s.Write(t.Context(), []string{"a", "b", ""}))
	require.NoError(t, s.Write(t.Context(), nil))
	require.NoError(t, s.Write(t.Context(), []string{"c"}))
	require.Equal(t, "a\nb\n\nc\n", to.String())
	require.Equal(t, 2, to.calls)
	require.Equal(t, "writer *sinks.piecewise", s.Name())
}

func TestWriterCompletesShortWrites(t *testing.T) {
	for _, short := range []error{nil, io.ErrShortWrite} {
		to := piecewise{step: func(_ int, p []byte) (int, error) { return min(2, len(p)), short }}
		s := newTestWriter(t, &to)
		require.NoError(t, s.Write(t.Context(), []string{"abc", "def"}))
		require.Equal(t, "abc\ndef\n", to.String())
		require.Equal(t, 4, to.calls)
	}
}

func TestWriterGivesUpOnZeroProgress(t *testing.T) {
	to := piecewise{step: func(call int, _ []byte) (int, error) { return 0, nil }}
	s := newTestWriter(t, &to)
	err := s.Write(t.Context(), []string{"abc"})
	require.ErrorIs(t, err, io.ErrNoProgress)
	requireWhole(t, err)
	require.Equal(t, 1, to.calls)
}

func TestWriterRefusesInvalidCounts(t *testing.T) {
	for _, n := range []int{-1, 100} {
		to := piecewise{step: func(int, []byte) (int, error) { return n, nil }}
		err := newTestWriter(t, &to).Write(t.Context(), []string{"abc"})
		require.ErrorIs(t, err, errInvalid)
	}
}

func TestWriterErrorsAreNotSticky(t *testing.T) {
	to := piecewise{step: func(call int, p []byte) (int, error) {
		if call == 1 {
			return 0, errDown
		}
		return len(p), nil
	}}
	s := newTestWriter(t, &to)
	err := s.Write(t.Context(), []string{"a"})
	require.ErrorIs(t, err, errDown)
	requireWhole(t, err)
	require.NoError(t, s.Write(t.Context(), []string{"b"}))
	require.Equal(t, "b\n", to.String())
}

func TestWriterNamesWhatWasNotWritten(t *testing.T) {
	for cut, want := range map[int]struct {
		failed []int
		text   string
	}{
		3: {[]int{0, 1, 2}, "aaa\naaa\nbbb\nccc\n"},
		4: {[]int{1, 2}, "aaa\nbbb\nccc\n"},
		5: {[]int{1, 2}, "aaa\nb\nbbb\nccc\n"},
		8: {[]int{2}, "aaa\nbbb\nccc\n"},
	} {
		to := piecewise{step: func(call int, p []byte) (int, error) {
			if call == 1 {
				return cut, errDown
			}
			return len(p), nil
		}}
		s := newTestWriter(t, &to)
		events := []string{"aaa", "bbb", "ccc"}
		err := s.Write(t.Context(), events)
		require.ErrorIs(t, err, errDown)
		if len(want.failed) == 3 {
			requireWhole(t, err)
		} else {
			requireFailed(t, err, want.failed...)
		}
		require.NoError(t, s.Write(t.Context(), events[want.failed[0]:]))
		require.Equal(t, want.text, to.String(), "cut after %d", cut)
	}
}

func TestWriterBelievesAnErrorWithAFullCount(t *testing.T) {
	to := piecewise{step: func(_ int, p []byte) (int, error) { return len(p), errDown }}
	s, err := NewWriter(&to, func(dst []byte, ev string) ([]byte, error) {
		if ev == "bad" {
			return dst, stage.Permanent(io.EOF)
		}
		return line(dst, ev)
	})
	require.NoError(t, err)
	for _, events := range [][]string{{"a", "b"}, {"a", "bad", "b"}} {
		err := s.Write(t.Context(), events)
		require.ErrorIs(t, err, errDown)
		require.False(t, stage.IsPermanent(err), "a retry mends the others")
		requireWhole(t, err)
	}
}

// A line feed that is itself not written stays owed.
func TestWriterOwesTheLineFeed(t *testing.T) {
	to := piecewise{step: func(call int, p []byte) (int, error) {
		switch call {
		case 1:
			return 1, errDown
		case 2:
			return 0, errDown
		case 3:
			return 1, errDown // the line feed alone
		}
		return len(p), nil
	}}
	s := newTestWriter(t, &to)
	for range 3 {
		requireWhole(t, s.Write(t.Context(), []string{"abc"}))
	}
	require.NoError(t, s.Write(t.Context(), []string{"abc"}))
	require.Equal(t, "a\nabc\n", to.String())
}

func TestWriterLeavesOtherFormatsAlone(t *testing.T) {
	to := piecewise{step: func(call int, p []byte) (int, error) {
		if call == 1 {
			return 1, errDown
		}
		return len(p), nil
	}}
	s, err := NewWriter(&to, func(dst []byte, ev string) ([]byte, error) { return append(dst, ev...), nil })
	require.NoError(t, err)
	requireWhole(t, s.Write(t.Context(), []string{"abc"}))
	require.NoError(t, s.Write(t.Context(), []string{"abc"}))
	require.Equal(t, "aabc", to.String())
}

func TestWriterFailsOnlyWhatCannotBeEncoded(t *testing.T) {
	var to piecewise
	s, err := NewWriter(&to, func(dst []byte, ev string) ([]byte, error) {
		switch ev {
		case "error":
			return append(dst, "half"...), errDown
		case "panic":
			panic(errDown)
		case "shrunk":
			return nil, nil
		case "nothing":
			return dst, nil
		}
		return line(dst, ev)
	})
	require.NoError(t, err)

	err = s.Write(t.Context(), []string{"a", "error", "panic", "nothing", "b", "shrunk", "panic"})
	requireFailed(t, err, 1, 2, 5, 6)
	require.ErrorIs(t, err, errDown)
	require.ErrorContains(t, err, "event 1")
	require.True(t, stage.IsPermanent(err))
	require.Equal(t, "a\nb\n", to.String())
	require.Equal(t, 1, to.calls)

	err = s.Write(t.Context(), []string{"panic"})
	requireWhole(t, err)
	var pe *stage.PanicError
	require.ErrorAs(t, err, &pe)
	require.Contains(t, pe.Stack, "TestWriterFailsOnlyWhatCannotBeEncoded")

	require.NoError(t, s.Write(t.Context(), []string{"nothing"}))
	require.Equal(t, 1, to.calls, "no write for no bytes")

	// A retry mends the write, so that the whole is not permanent.
	to.step = func(_ int, p []byte) (int, error) { return 2, io.ErrClosedPipe }
	err = s.Write(t.Context(), []string{"panic", "a", "nothing", "b"})
	requireFailed(t, err, 0, 3)
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.ErrorIs(t, err, errDown)
	require.False(t, stage.IsPermanent(err))
}

func TestWriterSurvivesAWriterThatPanics(t *testing.T) {
	to := piecewise{step: func(call int, p []byte) (int, error) {
		if call == 1 {
			panic(errDown)
		}
		return len(p), nil
	}}
	s := newTestWriter(t, &to)
	require.PanicsWithValue(t, errDown, func() { _ = s.Write(t.Context(), []string{"a"}) })
	require.NoError(t, s.Write(t.Context(), []string{"b"}))
	require.Equal(t, "\nb\n", to.String(), "nobody knows what had been written")
}

func TestWriterSurvivesAGoexit(t *testing.T) {
	var to piecewise
	s, err := NewWriter(&to, func(dst []byte, ev string) ([]byte, error) {
		if ev == "exit" {
			runtime.Goexit()
		}
		return line(dst, ev)
	})
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Write(context.Background(), []string{"a", "exit", "b"})
	}()
	<-ended
	require.NoError(t, s.Write(t.Context(), []string{"c"}))
	require.Equal(t, "c\n", to.String())
}

func TestWriterNeverInterleaves(t *testing.T) {
	var to piecewise
	to.step = func(_ int, p []byte) (int, error) { return min(3, len(p)), nil }
	s := newTestWriter(t, &to)
	const writers, batches = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for b := range batches {
				if err := s.Write(context.Background(), []string{
					fmt.Sprintf("%d %d first", w, b), fmt.Sprintf("%d %d second", w, b),
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	lines := split(to.String())
	require.Len(t, lines, 2*writers*batches)
	next := make([]int, writers)
	for i := 0; i < len(lines); i += 2 {
		var w, b int
		_, err := fmt.Sscanf(lines[i], "%d %d first", &w, &b)
		require.NoError(t, err, lines[i])
		require.Equal(t, next[w], b)
		require.Equal(t, fmt.Sprintf("%d %d second", w, b), lines[i+1])
		next[w]++
	}
}

func TestWriterWaitEndsWithTheContext(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	to := piecewise{step: func(_ int, p []byte) (int, error) {
		close(entered)
		<-leave
		return len(p), nil
	}}
	s := newTestWriter(t, &to)
	done := make(chan error)
	go func() { done <- s.Write(context.Background(), []string{"a"}) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Write(ctx, []string{"b"}), context.Canceled)
	require.ErrorIs(t, s.Flush(ctx), context.Canceled)
	close(leave)
	require.NoError(t, <-done)
	to.step = nil
	require.NoError(t, s.Write(ctx, []string{"c"}), "free, so an ended context is no reason to refuse")
	require.Equal(t, "a\nc\n", to.String())
}

type syncer struct {
	piecewise
	log              []string
	flush, sync, end error
}

func (s *syncer) Flush() error { s.log = append(s.log, "flush"); return s.flush }
func (s *syncer) Sync() error  { s.log = append(s.log, "sync"); return s.sync }
func (s *syncer) Close() error { s.log = append(s.log, "close"); return s.end }

func TestWriterPassesFlushAndCloseOn(t *testing.T) {
	to := &syncer{sync: errDown, end: io.ErrClosedPipe}
	s := newTestWriter(t, to)
	require.ErrorIs(t, s.Flush(t.Context()), errDown)
	to.sync = nil
	require.NoError(t, s.Flush(t.Context()))
	require.ErrorIs(t, s.Close(), io.ErrClosedPipe)
	require.NoError(t, s.Close())
	require.Equal(t, []string{"flush", "sync", "flush", "sync", "close"}, to.log)

	err := s.Write(t.Context(), []string{"late"})
	require.ErrorIs(t, err, ErrClosed)
	require.True(t, stage.IsPermanent(err))
	require.ErrorIs(t, s.Flush(t.Context()), ErrClosed)
	require.Empty(t, to.String())

	plain := newTestWriter(t, &bytes.Buffer{})
	require.NoError(t, plain.Flush(t.Context()))
	require.NoError(t, plain.Close())
}

func TestWriterFlushesABufioWriter(t *testing.T) {
	var to bytes.Buffer
	s := newTestWriter(t, bufio.NewWriter(&to))
	require.NoError(t, s.Write(t.Context(), []string{"a"}))
	require.Empty(t, to.String())
	require.NoError(t, s.Flush(t.Context()))
	require.Equal(t, "a\n", to.String())
}

func TestConsoleNeitherSyncsNorCloses(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	s, err := NewConsole(w, line)
	require.NoError(t, err)
	require.Equal(t, "console |1", s.Name())
	require.NoError(t, s.Write(t.Context(), []string{"a"}))
	require.NoError(t, s.Flush(t.Context()), "a pipe cannot be synced")
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Write(t.Context(), []string{"late"}), ErrClosed)
	_, err = w.WriteString("still open\n")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "a\nstill open\n", string(got))
	require.NoError(t, r.Close())
}

func TestWriterConstructorsRefuse(t *testing.T) {
	_, err := NewWriter[string](nil, line)
	require.ErrorContains(t, err, "NewWriter's writer is <nil>")
	_, err = NewWriter[string](io.Discard, nil)
	require.ErrorContains(t, err, "NewWriter's encoder is <nil>")
	_, err = NewConsole[string](nil, line)
	require.ErrorContains(t, err, "NewConsole's stream is <nil>")
	_, err = NewConsole[string](os.Stdout, nil)
	require.ErrorContains(t, err, "NewConsole's encoder is <nil>")
}

func TestWriterDoesNotAllocate(t *testing.T) {
	s := newTestWriter(t, io.Discard)
	ctx, events := context.Background(), make([]string, 512)
	for i := range events {
		events[i] = strings.Repeat("x", 100)
	}
	got := testing.AllocsPerRun(20, func() {
		if err := s.Write(ctx, events); err != nil {
			t.Error(err)
		}
	})
	require.Zero(t, got)
}

func TestWriterLetsGoOfLargeBuffers(t *testing.T) {
	s := newTestWriter(t, io.Discard)
	require.NoError(t, s.Write(t.Context(), []string{strings.Repeat("x", keepBytes+1)}))
	require.Nil(t, s.lines.buf)
	require.NoError(t, s.Write(t.Context(), make([]string, keepLines+1)))
	require.Nil(t, s.lines.ends)
	require.NoError(t, s.Write(t.Context(), []string{"a"}))
	require.NotNil(t, s.lines.buf)
}

// No sink refers to an event after its Write.
func TestWriterKeepsNoEvents(t *testing.T) {
	s, err := NewWriter(io.Discard, func(dst []byte, ev *[64]byte) ([]byte, error) {
		if ev[0] == 1 {
			return dst, errDown
		}
		return append(dst, ev[:]...), nil
	})
	require.NoError(t, err)
	write := func(first byte) weak.Pointer[[64]byte] {
		ev := &[64]byte{first}
		_ = s.Write(context.Background(), []*[64]byte{ev})
		return weak.Make(ev)
	}
	delivered, failed := write(0), write(1)
	runtime.GC()
	require.Nil(t, delivered.Value())
	require.Nil(t, failed.Value())
	runtime.KeepAlive(s)
}

// Whatever a writer does, each event is either reported as failed or is a line
// of its own, in order; the stumps of failed ones are lines of their own too.
func TestWriterUnderAnyWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		to := &piecewise{}
		to.step = func(_ int, p []byte) (int, error) {
			n := rapid.IntRange(0, len(p)).Draw(t, "n")
			if n == len(p) {
				return n, nil
			}
			return n, rapid.SampledFrom([]error{nil, io.ErrShortWrite, errDown}).Draw(t, "err")
		}
		s, err := NewWriter(to, line)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		id := 0
		for range rapid.IntRange(1, 10).Draw(t, "batches") {
			events := make([]string, rapid.IntRange(1, 5).Draw(t, "size"))
			for i := range events {
				id++
				events[i] = fmt.Sprintf("<%d>", id)
			}
			err := s.Write(context.Background(), events)
			want = append(want, delivered(events, err)...)
		}
		var got []string
		for _, l := range split(to.String()) {
			if strings.HasPrefix(l, "<") && strings.HasSuffix(l, ">") && strings.Count(l, "<") == 1 {
				got = append(got, l)
			} else if strings.Count(l, "<") > 1 {
				t.Fatalf("glued: %q", l)
			}
		}
		// An event whose line feed alone is missing failed and is there.
		for _, w := range want {
			for len(got) > 0 && got[0] != w {
				got = got[1:]
			}
			if len(got) == 0 {
				t.Fatalf("%s was delivered and is not in %q", w, to.String())
			}
			got = got[1:]
		}
	})
}

// delivered returns the events that err does not report as failed.
func delivered(events []string, err error) []string {
	if err == nil {
		return events
	}
	var pe *stage.PartialError
	if !errors.As(err, &pe) {
		return nil
	}
	var took []string
	for i, ev := range events {
		failed := false
		for _, j := range pe.Failed {
			failed = failed || i == j
		}
		if !failed {
			took = append(took, ev)
		}
	}
	return took
}
