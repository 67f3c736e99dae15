package follow

import (
	"slices"
	"time"
)

// search looks among siblings for one that holds, which says that it begins with
// what was read. An earlier generation may begin like a later one: so the oldest
// that has changed since then is found, or else, and then not for sure, the one
// that is the same file, or the newest; -1: none.
func search(among []sibling, since time.Time, holds, is func(sibling) bool) (found int, sure bool) {
	found = -1
	for i, s := range among {
		switch {
		case !holds(s):
		case !s.info.ModTime().Before(since):
			return i, true
		case found < 0 || is(s) || !is(among[found]):
			found = i
		}
	}
	return found, false
}

// never is for a search of copies, which are other files than what was read.
func never(sibling) bool { return false }

// anchor returns which of the siblings is the file of p, whose end p is, by number
// or by content alone; -1: none. A place in front of which nothing was read
// proves nothing.
func anchor(d disk, p *Place, among []sibling) int {
	if p == nil || p.Offset == 0 {
		return -1
	}
	holds := func(s sibling) bool { return p.within(d, s) }
	if i := slices.IndexFunc(among, func(s sibling) bool { return p.is(s.info) && holds(s) }); i >= 0 {
		return i
	}
	i, _ := search(among, p.Modified, holds, never)
	return i
}

// history is what a tail knows of the generations of its file before the first
// in its queue.
type history struct {
	after *Place // the end of the one before; nil: not known, or there was none
	alone bool   // there was none
	met   bool   // after or alone is set
}

// since returns the siblings, other than empty ones, that were rotated after
// that: those that follow the file of after, or all if there was none, or else
// those that have changed at modified or later. If something came into the file
// of after behind its end, that is the first, to be read from there.
func (h *history) since(d disk, modified time.Time, among []sibling) (from *Place, found []sibling) {
	switch i := anchor(d, h.after, among); {
	case i >= 0 && among[i].info.Size() > h.after.Offset:
		return h.after, filled(among[i:])
	case i >= 0:
		return nil, filled(among[i+1:])
	case h.after == nil && h.alone:
		return nil, filled(among)
	}
	return nil, changed(among, modified)
}

// candidates returns the siblings in which a place after h can be: those behind
// the file of after, and that too if it has grown since.
func (h *history) candidates(d disk, among []sibling) []sibling {
	i := anchor(d, h.after, among)
	if i >= 0 && among[i].info.Size() > h.after.Offset {
		return among[i:]
	}
	return among[i+1:]
}

func filled(among []sibling) []sibling { return changed(among, time.Time{}) }

func changed(among []sibling, since time.Time) (found []sibling) {
	for _, s := range among {
		if s.info.Size() > 0 && !s.info.ModTime().Before(since) {
			found = append(found, s)
		}
	}
	return found
}
