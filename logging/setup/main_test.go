package setup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/sinks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory = sinks.Memory[logging.Record]

// to is an output to a memory.
func to(m *memory) Output { return Output{Name: "memory", To: Target{Sink: m}} }

func open(t *testing.T, w *clocktest.World, cfg Config) *Log {
	t.Helper()
	cfg.Clock = w.Clock()
	l, err := Open(cfg)
	require.NoError(t, err)
	return l
}

// closeLog closes l within a second and holds its books against themselves and
// against what the sinks have.
func closeLog(t *testing.T, w *clocktest.World, l *Log, took ...*memory) {
	t.Helper()
	ctx, cancel := w.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.NoError(t, l.Close(ctx))
	s := l.Stats()
	for i, o := range s.Outputs {
		p := o.Pipeline
		require.Equal(t, s.Records+o.Summaries, s.Filtered+o.Below+o.Filtered+p.Offered, p.Name)
		require.Equal(t, p.Offered, p.Accepted+p.Rejected.Total(), p.Name)
		require.Equal(t, p.Accepted, p.Delivered+p.Rerouted+p.Filtered+p.Evicted.Total()+p.Lost.Total(), p.Name)
		if i < len(took) {
			require.Equal(t, uint64(len(took[i].Events())), p.Delivered, p.Name)
		}
	}
}

// messages returns what a sink has taken.
func messages(m *memory) (texts []string) {
	for _, r := range m.Events() {
		texts = append(texts, r.Message)
	}
	return texts
}
