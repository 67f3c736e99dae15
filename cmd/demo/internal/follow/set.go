package follow

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
)

// Config sets up a [Set].
type Config struct {
	// Paths are files, which need not exist yet, and patterns of
	// filepath.Match, which are looked up again at each look. A pattern does
	// not stand for the rotated siblings of what is read, and not for what
	// Skip knows.
	Paths []string
	// MaxLine is the greatest number of bytes of a line; longer ones come in
	// pieces. Default frame.DefaultMax.
	MaxLine int
	// Once says that a missing file is an error, and so is whatever else is
	// otherwise told to Say and tried again at the next look. Files are read
	// one after another to their ends.
	Once bool
	// Joined says that the lines come one behind the other as they are. If
	// another file's line follows the first pieces of a long one, a line feed
	// then comes between them.
	Joined bool
	// Skip reports whether a file is never to be read, as an output; nil: none.
	Skip func(os.FileInfo) bool
	// Say is told what went wrong; nil: nobody is.
	Say func(error)
	// Long is told of each line longer than MaxLine; nil: nobody is.
	Long func(path string, offset int64)
}

// Set is a number of files that are followed. Its methods must not be called
// concurrently.
type Set struct {
	cfg    Config
	open   func(path string) (handle, error)
	tails  []*tail
	states []State // of an earlier run, not taken up yet
	cut    *tail   // whose long line what was emitted last is a piece of
}

// New returns a set that goes on where states say.
func New(cfg Config, states []State) *Set {
	if cfg.Skip == nil {
		cfg.Skip = func(os.FileInfo) bool { return false }
	}
	if cfg.Say == nil {
		cfg.Say = func(error) {}
	}
	if cfg.Long == nil {
		cfg.Long = func(string, int64) {}
	}
	s := &Set{cfg: cfg, open: func(path string) (handle, error) { return os.Open(path) }, states: slices.Clone(states)}
	return s
}

// Look finds new files and notices what has become of the others. It emits the
// rest of a file that is gone.
func (s *Set) Look(emit frame.Emit) error {
	if err := s.discover(); err != nil {
		return err
	}
	for _, t := range s.tails {
		if err := s.judge(t, t.look(emit)); err != nil {
			return err
		}
	}
	s.tails = slices.DeleteFunc(s.tails, func(t *tail) bool { return t.ended })
	return nil
}

// Read reads something of each file, or of Once all, and reports whether
// anything was there.
func (s *Set) Read(emit frame.Emit) (moved bool, err error) {
	for _, t := range s.tails {
		some, err := t.read(emit)
		moved = moved || some
		if err := s.judge(t, err); err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// judge returns err if it ends everything, and else tells of it if it is news.
func (s *Set) judge(t *tail, err error) error {
	switch {
	case err == nil:
		return nil
	case s.cfg.Once:
		return err
	case errors.Is(err, errMoving):
		return nil // the next look will see
	}
	if text := err.Error(); text != t.said {
		t.said = text
		s.cfg.Say(err)
	}
	return nil
}

// Rest emits what was read of lines that have no end yet, with one.
func (s *Set) Rest(emit frame.Emit) {
	for _, t := range s.tails {
		if len(t.queue) > 0 {
			t.queue[0].rest(s.emitter(t, t.queue[0], emit))
		}
	}
}

// Whole reports whether what was emitted last was the end of its line.
func (s *Set) Whole() bool { return s.cut == nil }

// Unfinished is the number of lines of which something was read and not emitted,
// because they have no end yet.
func (s *Set) Unfinished() (n uint64) {
	for _, t := range s.tails {
		if len(t.queue) > 0 && len(t.queue[0].lines.Pending()) > 0 {
			n++
		}
	}
	return n
}

// States says where to go on. Lines that have no end yet are read again.
func (s *Set) States() []State {
	states := slices.Clone(s.states)
	for _, t := range s.tails {
		if st := t.state(); st != nil {
			states = append(states, *st)
		}
	}
	return states
}

// Close closes all files.
func (s *Set) Close() error {
	var errs []error
	for _, t := range s.tails {
		for _, f := range t.queue {
			errs = append(errs, f.h.Close())
		}
		t.queue = nil
	}
	return errors.Join(errs...)
}

// emitter returns emit for what is read from f. It keeps the pieces of a long
// line together.
func (s *Set) emitter(t *tail, f *file, emit frame.Emit) frame.Emit {
	return func(line []byte, piece bool) {
		if s.cut != nil && s.cut != t && s.cfg.Joined {
			emit([]byte{'\n'}, true)
		}
		s.cut = nil
		if f.lines.Open() {
			s.cut = t
		}
		emit(line, piece)
	}
}

// discover adds the files that have come.
func (s *Set) discover() error {
	for _, path := range s.cfg.Paths {
		if Literal(path) {
			s.add(path, false)
			continue
		}
		matches, err := filepath.Glob(path)
		if err != nil {
			return err
		}
		known := slices.Clone(matches)
		for _, t := range s.tails {
			known = append(known, t.path)
		}
		for _, st := range slices.Clone(s.states) {
			known = append(known, st.Path)
			if ok, _ := filepath.Match(path, st.Path); ok { // it may have been renamed
				s.add(st.Path, true)
			}
		}
		for _, m := range matches {
			info, err := os.Stat(m)
			if err == nil && info.Mode().IsRegular() && !s.cfg.Skip(info) && !isSibling(m, known) {
				s.add(m, true)
			}
		}
	}
	return nil
}

// Literal reports whether path is not a pattern: it has no meaning as one, or a
// file has that very name.
func Literal(path string) bool {
	if !strings.ContainsAny(path, `*?[`) {
		return true
	}
	_, err := os.Lstat(path)
	return err == nil
}

// isSibling reports whether path was rotated from one of the others.
func isSibling(path string, others []string) bool {
	dir, name := filepath.Split(path)
	return slices.ContainsFunc(others, func(other string) bool {
		d, base := filepath.Split(other)
		_, ok := rotated(base, name)
		return d == dir && ok
	})
}

// add follows path unless it does already.
func (s *Set) add(path string, found bool) {
	path = filepath.Clean(path)
	if slices.ContainsFunc(s.tails, func(t *tail) bool { return t.path == path }) {
		return
	}
	t := &tail{set: s, path: path, found: found}
	if i := slices.IndexFunc(s.states, func(st State) bool { return st.Path == path }); i >= 0 {
		st := s.states[i]
		t.from, t.after, t.alone = &st.At, st.After, st.Alone
		s.states = slices.Delete(s.states, i, i+1)
	}
	s.tails = append(s.tails, t)
}
