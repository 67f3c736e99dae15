package sinks

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// fileSystem is what a File asks of the operating system; tests make it fail.
type fileSystem interface {
	OpenFile(name string, flag int, perm fs.FileMode) (openFile, error)
	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	MkdirAll(name string, perm fs.FileMode) error
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(name string) // makes names durable where the system can do that
	RenamesOpen() bool   // whether an open file can be renamed
}

// openFile is an open file.
type openFile interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

type osFileSystem struct{}

func (osFileSystem) OpenFile(name string, flag int, perm fs.FileMode) (openFile, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not a nil *os.File in an openFile
	}
	return f, nil
}

func (osFileSystem) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (osFileSystem) ReadDir(name string) ([]fs.DirEntry, error)   { return os.ReadDir(name) }
func (osFileSystem) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
func (osFileSystem) Rename(from, to string) error                 { return os.Rename(from, to) }
func (osFileSystem) Remove(name string) error                     { return os.Remove(name) }
func (osFileSystem) RenamesOpen() bool                            { return runtime.GOOS != "windows" }

// SyncDir is an attempt: some systems and file systems refuse it.
func (osFileSystem) SyncDir(name string) {
	if runtime.GOOS == "windows" {
		return
	}
	if d, err := os.Open(filepath.Clean(name)); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
