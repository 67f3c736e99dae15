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
