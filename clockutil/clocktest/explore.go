package clocktest

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The environment variables that Explore obeys.
const (
	seedEnv  = "CLOCKTEST_SEED"  // run this seed alone
	seedsEnv = "CLOCKTEST_SEEDS" // run this many seeds, whatever the test says
)

// Explore runs f for n seeds, counted from 1 or from [WithSeed], each in a
// subtest "seed=N" and a bubble of its own. A body that fails is logged with its
// seed and the command that replays it.
//
// Two environment variables change what is run: with CLOCKTEST_SEED=N it is
// seed N alone, with CLOCKTEST_SEEDS=N it is N seeds.
func Explore(t *testing.T, n int, f func(t *testing.T, w *World), opts ...Option) {
	t.Helper()
	newConfig(opts).explore(t, n, f)
}

// ExploreBoth is [Explore] on each kind of clock, as in [Both].
func ExploreBoth(t *testing.T, n int, f func(t *testing.T, w *World), opts ...Option) {
	t.Helper()
	onBoth(t, opts, func(t *testing.T, c config) { c.explore(t, n, f) })
}

func (c config) explore(t *testing.T, n int, f func(t *testing.T, w *World)) {
	t.Helper()
	first, n, err := plan(c.seed, n, os.Getenv(seedEnv), os.Getenv(seedsEnv))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		c.seed = first + uint64(i)
		t.Run("seed="+strconv.FormatUint(c.seed, 10), func(t *testing.T) {
			finished := false
			defer func() {
				// Not finished and not failed: it is panicking.
				if !finished || t.Failed() {
					t.Logf("clocktest: failed with seed %d; to replay it:\n\t%s", c.seed, replay(t.Name(), c.seed))
				}
			}()
			c.run(t, f)
			finished = true
		})
	}
}

// plan returns the first seed and the number of seeds to run, as the test and
// the environment want it.
func plan(first uint64, n int, seed, seeds string) (uint64, int, error) {
	if seed != "" {
		one, err := strconv.ParseUint(seed, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("clocktest: %s=%q: want a seed, a number from 0", seedEnv, seed)
		}
		return one, 1, nil
	}
	if seeds != "" {
		many, err := strconv.Atoi(seeds)
		if err != nil || many < 1 {
			return 0, 0, fmt.Errorf("clocktest: %s=%q: want a number of seeds from 1", seedsEnv, seeds)
		}
		return first, many, nil
	}
	if n < 1 {
		return 0, 0, fmt.Errorf("clocktest: Explore with %d seeds tests nothing", n)
	}
	return first, n, nil
}

// replay returns the command that runs the seed of the test called name again,
// in the folder of its package.
func replay(name string, seed uint64) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		// A dot matches the quote that would end the shell's.
		parts[i] = "^" + strings.ReplaceAll(regexp.QuoteMeta(p), "'", ".") + "$"
	}
	return fmt.Sprintf("%s=%d go test -run '%s' .", seedEnv, seed, strings.Join(parts, "/"))
}
