package clocktest

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// victimEnv names the victim that TestVictim is to play.
const victimEnv = "CLOCKTEST_TEST_VICTIM"

// TestVictim fails, in a test binary of its own: see sacrifice.
func TestVictim(t *testing.T) {
	victim, ok := victims[os.Getenv(victimEnv)]
	if !ok {
		t.Skip("played by other tests only")
	}
	victim(t)
}

// sacrifice plays a victim in another process, which must fail, and returns what
// it printed.
func sacrifice(t *testing.T, victim string, env ...string) string {
	t.Helper()
	require.Contains(t, victims, victim)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestVictim$")
	cmd.Env = append(append(os.Environ(), victimEnv+"="+victim), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	return string(out)
}
