package seeds

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

const victimEnv = "SEEDS_VICTIM"

// victims are simulations that fail, each in its own way.
var victims = map[string]Simulation{
	"a seed fails": {Package: "internal/seeds", Seeds: 50, Play: func(_ *testing.T, seed uint64) Scenario {
		sc := Scenario{Trace: func() string { return "first this, then that" }}
		if seed == 17 {
			sc.Err = errors.New("bad luck")
		}
		return sc
	}},
	"a seed panics": {Package: "internal/seeds", Seeds: 50, Play: func(_ *testing.T, seed uint64) Scenario {
		if seed == 17 {
			panic("bad luck")
		}
		return Scenario{}
	}},
	"a feature is rare": {Seeds: 2000, Features: []string{"often", "seldom", "never"},
		Play: func(_ *testing.T, seed uint64) Scenario {
			switch {
			case seed%101 == 0:
				return Scenario{Has: 1<<0 | 1<<1}
			case seed%2 == 0:
				return Scenario{Has: 1 << 0}
			}
			return Scenario{}
		}},
	"all is well": {Seeds: 2000, Features: []string{"often"}, Play: func(*testing.T, uint64) Scenario {
		return Scenario{Has: 1, Trace: func() string { return "nothing happened" }}
	}},
}

// TestVictim is run by the other tests, in a process of its own.
func TestVictim(t *testing.T) {
	s, ok := victims[os.Getenv(victimEnv)]
	if !ok {
		t.Skip("for the other tests")
	}
	s.Run(t)
}

// run runs a victim and returns what it prints.
func run(t *testing.T, victim string, args ...string) (out string, failed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^TestVictim$", "-test.v"}, args...)...)
	cmd.Env = append(os.Environ(), victimEnv+"="+victim)
	text, err := cmd.CombinedOutput()
	return string(text), err != nil
}

func TestAFailureNamesItsSeed(t *testing.T) {
	replay := "go test ./internal/seeds -run '^TestVictim$' -seed 17 -v"
	out, failed := run(t, "a seed fails")
	require.True(t, failed)
	require.Contains(t, out, "seed 17: bad luck")
	require.Contains(t, out, "first this, then that")
	require.Contains(t, out, replay)

	out, failed = run(t, "a seed fails", "-seed=17")
	require.True(t, failed)
	require.Contains(t, out, "first this, then that")
	_, failed = run(t, "a seed fails", "-seed=18")
	require.False(t, failed)
	_, failed = run(t, "a seed fails", "-seeds=16")
	require.False(t, failed)

	out, failed = run(t, "a seed panics")
	require.True(t, failed)
	require.Contains(t, out, replay)
}

func TestRareFeaturesFail(t *testing.T) {
	out, failed := run(t, "a feature is rare")
	require.True(t, failed)
	require.NotContains(t, out, `"often" was`)
	require.Contains(t, out, `"seldom" was in less than 1 % of the scenarios`)
	require.Contains(t, out, `"never" was`)

	_, failed = run(t, "a feature is rare", "-seeds=999")
	require.False(t, failed, "too few to speak of shares")
}

func TestSharesAreShown(t *testing.T) {
	out, failed := run(t, "all is well")
	require.False(t, failed)
	require.Contains(t, out, "2000 scenarios in")
	require.Contains(t, out, "100.0 %  often")
	out, _ = run(t, "all is well", "-seed=3")
	require.Contains(t, out, "seed 3: often\n        nothing happened")
}
