package logging

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestLineWriter(t *testing.T) {
	var out chunks
	l, err := NewLineWriter(&out)
	require.NoError(t, err)
	write := func(text string) {
		t.Helper()
		n, err := l.Write([]byte(text))
		require.NoError(t, err)
		require.Equal(t, len(text), n)
	}
	write("a\nb")
	write("")
	write("c")
	require.Equal(t, chunks{"a\n"}, out)
	write("d\n\ne\nf")
	require.Equal(t, chunks{"a\n", "bcd\n", "\n", "e\n"}, out)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	require.Equal(t, "f", out[4])
	write("g\n")
	require.NoError(t, l.Sync())
	require.Equal(t, "g\n", out[5])
	require.Len(t, out, 6)
}

// chunks keeps what each Write was given.
type chunks []string

func (c *chunks) Write(p []byte) (int, error) {
	*c = append(*c, string(p))
	return len(p), nil
}

// However a stream is cut, its lines come out, none longer than the bound.
func TestLineWriterCuts(t *testing.T) {
	var stream bytes.Buffer
	for i := range 60 {
		stream.WriteString(strings.Repeat("x", i*i*100%(3*maxLine)))
		stream.WriteByte('\n')
	}
	stream.WriteString("the end")
	clocktest.Explore(t, 5, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("cuts")
		var out chunks
		l, err := NewLineWriter(&out)
		require.NoError(t, err)
		for rest := stream.Bytes(); len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 2*maxLine))
			written, err := l.Write(rest[:n])
			require.NoError(t, err)
			require.Equal(t, n, written)
			rest = rest[n:]
		}
		require.NoError(t, l.Sync())
		require.Equal(t, stream.String(), strings.Join(out, ""))
		for i, line := range out[:len(out)-1] {
			require.True(t, strings.HasSuffix(line, "\n") || len(line) == maxLine, "chunk %d", i)
			require.LessOrEqual(t, strings.Count(line, "\n"), 1)
		}
	})
}

// What is refused is not counted as written, and can be written again.
func TestLineWriterRefused(t *testing.T) {
	var out chunks
	full := errors.New("full")
	refuse := false
	l, err := NewLineWriter(writerFunc(func(p []byte) (int, error) {
		if refuse {
			return 0, full
		}
		return out.Write(p)
	}))
	require.NoError(t, err)
	_, err = l.Write([]byte("a"))
	require.NoError(t, err)
	refuse = true
	n, err := l.Write([]byte("b\nc\n"))
	require.ErrorIs(t, err, full)
	require.Zero(t, n)
	require.ErrorIs(t, l.Close(), full)
	require.ErrorIs(t, l.Sync(), full)
	refuse = false
	n, err = l.Write([]byte("b\nc\n"))
	require.NoError(t, err)
	require.Equal(t, 4, n)
	refuse = true
	n, err = l.Write([]byte("d\n"))
	require.ErrorIs(t, err, full)
	require.Zero(t, n)
	refuse = false
	require.NoError(t, l.Sync())
	require.Equal(t, chunks{"ab\n", "c\n"}, out)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A LineWriter's Sync reaches the pipeline.
func TestLineWriterOnPipeline(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		sink := &copies{}
		p, to := newLines(t, sink, linesConfig{Clock: w.Clock(), FlushInterval: time.Hour}, WriterConfig{})
		l, err := NewLineWriter(to)
		require.NoError(t, err)
		_, err = fmt.Fprint(l, "a\nb")
		require.NoError(t, err)
		require.NoError(t, l.Sync())
		require.Equal(t, []string{"a\n", "b"}, sink.lines)
		require.NoError(t, p.Close(t.Context()))
		require.EqualValues(t, 2, p.Stats().Delivered)
	})
}
