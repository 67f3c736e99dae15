package sinks

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// closingBytes is how much is still compressed once Close has begun.
const closingBytes = 16 << 20

var errInterrupted = errors.New("interrupted by Close")

// settle brings b to its final form. It begins with what a crash may have
// left: half a compressed file beside its source, or a source whose compressed
// file is complete.
func (f *File[T]) settle(b backup) error {
	switch {
	case b.gz:
		return f.remove(b, b.raw, false, b.tmp)
	case !b.raw:
		return nil // half a file without its source: not ours to judge
	case b.tmp:
		if err := f.remove(b, false, false, true); err != nil {
			return err
		}
	}
	if !f.cfg.Compress {
		return nil
	}
	return f.compress(b.path)
}

// compress replaces path by path.gz. The source is deleted once the compressed
// file has its name and is durable, whatever the policy, so that there is no
// instant at which a crash loses both.
func (f *File[T]) compress(path string) (err error) {
	src, err := f.fs.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	err = f.zip(src, path+tmpSuffix, filepath.Base(path))
	err = errors.Join(err, src.Close())
	if err == nil {
		err = f.fs.Rename(path+tmpSuffix, path+gzSuffix)
	}
	if err != nil {
		_ = f.fs.Remove(path + tmpSuffix)
		return err
	}
	f.fs.SyncDir(f.name.dir)
	return f.fs.Remove(path)
}

func (f *File[T]) zip(src io.Reader, to, name string) error {
	dst, err := f.fs.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, f.cfg.Mode)
	if err != nil {
		return err
	}
	gz := gzip.NewWriter(dst)
	gz.Name = name
	_, err = io.Copy(gz, &interruptible[T]{file: f, r: src})
	if err == nil {
		err = gz.Close()
	}
	if err == nil {
		err = dst.Sync()
	}
	return errors.Join(err, dst.Close())
}

// interruptible reads from r until Close has begun and the rest of what may
// then still be read is used up.
type interruptible[T any] struct {
	file *File[T]
	r    io.Reader
}

func (i *interruptible[T]) Read(p []byte) (int, error) {
	if i.file.closing.Load() {
		if i.file.spare <= 0 {
			return 0, errInterrupted
		}
		if int64(len(p)) > i.file.spare {
			p = p[:i.file.spare]
		}
	}
	n, err := i.r.Read(p)
	if i.file.closing.Load() {
		i.file.spare -= int64(n)
	}
	return n, err
}
