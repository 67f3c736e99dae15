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
	alone bool    // there was none
	met   bool    // after or alone is set
	from  *Place  // where to begin, until the file is found
	ended bool    // deleted, and nothing is to come
	said  string  // the latest complaint
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
	newest := t.queue[len(t.queue)-1]
	info, err := os.Stat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t.missing(newest, emit)
	case err != nil:
		return err
	case !os.SameFile(info, newest.info):
		return t.renamed(newest)
	}
	return nil
}

// begin opens the file for the first time.
func (t *tail) begin() error {
	all, err := meet(t.path)
	switch {
	case err != nil:
		return err
	case all.live != nil && !all.live.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", t.path)
	case all.live != nil && t.set.cfg.Skip(all.live):
		return fmt.Errorf("%s is an output", t.path)
	case t.from != nil:
		return t.resume(all)
	}
	t.meet(all)
	switch {
	case all.live != nil:
		return t.take(all, nil, nil, t.path)
	case t.set.cfg.Once:
		return &fs.PathError{Op: "open", Path: t.path, Err: fs.ErrNotExist}
	}
	return nil
}

// meet notes what had been rotated before the file was followed.
func (t *tail) meet(all family) {
	if t.met {
		return
	}
	t.met, t.alone = true, len(all.old) == 0
	if !t.alone {
		t.after = all.old[len(all.old)-1].end() // or nil
	}
}

// resume begins at the place of an earlier run.
func (t *tail) resume(all family) error {
	p := t.from
	if p.Offset == 0 {
		return t.takeMissed(all)
	}
	here := all.live != nil && all.live.Size() >= p.Offset && p.holds(t.path)
	if here && p.is(all.live) {
		return t.take(all, p, nil, t.path)
	}
	if i := find(p, all.old); i >= 0 {
		return t.take(all, p, all.old[i:], t.path)
	}
	if here {
		return t.take(all, p, nil, t.path)
	}
	if err := all.still(); err != nil {
		return err
	}
	if all.live == nil && len(later(p, t.after, t.alone, all.old)) == 0 && !t.found {
		return nil // it may come back
	}
	t.set.cfg.Say(fmt.Errorf("%s: the file that was read up to byte %d is gone; what followed there is not read", t.path, p.Offset))
	t.from = &Place{Modified: p.Modified} // this is said once
	return t.takeMissed(all)
}

// takeMissed begins with what was rotated since the place of the earlier run,
// of which nothing, or nothing that is left, was read.
func (t *tail) takeMissed(all family) error {
	missed := later(t.from, t.after, t.alone, all.old)
	err := t.take(all, nil, missed, t.path)
	t.ended = err == nil && len(t.queue) == 0 && t.found
	return err
}

// take puts files of a family into the queue: old ones, and the one at the path
// live, if there is one. The first of all is read from p on. It takes all, if
// the family is still the same, or none.
func (t *tail) take(all family, p *Place, old []sibling, live string) error {
	if live != "" && all.live != nil {
		old = append(slices.Clone(old), sibling{path: live, info: all.live})
	}
	var files []*file
	var err error
	for _, s := range old {
		var f *file
		if f, err = t.set.openFile(s.path, s.info, p); err != nil {
			break
		}
		f.fresh = p == nil && s.path == live
		files = append(files, f)
		p = nil
	}
	if err == nil {
		err = all.still()
	}
	if err != nil {
		for _, f := range files {
			err = errors.Join(err, f.h.Close())
		}
		return err
	}
	t.queue = append(t.queue, files...)
	if len(t.queue) > 0 {
		t.from = nil
	}
	return nil
}

// renamed goes on with another file at the path, and before it with those that
// came and went in between.
func (t *tail) renamed(newest *file) error {
	all, err := meet(t.path)
	switch {
	case err != nil:
		return err
	case all.live == nil:
		return errMoving
	case !all.live.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", t.path)
	}
	for i, s := range all.old {
		if os.SameFile(s.info, newest.info) {
			return t.take(all, nil, all.old[i+1:], t.path)
		}
	}
	p := newest.place()
	return t.take(all, nil, later(&p, nil, false, all.old), t.path)
}

// shrunk goes on with a copy of what the first file held, and then with the file
// from its beginning.
func (t *tail) shrunk(emit frame.Emit) error {
	f := t.queue[0]
	p := f.place()
	all, err := meet(t.path)
	if err != nil {
		return err
	}
	among := t.unqueued(all.old) // it may have been renamed afterwards
	var from *Place
	old := later(&p, t.after, t.alone, among)
	if i := slices.IndexFunc(among, f.copiedTo); i >= 0 {
		from, old = &p, among[i:]
	}
	again := &file{path: f.path, h: f.h, info: f.info, fresh: true}
	if err := again.start(t.set, nil); err != nil {
		return err
	}
	if err := t.takeFirst(all, from, old, again, t.queue[1:]); err != nil {
		return err
	}
	if from != nil {
		t.queue[0].lines.Resume(p.Offset, f.lines.Open())
	} else if p.Offset > 0 || len(old) == 0 {
		f.rest(t.set.emitter(t, f, emit))
		if p.Offset > 0 {
			t.set.cfg.Say(fmt.Errorf("%s: cut to nothing behind byte %d, and there is no copy: lines written after the last look at it, if there were any, are gone", t.path, p.Offset))
		}
	}
	return nil
}

// takeFirst puts files in front of first and the rest of the queue.
func (t *tail) takeFirst(all family, p *Place, old []sibling, first *file, rest []*file) error {
	queue := t.queue
	t.queue = nil
	if err := t.take(all, p, old, ""); err != nil {
		t.queue = queue
		return err
	}
	t.queue = append(append(t.queue, first), rest...)
	return nil
}

// unqueued returns the siblings that are older than all that is in the queue.
func (t *tail) unqueued(old []sibling) []sibling {
	for i, s := range old {
		if slices.ContainsFunc(t.queue, func(f *file) bool { return os.SameFile(f.info, s.info) }) {
			return old[:i]
		}
	}
	return old
}

// overlooked is called when there is something in the first file, which was
// taken up empty or unseen, or when it is over. It finds what was written to it,
// copied and cut before, and puts that in front.
func (t *tail) overlooked(first *file) (all family, missed bool, err error) {
	if all, err = meet(t.path); err != nil {
		return all, false, err
	}
	p := first.place()
	among := t.unqueued(later(&p, t.after, t.alone, all.old))
	return all, len(among) > 0, t.takeFirst(all, nil, among, first, t.queue[1:])
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
		f := t.queue[0]
		over := t.superseded() // first: what is written until then is read below
		var all *family
		if f.fresh && (over || f.size() > 0) {
			met, missed, err := t.overlooked(f)
			if err != nil {
				return moved, err
			}
			if missed {
				continue
			}
			all = &met
		}
		had := f.lines.Next()
		if f.fresh {
			f.lines.Resume(0, false) // the beginning of a line proves nothing
		}
		n, err := f.fetch()
		if err == nil && all != nil {
			err = all.still() // else it may have been cut just before
		}
		switch {
		case errors.Is(err, errCut):
			return moved, nil // the next look will see
		case err != nil:
			return moved, fmt.Errorf("%s: %w", f.path, err)
		}
		f.accept(n, t.set.emitter(t, f, emit))
		f.fresh = f.fresh && f.lines.At() == 0
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
