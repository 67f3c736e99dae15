package follow

import (
	"fmt"
	"os"
	"slices"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
)

// renamed goes on with another file at the path, and before it with those that
// came and went in between.
func (t *tail) renamed(newest *file) error {
	all, err := meet(t.set.disk, t.path)
	switch {
	case err != nil:
		return err
	case all.live == nil:
		return errMoving
	case !all.live.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", t.path)
	}
	return t.take(all, nil, t.behind(newest, all), t.path)
}

// behind returns the siblings rotated after a file that is in the queue.
func (t *tail) behind(f *file, all family) []sibling {
	if old, ok := all.after(f.info); ok {
		return old
	}
	p := f.place()
	if i := anchor(all.disk, &p, all.old); i >= 0 {
		return all.old[i+1:]
	}
	return changed(all.old, p.Modified) // it was deleted
}

// shrunk goes on with a copy of what the first file held, and then with the file
// from its beginning.
func (t *tail) shrunk(emit frame.Emit) error {
	f := t.queue[0]
	p := f.place()
	all, err := meet(t.set.disk, t.path)
	if err != nil {
		return err
	}
	d := all.disk
	among := t.unqueued(all.old) // it may have been renamed afterwards
	near := t.candidates(d, among)
	copied, _ := search(near, p.Modified, func(s sibling) bool { return f.copiedTo(d, s) }, never)
	short := -1
	if copied < 0 {
		short, _ = search(near, p.Modified, func(s sibling) bool { return f.beyond(d, s) }, never)
	}
	again := &file{path: f.path, h: f.h, info: f.info, young: true}
	if err := again.start(t.set, nil); err != nil {
		return err
	}
	switch {
	case copied >= 0:
		if err := t.insert(0, all, &p, near[copied:]); err != nil {
			return err
		}
		t.queue[0].lines.Resume(p.Offset, f.lines.Open())
	case short >= 0: // what follows there was read while it was being copied
		end := near[short].end(d)
		if err := t.insert(0, all, nil, near[short+1:]); err != nil {
			return err
		}
		f.rest(t.set.emitter(t, f, emit))
		t.after = end
	default:
		from, old := t.since(d, p.Modified, among)
		if err := t.insert(0, all, from, old); err != nil {
			return err
		}
		if p.Offset > 0 || len(old) == 0 {
			f.rest(t.set.emitter(t, f, emit))
		}
		if p.Offset > 0 {
			t.set.cfg.Say(fmt.Errorf("%s: cut to nothing behind byte %d, and there is no copy: lines written after the last look at it, if there were any, are gone", t.path, p.Offset))
		}
	}
	t.queue[slices.Index(t.queue, f)] = again
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

// overlooked finds what was written to the file at n in the queue, copied and cut
// before it was seen there, and puts that in front of it. If something was seen,
// and the file begins like that again, it is marked as gone.
func (t *tail) overlooked(n int) (all family, missed bool, err error) {
	f := t.queue[n]
	if all, err = meet(t.set.disk, t.path); err != nil {
		return all, false, err
	}
	among := t.unqueued(all.old)
	var from *Place
	var old []sibling
	switch {
	case f.lines.At() > 0:
		_, seen := search(t.candidates(all.disk, among), f.modified, func(s sibling) bool { return f.copiedTo(all.disk, s) }, never)
		if seen { // unless that was the file itself, renamed since it was looked for there
			err = all.still()
		}
		if f.gone = seen && err == nil; f.gone {
			err = errCut
		}
		return all, false, err
	case n > 0:
		old = filled(t.unqueued(t.behind(t.queue[n-1], all)))
	default:
		from, old = t.since(all.disk, f.modified, among)
	}
	if err = t.insert(n, all, from, old); err == nil && len(old) > 0 {
		f.lines.Resume(0, false) // the beginning of a line may be of what is now in front of it
	}
	return all, len(old) > 0, err
}
