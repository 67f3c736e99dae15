package sinks

import (
	"io/fs"
	"sync"
)

// faultFS is the real file system with faults. A hook that returns nil lets
// the call through, except for syncs, which take long and do nothing that a
// test could see. Hooks are changed by set.
type faultFS struct {
	osFileSystem
	mu     sync.Mutex
	hooks  hooks
	counts counts
}

type hooks struct {
	open     func(name string, flag int) error
	rename   func(from, to string) error
	remove   func(name string) error
	readDir  func() error
	mkdir    func() error
	write    func(name string, p []byte) (n int, err error) // n bytes are written, then err
	read     func(name string) error
	sync     func(name string) error
	truncate func() error
	statFile func() error
	close    func() error
	closes   bool // an open file cannot be renamed
}

type counts struct{ open, rename, sync, write int }

func (f *faultFS) set(h hooks) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hooks = h
}

func (f *faultFS) get() hooks {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hooks
}

func (f *faultFS) count(n *int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*n++
}

func (f *faultFS) counted() counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
}

func (f *faultFS) OpenFile(name string, flag int, perm fs.FileMode) (openFile, error) {
	f.count(&f.counts.open)
	if h := f.get().open; h != nil {
		if err := h(name, flag); err != nil {
			return nil, err
		}
	}
	file, err := f.osFileSystem.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{openFile: file, fs: f, name: name}, nil
}

func (f *faultFS) Rename(from, to string) error {
	f.count(&f.counts.rename)
	if h := f.get().rename; h != nil {
		if err := h(from, to); err != nil {
			return err
		}
	}
	return f.osFileSystem.Rename(from, to)
}

func (f *faultFS) Remove(name string) error {
	if h := f.get().remove; h != nil {
		if err := h(name); err != nil {
			return err
		}
	}
	return f.osFileSystem.Remove(name)
}

func (f *faultFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if h := f.get().readDir; h != nil {
		if err := h(); err != nil {
			return nil, err
		}
	}
	return f.osFileSystem.ReadDir(name)
}

func (f *faultFS) MkdirAll(name string, perm fs.FileMode) error {
	if h := f.get().mkdir; h != nil {
		if err := h(); err != nil {
			return err
		}
	}
	return f.osFileSystem.MkdirAll(name, perm)
}

func (f *faultFS) SyncDir(string)    {}
func (f *faultFS) RenamesOpen() bool { return !f.get().closes }

type faultFile struct {
	openFile
	fs   *faultFS
	name string
}

func (f *faultFile) Write(p []byte) (int, error) {
	f.fs.count(&f.fs.counts.write)
	if h := f.fs.get().write; h != nil {
		if n, err := h(f.name, p); err != nil {
			if m, werr := f.openFile.Write(p[:n]); werr != nil {
				return m, werr
			}
			return n, err
		}
	}
	return f.openFile.Write(p)
}

func (f *faultFile) Read(p []byte) (int, error) {
	if h := f.fs.get().read; h != nil {
		if err := h(f.name); err != nil {
			return 0, err
		}
	}
	return f.openFile.Read(p)
}

func (f *faultFile) Sync() error {
	f.fs.count(&f.fs.counts.sync)
	if h := f.fs.get().sync; h != nil {
		if err := h(f.name); err != nil {
			return err
		}
	}
	return nil
}

func (f *faultFile) Truncate(size int64) error {
	if h := f.fs.get().truncate; h != nil {
		if err := h(); err != nil {
			return err
		}
	}
	return f.openFile.Truncate(size)
}

func (f *faultFile) Stat() (fs.FileInfo, error) {
	if h := f.fs.get().statFile; h != nil {
		if err := h(); err != nil {
			return nil, err
		}
	}
	return f.openFile.Stat()
}

func (f *faultFile) Close() error {
	err := f.openFile.Close()
	if h := f.fs.get().close; h != nil && err == nil {
		return h()
	}
	return err
}
