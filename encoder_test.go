package penstock_test

import (
	"bytes"
	"errors"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

var errUnencodable = errors.New("cannot be encoded")

// blotch encodes events as their numbers, except for 3, which it panics at, 5,
// which it refuses, and 12, at which it ends its goroutine.
func blotch(dst []byte, ev oracle.Event) ([]byte, error) {
	switch ev.Seq {
	case 3:
		_ = append(dst, "half a li"...)
		panic("blotted")
	case 5:
		return append(dst, "half a li"...), errUnencodable
	case 12:
		runtime.Goexit()
	}
	return append(strconv.AppendInt(dst, int64(ev.Seq), 10), '\n'), nil
}

// An encoder that panics or refuses costs its event alone; one that ends its
// goroutine costs the batch, of which nothing is written. The cause has the
// stack, and says that another attempt is useless.
func TestAnEncoderThatEndsBadly(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var text bytes.Buffer
		writer, err := sinks.NewWriter(&text, blotch)
		require.NoError(t, err)
		aside, o := &sinks.Memory[oracle.Event]{}, oracle.New()
		p, err := pipeline.New(o.Sink(writer), o.Wire(pipeline.Config[oracle.Event]{
			BatchSize:     5,
			FlushInterval: time.Hour,
			Routes:        []stage.Route[oracle.Event]{{To: aside}},
			Clock:         w.Clock(),
		}))
		require.NoError(t, err)
		for seq := 1; seq <= 20; seq++ {
			require.NoError(t, o.Enqueue(p, oracle.Event{Seq: seq}))
			w.Settle()
		}
		ctx, cancel := w.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, p.Close(ctx))

		require.Equal(t, "1\n2\n4\n6\n7\n8\n9\n10\n16\n17\n18\n19\n20\n", text.String())
		failures := aside.Failures()
		require.Len(t, failures, 2)
		var pe *stage.PanicError
		require.ErrorAs(t, failures[0].Err, &pe)
		require.Equal(t, "blotted", pe.Value)
		require.Contains(t, pe.Stack, "penstock_test.blotch")
		require.True(t, stage.IsPermanent(failures[0].Err))
		require.Equal(t, []oracle.Event{{Seq: 3}, {Seq: 5}}, failures[0].Events)
		require.ErrorAs(t, failures[1].Err, &pe)
		require.Nil(t, pe.Value)
		require.Contains(t, pe.Stack, "penstock_test.blotch")
		require.Len(t, failures[1].Events, 5)
		s := p.Stats()
		require.Zero(t, s.Misuse)
		o.CheckClosed(t, s)
	})
}
