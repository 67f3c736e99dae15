package sim

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var smallest = flag.Bool("shrink", false, "with -seed: look for the smallest plan that fails like the seed's")

// kept is a plan that has found something, in a file of testdata.
type kept struct {
	Was  string // what was wrong
	Plan plan
}

// Plans that have found something are played in each run, whatever has become
// of the code that draws them. Each is played often, since of what happens at
// one instant it does not fix the order.
func TestKeptPlans(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var k kept
			require.NoError(t, json.Unmarshal(text, &k))
			for range 20 {
				w := play(t, &k.Plan, 1)
				require.NoError(t, w.err, "%s\n%s", k.Was, w.log.String())
			}
		})
	}
}

// A fault that needs two events and one failing call is found with no more
// around it.
func TestShrink(t *testing.T) {
	fails := func(p plan) bool {
		events, bad := 0, false
		for _, offers := range p.Producers {
			for _, o := range offers {
				events += len(o.Bytes)
			}
		}
		for _, c := range p.Sinks[0].Calls {
			bad = bad || c.Ends == permanent
		}
		return events >= 2 && bad
	}
	p := draw(1)
	p.Sinks[0].Calls[3].Ends = permanent
	p = shrink(p, fails)
	require.True(t, fails(p))
	require.Len(t, p.Producers, 1)
	require.LessOrEqual(t, len(p.Producers[0]), 2)
	require.Len(t, p.Sinks, 1)
	require.Len(t, p.Sinks[0].Calls, 1)
	require.Empty(t, p.Stages)
	require.Empty(t, p.Flushes)
}
