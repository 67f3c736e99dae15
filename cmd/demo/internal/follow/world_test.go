package follow

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// world is a folder in which a log is written, and a set that follows it.
type world struct {
	t    *testing.T
	dir  string
	cfg  Config
	set  *Set
	got  strings.Builder
	said []string
}

func newWorld(t *testing.T, paths ...string) *world {
	w := &world{t: t, dir: t.TempDir(), cfg: Config{Joined: true}}
	for _, p := range paths {
		w.cfg.Paths = append(w.cfg.Paths, w.path(p))
	}
	w.cfg.Say = func(err error) { w.said = append(w.said, err.Error()) }
	w.start(nil)
	t.Cleanup(func() {
		if err := w.set.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) start(states []State) { w.set = New(w.cfg, states) }

// restart forgets everything but the states.
func (w *world) restart() {
	w.t.Helper()
	w.kill(w.set.States())
}

// kill goes on at states.
func (w *world) kill(states []State) {
	w.t.Helper()
	if err := w.set.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.start(states)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// write appends to a file.
func (w *world) write(name, text string) {
	w.t.Helper()
	f, err := os.OpenFile(w.path(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	w.must(err)
	_, err = f.WriteString(text)
	w.must(err)
	w.must(f.Close())
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	w.must(os.Rename(w.path(from), w.path(to)))
}

// copytruncate is what logrotate calls so.
func (w *world) copytruncate(from, to string) {
	w.t.Helper()
	text, err := os.ReadFile(w.path(from))
	w.must(err)
	w.must(os.WriteFile(w.path(to), text, 0o600))
	w.must(os.Truncate(w.path(from), 0))
}

// look looks and reads until there is nothing, twice: a look may find one
// change behind another.
func (w *world) look() {
	w.t.Helper()
	emit := func(line []byte, _ bool) { w.got.Write(line) }
	for range 2 {
		w.must(w.set.Look(emit))
		for moved := true; moved; {
			var err error
			moved, err = w.set.Read(emit)
			w.must(err)
		}
	}
}

// expect looks, and wants exactly this to have come since the last time.
func (w *world) expect(want string) {
	w.t.Helper()
	w.look()
	if got := w.got.String(); got != want {
		w.t.Fatalf("got %q, want %q; said %q", got, want, w.said)
	}
	w.got.Reset()
}

// saying wants one thing to have been said, or nothing.
func (w *world) saying(want string) {
	w.t.Helper()
	switch {
	case want == "" && len(w.said) == 0:
	case want != "" && len(w.said) == 1 && strings.Contains(w.said[0], want):
	default:
		w.t.Fatalf("said %q, want %q", w.said, want)
	}
	w.said = nil
}

// shortly reads a few bytes at a time.
type shortly struct{ handle }

func (s shortly) ReadAt(p []byte, at int64) (int, error) {
	n, err := s.handle.ReadAt(p[:min(len(p), 3)], at)
	if err == io.EOF && n > 0 {
		err = nil
	}
	return n, err
}
