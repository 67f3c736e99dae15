package follow

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// discover adds the files that have come.
func (s *Set) discover() error {
	for _, path := range s.cfg.Paths {
		if Literal(path) {
			s.add(path, false)
			continue
		}
		matches, err := filepath.Glob(path)
		if err != nil {
			return err
		}
		known := slices.Clone(matches)
		for _, t := range s.tails {
			known = append(known, t.path)
		}
		for _, st := range slices.Clone(s.states) {
			known = append(known, st.Path)
			if ok, _ := filepath.Match(path, st.Path); ok { // it may have been renamed
				s.add(st.Path, true)
			}
		}
		for _, m := range matches {
			info, err := os.Stat(m)
			if err == nil && info.Mode().IsRegular() && !s.cfg.Skip(info) && !isSibling(m, known) {
				s.add(m, true)
			}
		}
	}
	return nil
}

// Literal reports whether path is not a pattern: it has no meaning as one, or a
// file has that very name.
func Literal(path string) bool {
	if !strings.ContainsAny(path, `*?[`) {
		return true
	}
	_, err := os.Lstat(path)
	return err == nil
}

// isSibling reports whether path was rotated from one of the others.
func isSibling(path string, others []string) bool {
	dir, name := filepath.Split(path)
	return slices.ContainsFunc(others, func(other string) bool {
		d, base := filepath.Split(other)
		_, ok := rotated(base, name)
		return d == dir && ok
	})
}

// add follows path unless it does already.
func (s *Set) add(path string, found bool) {
	path = filepath.Clean(path)
	if slices.ContainsFunc(s.tails, func(t *tail) bool { return t.path == path }) {
		return
	}
	t := &tail{set: s, path: path, found: found}
	if i := slices.IndexFunc(s.states, func(st State) bool { return st.Path == path }); i >= 0 {
		st := s.states[i]
		t.from, t.after, t.alone = &st.At, st.After, st.Alone
		s.states = slices.Delete(s.states, i, i+1)
	}
	s.tails = append(s.tails, t)
}
