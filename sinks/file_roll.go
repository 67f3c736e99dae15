package sinks

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// roll renames the file and opens a new one. After a failure the old file is
// in its place again and roll returns false. Where an open file cannot be
// renamed it is closed first, and then opened again by the next write.
func (f *File[T]) roll(now time.Time) bool {
	if f.cut && f.lines.terminated() {
		n, _ := f.file.Write([]byte{'\n'}) // no chance but this to end its last line
		f.grow(n)
	}
	if !f.fs.RenamesOpen() {
		f.detach()
	}
	seq, rolled := f.freeName(now)
	err := f.fs.Rename(f.cfg.Path, rolled)
	if err == nil {
		if err = f.reopen(); err != nil {
			err = errors.Join(err, f.fs.Rename(rolled, f.cfg.Path))
		}
	}
	if err != nil {
		f.rollErr = fmt.Errorf("penstock: roll: %w", err)
		return false
	}
	f.rollErr = nil
	f.seq, f.rolled = seq, now
	f.tendLater()
	return true
}

// freeName returns a name for a rolled file that is not taken, compressed or
// not.
func (f *File[T]) freeName(now time.Time) (seq int, path string) {
	for seq = f.seq + 1; ; seq++ {
		path = f.name.format(now, seq)
		if !f.exists(path) && !f.exists(path+gzSuffix) {
			return seq, path
		}
	}
}

func (f *File[T]) exists(path string) bool {
	_, err := f.fs.Stat(path)
	return err == nil
}

const (
	stampLayout = "20060102T150405.000Z"
	gzSuffix    = ".gz"
	tmpSuffix   = ".gz.tmp"
)

// rolledName makes and reads the names of rolled files.
type rolledName struct{ dir, prefix, ext string }

func newRolledName(path string) rolledName {
	dir, base := filepath.Split(path)
	ext := filepath.Ext(base)
	if ext == base {
		ext = "" // .hidden
	}
	return rolledName{dir: dir, prefix: strings.TrimSuffix(base, ext) + "-", ext: ext}
}

func (r rolledName) format(t time.Time, seq int) string {
	return fmt.Sprintf("%s%s%s-%06d%s", r.dir, r.prefix, t.UTC().Format(stampLayout), seq, r.ext)
}

// parse reads the name of a rolled file, without directory. It is strict: what
// it accepts may be deleted.
func (r rolledName) parse(base string) (t time.Time, seq int, suffix string, ok bool) {
	rest, ok := strings.CutPrefix(base, r.prefix)
	if !ok || len(rest) < len(stampLayout)+len("-000001") || rest[len(stampLayout)] != '-' {
		return t, 0, "", false
	}
	t, err := time.Parse(stampLayout, rest[:len(stampLayout)])
	if err != nil {
		return t, 0, "", false
	}
	rest = rest[len(stampLayout)+1:]
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	seq, err = strconv.Atoi(rest[:digits])
	if err != nil || digits < 6 {
		return t, 0, "", false
	}
	suffix, ok = strings.CutPrefix(rest[digits:], r.ext)
	ok = ok && (suffix == "" || suffix == gzSuffix || suffix == tmpSuffix)
	return t, seq, suffix, ok
}
