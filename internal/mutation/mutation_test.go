package mutation

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// faults are the names in stage/fault.go, each with what it does to the books.
var faults = []struct{ name, does string }{
	{"skip-settle", "a delivered batch is never settled"},
	{"settle-twice", "a delivered batch counts twice"},
	{"miscount-eviction", "every eighth eviction is not counted"},
	{"forget-abandoned", "Close's deadline forgets what is in flight"},
	{"forget-waiting", "Close's deadline forgets what waits at the intake"},
	{"partial-as-whole", "a partial failure's good events are not settled"},
	{"reroute-as-lost", "a route's success counts as a loss"},
	{"filter-uncounted", "filtered events leave the books uncounted"},
	{"early-mark", "the watermark passes a batch before it is settled"},
	{"keep-bytes", "a settled batch's bytes are not given back"},
	{"reject-uncounted", "refusals of a full queue are not counted"},
	{"stale-receipt", "a used receipt settles again"},
	{"drop-unreported", "the drop hook misses an event"},
	{"report-twice", "the failure hook hears of a failure twice"},
	{"invade-reserve", "lesser events evict important ones"},
}

// perSuite bounds a run of the suite without a fault. One with a fault gets a
// multiple of what that took, and not less than leastPerFault: the fault may
// make a test wait for what never comes, which is a failure of the suite, as it
// should be, and is not to be waited for long.
const (
	perSuite      = 5 * time.Minute
	leastPerFault = 20 * time.Second
)

func TestEveryPlantedFaultIsFound(t *testing.T) {
	suite := build(t, "pipeline")
	begun := time.Now()
	out, err := suite.run(t, "", perSuite, "-test.run", "^Test")
	perFault := max(leastPerFault, 3*time.Since(begun))
	require.NoError(t, err, "the suite fails without any fault:\n%s", out)

	failed := regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)|^panic: (.*)`)
	for _, f := range faults {
		out, err := suite.run(t, f.name, perFault, "-test.run", "^Test")
		var exit *exec.ExitError
		if assert.ErrorAs(t, err, &exit, "%s: %s, and no test noticed", f.name, f.does) {
			t.Logf("%-18s %s", f.name, failed.FindString(string(out)))
		}
	}
}

// TestTableIsComplete holds the table against the source.
func TestTableIsComplete(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", "stage", "fault.go"))
	require.NoError(t, err)
	var inSource, inTable []string
	for _, m := range regexp.MustCompile(`fault = "([a-z-]+)"`).FindAllStringSubmatch(string(src), -1) {
		inSource = append(inSource, m[1])
	}
	for _, f := range faults {
		inTable = append(inTable, f.name)
	}
	require.Equal(t, inSource, inTable)
	require.GreaterOrEqual(t, len(inTable), 12)
}

// suite is the test binary of one package, with the faults in it.
type suite struct{ bin, folder string }

func build(t *testing.T, folder string) suite {
	bin := filepath.Join(t.TempDir(), filepath.Base(folder)+".test")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "plantedfaults", "-o", bin,
		"github.com/penstock-go/penstock/"+folder)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return suite{bin, folder}
}

// run runs the suite with a fault, or with none.
func (s suite) run(t *testing.T, fault string, limit time.Duration, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.bin, append([]string{"-test.short", "-test.failfast", "-test.timeout", limit.String()}, args...)...)
	cmd.Dir = filepath.Join("..", "..", filepath.FromSlash(s.folder))
	cmd.Env = append(os.Environ(), "PENSTOCK_FAULT="+fault)
	return cmd.CombinedOutput()
}
