package stage

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnumNames(t *testing.T) {
	names := func(n int, at func(i uint8) fmt.Stringer) (all []string) {
		for i := range n {
			all = append(all, at(uint8(i)).String())
		}
		return all
	}
	for _, enum := range []struct {
		at   func(i uint8) fmt.Stringer
		want []string
	}{
		{func(i uint8) fmt.Stringer { return Trigger(i) }, []string{"none", "size", "bytes", "age", "flush", "close"}},
		{func(i uint8) fmt.Stringer { return Overflow(i) }, []string{"drop-oldest", "drop-newest"}},
		{func(i uint8) fmt.Stringer { return Outcome(i) }, []string{"pending", "delivered", "rerouted", "filtered", "lost"}},
		{func(i uint8) fmt.Stringer { return Loss(i) }, []string{"failed", "panic", "dead", "deadline", "in_doubt", "overflow"}},
		{func(i uint8) fmt.Stringer { return Eviction(i) }, []string{"count", "bytes"}},
		{func(i uint8) fmt.Stringer { return Refusal(i) }, []string{"full", "closed", "too_large", "canceled", "dead", "invalid"}},
		{func(i uint8) fmt.Stringer { return BreakerState(i) }, []string{"none", "closed", "half_open", "open"}},
	} {
		n := len(enum.want)
		require.Equal(t, enum.want, names(n, enum.at))
		require.Equal(t, "unknown", enum.at(uint8(n)).String(), "%T", enum.at(0))
		require.Equal(t, "unknown", enum.at(255).String(), "%T", enum.at(0))
	}
	require.Equal(t, "none", Trigger(0).String())
	require.Equal(t, uint8(1), uint8(BySize), "a batch nobody cut has no trigger")
}

func TestActorNames(t *testing.T) {
	require.Equal(t, "enqueue", NameOf(&Enqueue[int]{}))
	require.Equal(t, "batcher", NameOf(&Batcher[int]{}))
	require.Equal(t, "flusher", NameOf(&Flusher[int]{}))
	require.Equal(t, "router", NameOf(&ErrorRouter[int]{}))
	require.Equal(t, "observer", NameOf(&Observer[int]{}))
	require.Equal(t, "shout", NameOf(Map[int]("shout", nil)))
	require.Equal(t, "struct {}", NameOf(struct{}{}), "what has no name goes by its type")
}
