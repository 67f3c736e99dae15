package follow

import (
	"fmt"
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
	step func() // before each call of the disk
	got  strings.Builder
	said []string
}

func newWorld(t *testing.T, paths ...string) *world {
	w := &world{t: t, dir: t.TempDir(), cfg: Config{Joined: true}, step: func() {}}
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

func (w *world) start(states []State) {
	w.set = New(w.cfg, states)
	w.set.disk = &steppedDisk{step: func() { w.step() }}
}

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

func (w *world) exists(name string) bool {
	_, err := os.Stat(w.path(name))
	return err == nil
}

// size is 0 for a file that is not there.
func (w *world) size(name string) int64 {
	info, err := os.Stat(w.path(name))
	if err != nil {
		return 0
	}
	return info.Size()
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

// shift makes room for app.log.1.
func (w *world) shift(step func()) {
	w.t.Helper()
	n := 1
	for w.exists(fmt.Sprintf("app.log.%d", n)) {
		n++
	}
	for ; n > 1; n-- {
		w.rename(fmt.Sprintf("app.log.%d", n-1), fmt.Sprintf("app.log.%d", n))
		step()
	}
}

// rotate shifts, and renames app.log or copies and cuts it.
func (w *world) rotate(copying bool) {
	w.t.Helper()
	w.shift(func() {})
	if copying {
		w.copytruncate("app.log", "app.log.1")
		return
	}
	w.rename("app.log", "app.log.1")
	w.write("app.log", "")
}

func (w *world) emit(line []byte, _ bool) { w.got.Write(line) }

// forget drops what came behind the first bytes.
func (w *world) forget(length int) {
	text := w.got.String()[:length]
	w.got.Reset()
	w.got.WriteString(text)
}

// look looks and reads until there is nothing, twice: a look may find one
// change behind another.
func (w *world) look() {
	w.t.Helper()
	for range 2 {
		w.must(w.set.Look(w.emit))
		for moved := true; moved; {
			var err error
			moved, err = w.set.Read(w.emit)
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

// shortDisk opens files that read shortly.
type shortDisk struct{ osDisk }

func (d shortDisk) open(path string) (handle, error) {
	f, err := d.osDisk.open(path)
	return shortly{f}, err
}
