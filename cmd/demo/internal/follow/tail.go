package follow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
)

// tail follows one path.
type tail struct {
	set   *Set
	path  string
	found bool    // by a pattern
	queue []*file // to be read one after another; the last is the newest, which may still grow
	history
	from  *Place // where to begin, until the file is found
	ended bool   // deleted, and nothing is to come
	said  string // the latest complaint
}

// look finds out what has become of the file.
func (t *tail) look(emit frame.Emit) error {
	if len(t.queue) == 0 {
		return t.begin()
	}
	cut, err := t.queue[0].cut()
	switch {
	case err != nil:
		return err
	case cut: // and perhaps renamed afterwards: the next look will see
		return t.shrunk(emit)
	}
	last := len(t.queue) - 1
	newest := t.queue[last]
	info, err := t.set.disk.stat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t.missing(newest, emit)
	case err != nil:
		return err
	case !os.SameFile(info, newest.info):
		return t.renamed(newest)
	case last > 0 && info.Size() == 0: // else read finds out in its turn
		_, _, err = t.overlooked(last)
	}
	return err
}

// missing ends the tail of a file that a pattern found and that is deleted.
func (t *tail) missing(newest *file, emit frame.Emit) error {
	info, err := newest.h.Stat()
	if err != nil || !t.found || !deleted(info) || len(t.queue) > 1 || info.Size() > newest.lines.Next() {
		return err
	}
	if newest.young {
		switch _, missed, err := t.overlooked(0); {
		case errors.Is(err, errCut):
			return errMoving // the next look will see
		case err != nil || missed:
			return err
		}
	}
	t.ended = true
	return t.finish(emit)
}

// read reads what is there, but no more than a block unless a line goes on.
func (t *tail) read(emit frame.Emit) (moved bool, err error) {
	for len(t.queue) > 0 {
		over := t.superseded() // first: what is written until then is read below
		had := t.queue[0].lines.Next()
		f, n, err := t.fetch()
		switch {
		case errors.Is(err, errCut):
			return moved, nil // the next look will see
		case err != nil:
			return moved, fmt.Errorf("%s: %w", t.queue[0].path, err)
		case f == nil:
			continue
		}
		f.accept(n, t.set.emitter(t, f, emit))
		n = int(f.lines.Next() - had)
		switch {
		case n <= 0 && !over:
			return moved, nil
		case n <= 0:
			if err := t.finish(emit); err != nil {
				return true, err
			}
		case !f.lines.Open() && !t.set.cfg.Once:
			return true, nil
		}
		moved = true
	}
	return moved, nil
}

// fetch reads once from the first file and returns it with the number of bytes
// to accept. As long as little of it is known, nothing in it tells whether it was
// cut, or what came before, and is in a copy now. So the siblings are looked at
// before the reading and after it: had it been cut in between, they would have
// changed. nil: something is in front of it now.
func (t *tail) fetch() (*file, int, error) {
	f := t.queue[0]
	if !f.young {
		n, err := f.fetch()
		return f, n, err
	}
	all, missed, err := t.overlooked(0)
	if err != nil || missed {
		return nil, 0, err
	}
	if f.lines.At() == 0 {
		f.lines.Resume(0, false) // the beginning of a line proves nothing
	}
	n, err := f.fetch()
	if err == nil {
		err = all.still()
	}
	return f, n, err
}

// superseded reports whether nobody writes to the first file any more: there is
// something in the next one.
func (t *tail) superseded() bool {
	return len(t.queue) > 2 || len(t.queue) == 2 && t.queue[1].size() > 0
}

// finish ends the first file.
func (t *tail) finish(emit frame.Emit) error {
	f := t.queue[0]
	f.rest(t.set.emitter(t, f, emit))
	if p := f.place(); p.Offset > 0 {
		t.after = &p
	}
	t.queue = t.queue[1:]
	return f.h.Close()
}

// state is where to go on; nil: nothing was found yet.
func (t *tail) state() *State {
	switch {
	case len(t.queue) > 0:
		return &State{t.path, t.queue[0].place(), t.after, t.alone}
	case t.from != nil:
		return &State{t.path, *t.from, t.after, t.alone}
	}
	return nil
}
