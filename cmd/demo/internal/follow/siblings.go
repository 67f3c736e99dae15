package follow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sibling is a file that a name says was rotated from another.
type sibling struct {
	path string
	info os.FileInfo
	rank rank
}

// end is the place at the end of s; nil if it cannot be read.
func (s sibling) end() *Place {
	h, err := os.Open(s.path)
	if err != nil {
		return nil
	}
	defer h.Close()
	head, tail, err := ends(h, s.info.Size())
	if err != nil {
		return nil
	}
	p := Place{Path: s.path, Offset: s.info.Size(), Print: hash(head, tail), Modified: s.info.ModTime()}
	p.Device, p.Inode = Numbers(s.info)
	return &p
}

// rank is the age that a name tells: app.log.3 by a number that grows with age,
// any other by a text that grows with time.
type rank struct {
	number int // 0: there is text
	text   string
}

// compare sorts the oldest first, and dated names before numbered ones.
func (r rank) compare(o rank) int {
	switch {
	case r.number > 0 && o.number > 0:
		return o.number - r.number
	case r.number != o.number:
		return r.number - o.number
	}
	return strings.Compare(r.text, o.text)
}

// packed are the endings of what is not read.
var packed = []string{".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tmp", ".swp"}

// rotated reports whether name is that of a file rotated from base: base and a
// suffix that begins with a separator and a digit, or base with a date in front
// of its extension. A mere number there is not taken for a rotation, because
// worker-2.log may well be a log of its own beside worker.log.
func rotated(base, name string) (rank, bool) {
	if slices.Contains(packed, filepath.Ext(name)) {
		return rank{}, false
	}
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	suffix, ok := strings.CutPrefix(name, base)
	if !ok && ext != "" && stem != "" {
		if suffix, ok = strings.CutPrefix(name, stem); ok {
			suffix, ok = strings.CutSuffix(suffix, ext)
			ok = ok && digits(suffix) >= len("060102")
		}
	}
	if !ok || len(suffix) < 2 || !strings.ContainsRune(".-_", rune(suffix[0])) || suffix[1] < '0' || suffix[1] > '9' {
		return rank{}, false
	}
	if n, err := strconv.Atoi(suffix[1:]); err == nil && n > 0 && len(suffix) <= 5 {
		return rank{number: n}, true
	}
	return rank{text: suffix}, true
}

func digits(s string) (n int) {
	for _, c := range []byte(s) {
		if '0' <= c && c <= '9' {
			n++
		}
	}
	return n
}

// errMoving is a folder in which files are renamed just now.
var errMoving = errors.New("files are being renamed")

// family is what there was at one instant: the file at a path, if there was one,
// and what was rotated from it, the oldest first.
type family struct {
	path string
	live os.FileInfo // nil: there was none
	old  []sibling
}

// meet takes the family of path. What is concluded from it holds if it is still
// there afterwards.
func meet(path string) (family, error) {
	live, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return family{}, err
	}
	if err != nil {
		live = nil
	}
	old, err := list(path)
	return family{path, live, old}, err
}

// still returns errMoving if the family is not what it was, but for a file at
// the path that has grown.
func (f family) still() error {
	now, err := meet(f.path)
	if err != nil {
		return err
	}
	kept := slices.EqualFunc(f.old, now.old, func(a, b sibling) bool {
		return a.path == b.path && os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size()
	})
	switch {
	case !kept || (f.live == nil) != (now.live == nil):
		return errMoving
	case f.live != nil && (!os.SameFile(f.live, now.live) || now.live.Size() < f.live.Size()):
		return errMoving
	}
	return nil
}

func list(path string) (found []sibling, err error) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Join(dir, "."))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		rank, ok := rotated(base, e.Name())
		if !ok {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // gone already
		}
		if info.Mode().IsRegular() {
			found = append(found, sibling{filepath.Join(dir, e.Name()), info, rank})
		}
	}
	slices.SortStableFunc(found, func(a, b sibling) int { return a.rank.compare(b.rank) })
	return found, nil
}

// find returns which of the siblings p is a place in, by number or, if content
// was read, by that alone; -1: none.
func find(p *Place, among []sibling) int {
	for i, s := range among {
		if p.is(s.info) && s.info.Size() >= p.Offset && p.holds(s.path) {
			return i
		}
	}
	if p.Offset > 0 {
		for i, s := range among {
			if s.info.Size() >= p.Offset && p.holds(s.path) {
				return i
			}
		}
	}
	return -1
}

// later returns the siblings, other than empty ones, that were rotated after p
// was reached: those that follow the file of p, or of after, or all if p was
// alone, or else those that changed when p's did or later.
func later(p, after *Place, alone bool, among []sibling) (found []sibling) {
	since := p.Modified
	for _, known := range []*Place{p, after} {
		if known == nil || known.Offset == 0 {
			continue // nothing proves which file that was
		}
		if i := find(known, among); i >= 0 {
			among, since = among[i+1:], time.Time{}
			break
		}
	}
	if after == nil && alone {
		since = time.Time{}
	}
	for _, s := range among {
		if s.info.Size() > 0 && !s.info.ModTime().Before(since) {
			found = append(found, s)
		}
	}
	return found
}
