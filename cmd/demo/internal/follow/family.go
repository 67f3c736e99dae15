package follow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// sibling is a file that a name says was rotated from another.
type sibling struct {
	path string
	info os.FileInfo
	rank rank
}

// end is the place at the end of s; nil if it cannot be read.
func (s sibling) end(d disk) *Place {
	head, tail, err := endsOf(d, s.path, s.info.Size())
	if err != nil {
		return nil
	}
	p := newPlace(s.path, s.info, s.info.Size(), head, tail)
	return &p
}

// errMoving is a folder in which files are renamed or copied just now.
var errMoving = errors.New("files are being renamed")

// family is what there was at one instant: the file at a path, if there was one,
// and what was rotated from it, the oldest first.
type family struct {
	disk *doubtful
	path string
	live os.FileInfo // nil: there was none
	old  []sibling
	// uncut is a copy, or the beginning of one, of what is still in the file at
	// the path: it is not in old, because its lines are there. nil: there is none.
	uncut *sibling
}

// meet takes the family of path. Taking it is several calls, and acting on it
// more: what was concluded holds only if the family is still there afterwards.
func meet(d disk, path string) (family, error) {
	live, err := d.stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return family{}, err
	}
	if err != nil {
		live = nil
	}
	f := family{disk: &doubtful{disk: d}, path: path, live: live}
	if f.old, err = list(d, path); err != nil {
		return family{}, err
	}
	f.setAside()
	return f, nil
}

// setAside finds the copy that is not cut yet. Only the newest can be one.
func (f *family) setAside() {
	for i, s := range slices.Backward(f.old) {
		if s.info.Size() == 0 {
			continue // a copy that has just been begun, perhaps
		}
		if f.begunBy(s) {
			f.uncut, f.old = &s, slices.Delete(f.old, i, i+1)
		}
		return
	}
}

// begunBy reports whether the file at the path begins with all of s, and that is
// so because s was copied from it: a short text may well be the beginning of the
// next file too, but then that was written later than s.
func (f *family) begunBy(s sibling) bool {
	n := s.info.Size()
	if f.live == nil || !f.live.Mode().IsRegular() || f.live.Size() < n || n < printSize && f.live.ModTime().After(s.info.ModTime()) {
		return false
	}
	head, tail, err := endsOf(f.disk, s.path, n)
	if err != nil {
		return false
	}
	h, t, err := endsOf(f.disk, f.path, n)
	return err == nil && hash(h, t) == hash(head, tail)
}

// still returns errMoving unless the siblings are what they were, and so is the
// file at the path but for having grown. A copy of it may have been begun, as
// long as it is not cut. It also returns the error of what could not be read in
// the meantime to conclude something.
func (f family) still() error {
	if f.disk.err != nil {
		return f.disk.err
	}
	now, err := meet(f.disk.disk, f.path)
	switch {
	case err != nil:
		return err
	case now.disk.err != nil:
		return now.disk.err
	}
	kept := slices.EqualFunc(f.old, now.old, func(a, b sibling) bool {
		return a.path == b.path && os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
	})
	switch {
	case !kept || (f.live == nil) != (now.live == nil) || f.uncut != nil && now.uncut == nil:
		return errMoving
	case f.live != nil && (!os.SameFile(f.live, now.live) || now.live.Size() < f.live.Size()):
		return errMoving
	}
	return nil
}

// after returns the siblings rotated after the one that is the file of info, and
// whether that is among them.
func (f family) after(info os.FileInfo) ([]sibling, bool) {
	i := slices.IndexFunc(f.old, func(s sibling) bool { return os.SameFile(s.info, info) })
	return f.old[i+1:], i >= 0
}

func list(d disk, path string) (found []sibling, err error) {
	dir, base := filepath.Split(path)
	names, err := d.names(filepath.Join(dir, "."))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		rank, ok := rotated(base, name)
		if !ok {
			continue
		}
		info, err := d.lstat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errMoving // what it is called now may not be in names
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			found = append(found, sibling{filepath.Join(dir, name), info, rank})
		}
	}
	slices.SortFunc(found, func(a, b sibling) int { return a.rank.compare(b.rank) })
	return found, nil
}
