package follow

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// disk is what a Set asks of the file system. Between any two of these calls
// anything may happen to the files; tests make it happen.
type disk interface {
	open(path string) (handle, error)
	stat(path string) (os.FileInfo, error)
	lstat(path string) (os.FileInfo, error)
	names(dir string) ([]string, error) // in any order
}

// handle is an open file.
type handle interface {
	io.ReaderAt
	io.Closer
	Stat() (os.FileInfo, error)
}

// osDisk is the real one.
type osDisk struct{}

func (osDisk) open(path string) (handle, error)       { return os.Open(path) }
func (osDisk) stat(path string) (os.FileInfo, error)  { return os.Stat(path) }
func (osDisk) lstat(path string) (os.FileInfo, error) { return os.Lstat(path) }

func (osDisk) names(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// doubtful is a disk that keeps the first error that may pass by: what is
// concluded from files that could not be read is worth nothing. One that is not
// there, or may not be read, is just none of those that are looked for.
type doubtful struct {
	disk
	err error
}

func (d *doubtful) open(path string) (handle, error) {
	h, err := d.disk.open(path)
	d.note(err)
	if err != nil {
		return nil, err
	}
	return doubtfulHandle{h, d}, nil
}

func (d *doubtful) note(err error) {
	if err != nil && d.err == nil && !errors.Is(err, io.EOF) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		d.err = err
	}
}

type doubtfulHandle struct {
	handle
	disk *doubtful
}

func (h doubtfulHandle) ReadAt(p []byte, at int64) (int, error) {
	n, err := h.handle.ReadAt(p, at)
	h.disk.note(err)
	return n, err
}
