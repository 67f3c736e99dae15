package follow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
)

// tail follows one path.
type tail struct {
	set   *Set
	path  string
	found bool    // by a pattern
	queue []*file // to be read one after another; the last is the newest, which may still grow
	after *Place  // the end of the one before them
	from  *Place  // where to begin, until the file is found
	ended bool    // deleted, and nothing is to come
	said  string  // the latest complaint
}

// look finds out what has become of the file.
func (t *tail) look(emit frame.Emit) error {
	if len(t.queue) == 0 {
		return t.begin()
	}
	newest := t.queue[len(t.queue)-1]
	info, err := os.Stat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t.missing(newest, emit)
	case err != nil:
		return err
	case !os.SameFile(info, newest.info):
		return t.renamed(newest, info)
	}
	if cut, err := newest.cut(); err != nil || !cut {
		return err
	}
	return t.shrunk(newest, emit)
}

// begin opens the file for the first time.
func (t *tail) begin() error {
	info, err := os.Stat(t.path)
	if err != nil && (t.set.cfg.Once || !errors.Is(err, fs.ErrNotExist)) && t.from == nil {
		return err
	}
	live := err == nil
	switch {
	case live && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", t.path)
	case live && t.set.cfg.Skip(info):
		return fmt.Errorf("%s is an output", t.path)
	case t.from == nil && !live:
		return nil
	case t.from == nil:
		return t.take(nil, nil, info)
	}
	return t.resume(info)
}

// resume begins at the place of an earlier run. live is nil if there is no file
// at the path.
func (t *tail) resume(live os.FileInfo) error {
	p := t.from
	among, err := siblings(t.path)
	if err != nil {
		return err
	}
	here := live != nil && live.Size() >= p.Offset && p.holds(t.path)
	if here && p.is(live) {
		if p.Offset > 0 {
			return t.takeAt(live)
		}
		return t.take(nil, later(p, t.after, among), live)
	}
	if i := find(p, among); i >= 0 {
		return t.take(p, among[i:], live)
	}
	if here && p.Offset > 0 {
		return t.takeAt(live)
	}
	missed := later(p, t.after, among)
	nothing := live == nil && len(missed) == 0
	if nothing && !t.found {
		return nil // it may come back
	}
	if p.Offset > 0 {
		t.set.cfg.Say(fmt.Errorf("%s: the file that was read up to byte %d is gone; what followed there is not read", t.path, p.Offset))
	}
	t.ended = nothing
	return t.take(nil, missed, live)
}

// takeAt goes on in the live file at the place of an earlier run.
func (t *tail) takeAt(live os.FileInfo) error {
	f, err := t.set.openFile(t.path, live, t.from)
	if err == nil {
		t.queue, t.from = []*file{f}, nil
	}
	return err
}

// take puts files into the queue: old ones, the first of which is read from p
// on, and the live one if there is one. It takes all or none.
func (t *tail) take(p *Place, old []sibling, live os.FileInfo) error {
	var files []*file
	add := func(path string, info os.FileInfo) error {
		f, err := t.set.openFile(path, info, p)
		p = nil
		if err == nil {
			files = append(files, f)
		}
		return err
	}
	var err error
	for _, s := range old {
		if err = add(s.path, s.info); err != nil {
			break
		}
	}
	if err == nil && live != nil {
		if err = add(t.path, live); err == nil {
			files[len(files)-1].fresh = true
		}
	}
	if err != nil {
		for _, f := range files {
			err = errors.Join(err, f.h.Close())
		}
		return err
	}
	t.queue, t.from = append(t.queue, files...), nil
	return nil
}

// renamed goes on with another file at the path, and before it with those that
// came and went in between.
func (t *tail) renamed(newest *file, live os.FileInfo) error {
	if !live.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", t.path)
	}
	among, err := siblings(t.path)
	if err != nil {
		return err
	}
	for i, s := range among {
		if os.SameFile(s.info, newest.info) {
			return t.take(nil, among[i+1:], live)
		}
	}
	if _, err := newest.cut(); err != nil { // learns of the last change
		return err
	}
	p := newest.place()
	return t.take(nil, later(&p, nil, among), live)
}

