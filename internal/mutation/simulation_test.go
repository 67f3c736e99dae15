package mutation

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// simulations are the packages that have one, by what they simulate.
var simulations = []struct{ what, folder string }{
	{"cores", "stage"},
	{"pipelines", "internal/sim"},
}

var failedSeed = regexp.MustCompile(`(?m)^\s*\S+\.go:\d+: seed (\d+): (.*)$`)

// TestSimulationsFindEveryPlantedFault shows how many seeds each simulation
// needs to find each fault, and fails if one finds it in none. Seeds run on
// several procs: the number is that of the first to fail, give or take a few.
func TestSimulationsFindEveryPlantedFault(t *testing.T) {
	table := make([]string, len(faults))
	for _, sim := range simulations {
		suite := build(t, sim.folder)
		out, err := suite.run(t, "", perSuite, "-test.run", "^TestSimulation$", "-seeds", "300")
		require.NoError(t, err, "%s fail without any fault: %s", sim.what, failedSeed.Find(out))
		for i, f := range faults {
			out, err := suite.run(t, f.name, perSuite, "-test.run", "^TestSimulation$", "-seeds", "20000")
			if found := failedSeed.FindSubmatch(out); assert.Error(t, err, "%s: %s, and 20000 seeds of %s did not notice", f.name, f.does, sim.what) &&
				assert.NotNil(t, found, "%s: %s", f.name, out) {
				table[i] += fmt.Sprintf("\n  %-10s seed %5s: %.100s", sim.what, found[1], found[2])
			}
		}
	}
	for i, f := range faults {
		table[i] = fmt.Sprintf("%s: %s%s", f.name, f.does, table[i])
	}
	t.Log("\n" + strings.Join(table, "\n"))
}
