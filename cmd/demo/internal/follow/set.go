package follow

import (
	"errors"
	"os"
	"slices"

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
	disk   disk
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
	return &Set{cfg: cfg, disk: osDisk{}, states: slices.Clone(states)}
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
