package follow

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

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
