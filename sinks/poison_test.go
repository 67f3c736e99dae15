package sinks

import (
	"context"
	"testing"

	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
)

// keeper breaks the contract.
type keeper struct{ kept []int }

func (k *keeper) Write(_ context.Context, events []int) error { k.kept = events; return nil }

func (k *keeper) WriteFailure(_ context.Context, f stage.Failure[int]) error {
	k.kept = f.Events
	return nil
}

func TestPoisonShowsWhoKeepsTheSlice(t *testing.T) {
	k := &keeper{}
	s, err := Poison(stage.Sink[int](k), -1)
	require.NoError(t, err)
	events := []int{1, 2}
	require.NoError(t, s.Write(t.Context(), events))
	require.Equal(t, []int{-1, -1}, k.kept)
	require.NoError(t, s.(stage.FailureSink[int]).WriteFailure(t.Context(), stage.Failure[int]{Events: events}))
	require.Equal(t, []int{-1, -1}, k.kept)
	require.Equal(t, []int{1, 2}, events)
}

func TestPoisonLeavesHonestSinksAlone(t *testing.T) {
	m := &Memory[int]{Fail: func(call int, events []int) error {
		if call == 2 {
			panic(errDown)
		}
		return nil
	}}
	s, err := Poison(stage.Sink[int](m), -1)
	require.NoError(t, err)
	require.NoError(t, s.Write(t.Context(), []int{1, 2}))
	require.Panics(t, func() { _ = s.Write(t.Context(), []int{3}) })
	require.NoError(t, s.(stage.FailureSink[int]).WriteFailure(t.Context(), stage.Failure[int]{Events: []int{4}, Err: errDown}))
	require.Equal(t, []int{1, 2, 4}, m.Events())
	require.Len(t, m.Failures(), 1)
	require.NoError(t, stage.FlushSink(t.Context(), s))
	require.NoError(t, stage.CloseSink(s))
	require.Equal(t, 1, m.Flushes())
	require.Equal(t, 1, m.Closes())
	require.Equal(t, "*sinks.Memory[int]", stage.NameOf(s))

	_, err = Poison[int](nil, 0)
	require.ErrorContains(t, err, "Poison's sink is <nil>")
}
