package penstock_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// A disk is a small file system that can be filled up.
type disk struct{ dir string }

const diskSize = 1 << 20

// newDisk mounts one, if the system lets us.
func newDisk(t *testing.T) disk {
	t.Helper()
	d := disk{t.TempDir()}
	err := syscall.Mount("tmpfs", d.dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize))
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENODEV) {
		t.Skipf("a tmpfs of our own cannot be mounted: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(d.dir, 0)) })
	return d
}

func (d disk) filler() string { return filepath.Join(d.dir, "filler") }

// fill leaves free at most left bytes, beside what open pages have room for.
func (d disk) fill(t *testing.T, left int) {
	t.Helper()
	file, err := os.Create(d.filler())
	require.NoError(t, err)
	n, err := file.Write(make([]byte, diskSize))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Greater(t, n, left)
	require.NoError(t, file.Truncate(int64(n-left)))
	require.NoError(t, file.Close())
}

func (d disk) free(t *testing.T) {
	t.Helper()
	require.NoError(t, os.Remove(d.filler()))
}

// written is every line of the log, in order; each is whole.
func (d disk) written(t *testing.T) (seqs []int) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(d.dir, "app*.log")) // sorted: the rolled ones, then app.log
	require.NoError(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for l := range strings.Lines(string(text)) {
			seq := 0
			_, err := fmt.Sscanf(l, "%d", &seq)
			require.NoError(t, err, "%s: %q", path, l)
			require.Equal(t, diskLine(seq), l, "%s: half a line", path)
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// diskLine is a line of a length that depends on seq, so that pages and
// batches end in the middle of lines.
func diskLine(seq int) string {
	return fmt.Sprintf("%d %s %d\n", seq, strings.Repeat("x", 40+seq%97), seq)
}

// TestFullDisk fills the disk under a log file and frees it again, several
// times. What cannot be written goes to the route with the cause, what counts
// as delivered is in the file, and at no moment is half a line there.
func TestFullDisk(t *testing.T) {
	const perBatch = 10
	for name, cfg := range map[string]sinks.FileConfig[oracle.Event]{
		"plain":                          {},
		"synced at every batch":          {Sync: sinks.SyncBatch},
		"rotated":                        {MaxSize: 10_000},
		"rotated, synced at every batch": {MaxSize: 10_000, Sync: sinks.SyncBatch},
		"rotated within a batch":         {MaxSize: 500},
		"rotated and tended":             {MaxSize: 50_000, MaxBackups: 100},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t) // out here, where skipping is seen
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				cfg.Path = filepath.Join(d.dir, "app.log")
				cfg.Encode = func(dst []byte, ev oracle.Event) ([]byte, error) { return append(dst, diskLine(ev.Seq)...), nil }
				file, err := sinks.NewFile(cfg)
				require.NoError(t, err)
				aside, o := &sinks.Memory[oracle.Event]{}, oracle.New()
				p, err := pipeline.New(o.Sink(file), o.Wire(pipeline.Config[oracle.Event]{
					BatchSize: perBatch,
					Routes:    []stage.Route[oracle.Event]{{To: aside}},
					Clock:     w.Clock(),
				}))
				require.NoError(t, err)

				seq := 0
				log := func(n int) {
					for range n {
						seq++
						require.NoError(t, o.Enqueue(p, oracle.Event{Seq: seq}))
					}
					require.NoError(t, p.Flush(t.Context()))
					w.Settle()
					o.Check(t, p.Stats())
					// Whatever the moment, the file is what is delivered, and the
					// route has the rest.
					there := d.written(t)
					require.Len(t, there, int(p.Stats().Delivered))
					requireRest(t, seq, there, aside.Events())
				}
				log(20 * perBatch)
				require.Empty(t, aside.Events())
				for _, left := range []int{0, 1 << 12, 3 << 12} {
					before := len(aside.Events())
					d.fill(t, left)
					log(30 * perBatch)
					require.Greater(t, len(aside.Events()), before, "the disk was full")
					d.free(t)
					before = len(aside.Events())
					log(20*perBatch + 3)
					require.Len(t, aside.Events(), before, "there is room again")
				}
				require.NoError(t, p.Close(t.Context()))
				o.CheckClosed(t, p.Stats())
				parts := 0
				for _, f := range aside.Failures() {
					require.ErrorIs(t, f.Err, syscall.ENOSPC)
					if len(f.Events) < perBatch {
						parts++
					}
				}
				require.NotZero(t, parts, "the disk was never full in the middle of a batch")
				require.Len(t, d.written(t), int(p.Stats().Delivered))
			})
		})
	}
}

// requireRest requires that of events 1 to n those that are not there, which
// are in order, are what has been put aside.
func requireRest(t *testing.T, n int, there []int, aside []oracle.Event) {
	t.Helper()
	var rest, put []int
	for seq := 1; seq <= n; seq++ {
		if len(there) > 0 && there[0] == seq {
			there = there[1:]
			continue
		}
		rest = append(rest, seq)
	}
	for _, ev := range aside {
		put = append(put, ev.Seq)
	}
	require.Empty(t, there, "twice, or out of order")
	require.Equal(t, rest, put)
}
