package stage

import (
	"context"
	"io"
	"testing"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

func TestScopeOfNoPipeline(t *testing.T) {
	ctx := t.Context()
	require.IsType(t, clock.New(), Clock(ctx))
	require.Nil(t, Draining(ctx))
	require.False(t, Within(ctx, nil))
	require.False(t, Within(ctx, t))
}

func TestZeroScope(t *testing.T) {
	ctx := WithScope(t.Context(), Scope{})
	require.IsType(t, clock.New(), Clock(ctx))
	require.Nil(t, Draining(ctx))
	require.False(t, Within(ctx, t))
}

func TestScopeReachesDerivedContexts(t *testing.T) {
	clk, draining, owner := clock.NewMock(), make(chan struct{}), new(int)
	ctx := WithScope(t.Context(), Scope{Clock: clk, Draining: draining, Owner: owner})
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(ctx, key{}, 1))
	defer cancel()
	require.Same(t, clk, Clock(ctx))
	require.True(t, Within(ctx, owner))
	require.False(t, Within(ctx, new(int)), "owners are told apart by identity")
	select {
	case <-Draining(ctx):
		t.Fatal("draining too early")
	default:
	}
	close(draining)
	<-Draining(ctx)
}

func TestInnerScopeWins(t *testing.T) {
	outer, inner := clock.NewMock(), clock.NewMock()
	ctx := WithScope(t.Context(), Scope{Clock: outer, Owner: "outer"})
	ctx = WithScope(ctx, Scope{Clock: inner, Owner: "inner"})
	require.Same(t, inner, Clock(ctx))
	require.True(t, Within(ctx, "inner"))
	require.False(t, Within(ctx, "outer"))
}

func TestWatchedKeepsTheScope(t *testing.T) {
	clk, draining := clock.NewMock(), make(chan struct{})
	ctx, watch := Watched(WithScope(t.Context(), Scope{Clock: clk, Draining: draining, Owner: "me"}))
	require.Same(t, clk, Clock(ctx))
	require.Equal(t, (<-chan struct{})(draining), Draining(ctx))
	require.True(t, Within(ctx, "me"))
	require.Empty(t, watch.In())
	require.False(t, watch.Exited())

	bare, _ := Watched(t.Context())
	require.IsType(t, clock.New(), Clock(bare))
}

func TestWatchShowsTheCall(t *testing.T) {
	ctx, watch := Watched(t.Context())
	other, idle := Watched(ctx)
	_ = other
	err := Guard(ctx, "slow sink", func() error {
		require.Equal(t, "slow sink", watch.In())
		require.Empty(t, idle.In(), "one watch an actor")
		return io.EOF
	}, nil)
	require.Equal(t, io.EOF, err)
	require.Empty(t, watch.In())

	err = Guard(ctx, "sink", func() error { panic("boom") }, nil)
	require.Error(t, err)
	require.Empty(t, watch.In(), "a panic ends the call too")
	require.False(t, watch.Exited(), "a panic ends no goroutine")
}

// A decorator guards the sink it wraps. Once that has returned it is still the
// decorator that is being called.
func TestWatchShowsTheOuterCallAfterAnInner(t *testing.T) {
	ctx, watch := Watched(t.Context())
	err := Guard(ctx, "retry", func() error {
		err := Guard(ctx, "file", func() error {
			require.Equal(t, "file", watch.In())
			return nil
		}, nil)
		require.Equal(t, "retry", watch.In())
		return err
	}, nil)
	require.NoError(t, err)
	require.Empty(t, watch.In())
}

func TestGuardedGoexit(t *testing.T) {
	ctx, watch := Watched(t.Context())
	var order []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = Guard(ctx, "outer", func() error {
			_ = Guard(ctx, "inner", func() error { bowOut(); return nil }, func(err error) {
				require.Error(t, err)
				order = append(order, "inner")
			})
			order = append(order, "not reached")
			return nil
		}, func(error) { order = append(order, "outer") })
		order = append(order, "not reached")
	}()
	<-done
	require.Equal(t, []string{"inner", "outer"}, order)
	require.Empty(t, watch.In())
	require.True(t, watch.Exited())
	require.False(t, watch.Exited(), "it is reported once")
}

func TestGuardedGoexitNeedsNoListener(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = Guard(t.Context(), "sink", func() error { bowOut(); return nil }, nil)
	}()
	<-done
}

type optional struct {
	SinkFunc[int]
	flush, close error
}

func (o optional) Flush(context.Context) error { return o.flush }
func (o optional) Close() error                { return o.close }

func TestOptionalMethodsOfASink(t *testing.T) {
	plain := SinkFunc[int](func(_ context.Context, events []int) error {
		if len(events) == 0 {
			return io.EOF
		}
		return nil
	})
	require.NoError(t, plain.Write(t.Context(), []int{1}))
	require.ErrorIs(t, plain.Write(t.Context(), nil), io.EOF)
	require.NoError(t, FlushSink[int](t.Context(), plain))
	require.NoError(t, CloseSink[int](plain))

	full := optional{plain, io.ErrShortWrite, io.ErrClosedPipe}
	require.ErrorIs(t, FlushSink[int](t.Context(), full), io.ErrShortWrite)
	require.ErrorIs(t, CloseSink[int](full), io.ErrClosedPipe)
	require.Equal(t, "stage.optional", NameOf(full))
	require.Equal(t, "stage.SinkFunc[int]", NameOf(plain))
}