// shrunk goes on with a copy of what the file held, and then with the file from
// its beginning.
func (t *tail) shrunk(newest *file, emit frame.Emit) error {
	p := newest.place()
	among, err := siblings(t.path)
	if err != nil {
		return err
	}
	var from *Place
	old := later(&p, t.after, among)
	if i := find(&p, among); i >= 0 && p.Offset > 0 {
		from, old = &p, among[i:]
	}
	last := len(t.queue) - 1
	queue := t.queue
	t.queue = t.queue[:last:last]
	if err := t.take(from, old, nil); err != nil {
		t.queue = queue
		return err
	}
	if from != nil {
		t.queue[last].lines.Resume(p.Offset, newest.lines.Open())
	} else {
		newest.rest(t.set.emitter(t, newest, emit))
		if p.Offset > 0 {
			t.set.cfg.Say(fmt.Errorf("%s: cut to nothing behind byte %d, and there is no copy: lines written after the last look at it, if there were any, are gone", t.path, p.Offset))
		}
	}
	again := &file{path: t.path, h: newest.h, info: newest.info, fresh: true}
	t.queue = append(t.queue, again)
	return again.start(t.set, nil)
}

// overlooked is called when there is something in the first file, which was
// taken up empty or unseen. It finds what was written to it, copied and cut
// before.
func (t *tail) overlooked(first *file) error {
	if t.after != nil {
		among, err := siblings(t.path)
		if err != nil {
			return err
		}
		i := find(t.after, among)
		if i < 0 {
			i = len(among) - 1 // not to be told
		}
		among = among[i+1:]
		for i, s := range among {
			if slices.ContainsFunc(t.queue, func(f *file) bool { return os.SameFile(f.info, s.info) }) {
				among = among[:i]
				break
			}
		}
		queue := t.queue
		t.queue = nil
		err = t.take(nil, among, nil)
		if t.queue = append(t.queue, queue...); err != nil {
			return err
		}
	}
	first.fresh = false
	return nil
}

// missing ends the tail of a file that a pattern found and that is deleted.
func (t *tail) missing(newest *file, emit frame.Emit) error {
	info, err := newest.h.Stat()
	if err != nil || !t.found || !deleted(info) || len(t.queue) > 1 || info.Size() > newest.lines.Next() {
		return err
	}
	t.ended = true
	return t.finish(emit)
}

// read reads what is there, but no more than a block unless a line goes on.
func (t *tail) read(emit frame.Emit) (moved bool, err error) {
	for len(t.queue) > 0 {
		if f := t.queue[0]; f.fresh && f.size() > 0 {
			if err := t.overlooked(f); err != nil {
				return moved, err
			}
		}
		f := t.queue[0]
		over := t.superseded() // first: what is written until then is read below
		n, err := f.read(t.set.emitter(t, f, emit))
		switch {
		case err != nil:
			return moved, fmt.Errorf("%s: %w", f.path, err)
		case n == 0 && !over:
			return moved, nil
		case n == 0:
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

// superseded reports whether nobody writes to the first file any more: there is
// something in the next one.
func (t *tail) superseded() bool {
	return len(t.queue) > 2 || len(t.queue) == 2 && t.queue[1].size() > 0
}

// finish ends the first file.
func (t *tail) finish(emit frame.Emit) error {
	f := t.queue[0]
	f.rest(t.set.emitter(t, f, emit))
	p := f.place()
	t.after, t.queue = &p, t.queue[1:]
	return f.h.Close()
}

// state is where to go on; nil: nothing was found yet.
func (t *tail) state() *State {
	switch {
	case len(t.queue) > 0:
		return &State{t.path, t.queue[0].place(), t.after}
	case t.from != nil:
		return &State{t.path, *t.from, t.after}
	}
	return nil
}
