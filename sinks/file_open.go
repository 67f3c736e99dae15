package sinks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

var errNotRegular = errors.New("not a regular file")

// attach makes sure that file is what Path leads to, and learns its size anew:
// something else may have truncated it.
func (f *File[T]) attach() error {
	if f.file != nil {
		info, err := f.fs.Stat(f.cfg.Path)
		if err == nil && os.SameFile(info, f.info) {
			f.size = info.Size()
			return nil
		}
	}
	if err := f.reopen(); err != nil {
		return fmt.Errorf("penstock: reopen: %w", err)
	}
	return nil
}

// reopen opens Path and lets go of the file that was open. After an error that
// file is still open.
func (f *File[T]) reopen() error {
	path := f.cfg.Path
	if err := f.fs.MkdirAll(filepath.Dir(path), f.cfg.DirMode); err != nil {
		return err
	}
	// Looked at first, because opening a named pipe would wait for a reader.
	if info, err := f.fs.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w", path, errNotRegular)
	}
	file, err := f.fs.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, f.cfg.Mode)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.detach()
	f.file, f.info, f.size, f.begun = file, info, info.Size(), info.ModTime()
	f.cut = f.size > 0 && !f.endsWhole()
	if f.size == 0 && f.cfg.Sync != SyncNever {
		f.fs.SyncDir(filepath.Dir(path))
	}
	return nil
}

// detach lets go of the open file, if there is one. Its errors concern data
// that was written long ago and are kept for the next Flush or Close.
func (f *File[T]) detach() {
	if f.file == nil {
		return
	}
	err := f.sync()
	f.dirty = false
	f.stopTimer()
	err = errors.Join(err, f.file.Close())
	f.file = nil
	f.lateSync(err)
}

// endsWhole reports whether the file ends in a line feed, or cannot be read.
func (f *File[T]) endsWhole() bool {
	file, err := f.fs.OpenFile(f.cfg.Path, os.O_RDONLY, 0)
	if err != nil {
		return true
	}
	defer func() { _ = file.Close() }()
	var last [1]byte
	n, _ := file.ReadAt(last[:], f.size-1)
	return n == 0 || last[0] == '\n'
}

// due reports whether the file's lines are of an earlier period than now.
func (f *File[T]) due(now time.Time) bool {
	every := int64(f.cfg.RotateEvery)
	return every > 0 && f.size > 0 && period(f.begun, every) < period(now, every)
}

// period numbers the periods of that many nanoseconds since 1970.
func period(t time.Time, every int64) int64 {
	ns := t.UnixNano()
	p := ns / every
	if ns%every < 0 {
		p--
	}
	return p
}
