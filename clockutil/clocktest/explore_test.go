package clocktest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// draws explores n seeds and returns, for each subtest that ran, its name and
// the first numbers its body drew.
func draws(t *testing.T, explore func(t *testing.T, n int, f func(t *testing.T, w *World), opts ...Option), n int, opts ...Option) (lines []string) {
	t.Helper()
	explore(t, n, func(t *testing.T, w *World) {
		r := w.Rand("actor")
		lines = append(lines, fmt.Sprint(t.Name(), " ", r.IntN(1e6), r.IntN(1e6)))
	}, opts...)
	return lines
}

func TestExplore(t *testing.T) {
	t.Setenv(seedEnv, "")
	t.Setenv(seedsEnv, "")
	all := draws(t, Explore, 20)
	require.Len(t, all, 20)
	for i, line := range all {
		require.Contains(t, line, fmt.Sprintf("TestExplore/seed=%d", i+1))
	}
	require.Equal(t, len(all), len(draws(t, Explore, 20)), "again")
}

func TestExploreReplaysASeed(t *testing.T) {
	t.Setenv(seedEnv, "")
	t.Setenv(seedsEnv, "")
	var all, one, some, both []string
	t.Run("x", func(t *testing.T) { all = draws(t, Explore, 9) })
	t.Setenv(seedEnv, "7")
	t.Run("x", func(t *testing.T) { one = draws(t, Explore, 9) })
	t.Run("x", func(t *testing.T) { both = draws(t, ExploreBoth, 9) })
	t.Setenv(seedEnv, "")
	t.Setenv(seedsEnv, "3")
	t.Run("x", func(t *testing.T) { some = draws(t, Explore, 9, WithSeed(6)) })

	// The second part of a name tells apart subtests that asked for one name.
	numbers := func(lines []string) (drawn []string) {
		for _, line := range lines {
			var name, numbers string
			_, err := fmt.Sscanf(line, "%s %s", &name, &numbers)
			require.NoError(t, err)
			drawn = append(drawn, numbers)
		}
		return drawn
	}
	require.Len(t, all, 9)
	require.Equal(t, numbers(all[6:7]), numbers(one))
	require.Equal(t, numbers(all[5:8]), numbers(some))
	require.Equal(t, append(numbers(one), numbers(one)...), numbers(both))
	require.Contains(t, one[0], "/seed=7 ")
	require.Contains(t, both[0], "/clock=real/seed=7 ")
	require.Contains(t, both[1], "/clock=mock/seed=7 ")
}

func TestPlan(t *testing.T) {
	const most = "18446744073709551615"
	for _, c := range []struct {
		first       uint64
		n           int
		seed, seeds string
		wantFirst   uint64
		wantN       int
		wantErr     string
	}{
		{first: 1, n: 100, wantFirst: 1, wantN: 100},
		{first: 9, n: 1, wantFirst: 9, wantN: 1},
		{first: 1, n: 100, seed: "0", wantFirst: 0, wantN: 1},
		{first: 1, n: 100, seed: most, wantFirst: 1<<64 - 1, wantN: 1},
		{first: 1, n: 100, seed: "7", seeds: "8", wantFirst: 7, wantN: 1},
		{first: 1, n: 100, seeds: "8", wantFirst: 1, wantN: 8},
		{first: 1, n: 0, seeds: "8", wantFirst: 1, wantN: 8},
		{first: 1, n: 0, wantErr: "tests nothing"},
		{first: 1, n: 100, seed: "-1", wantErr: `CLOCKTEST_SEED="-1"`},
		{first: 1, n: 100, seeds: "0", wantErr: `CLOCKTEST_SEEDS="0"`},
		{first: 1, n: 100, seeds: "many", wantErr: `CLOCKTEST_SEEDS="many"`},
	} {
		first, n, err := plan(c.first, c.n, c.seed, c.seeds)
		if c.wantErr != "" {
			require.ErrorContains(t, err, c.wantErr)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.wantFirst, first)
		require.Equal(t, c.wantN, n)
	}
}

func TestReplayIsACommand(t *testing.T) {
	require.Equal(t, "CLOCKTEST_SEED=12 go test -run '^TestX$/^it.s_1\\+1$/^seed=12$' .",
		replay("TestX/it's_1+1/seed=12", 12))
}
