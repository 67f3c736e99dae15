package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// files are the ends of a haul.
type files struct {
	in   io.Reader
	name string    // of the output
	out  io.Writer // closed by the pipeline, if it is an io.Closer
	dead stage.Sink[letter]

	own *os.File // the input, if it was opened here
}

// openFiles opens all ends, and empties an output file once it is sure that it
// is not one of the others. An empty dead means that there is none.
func openFiles(p process, in, out, dead string) (_ *files, err error) {
	f := &files{in: p.stdin, name: "the standard output", out: p.stdout}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if in != "-" {
		if f.own, err = os.Open(in); err != nil {
			return nil, err
		}
		f.in = f.own
	}
	var file *os.File
	if out != "-" {
		f.name = out
		if file, err = os.OpenFile(out, os.O_WRONLY|os.O_CREATE, 0o644); err != nil {
			return nil, err
		}
		f.out = file
	}
	err = f.openDead(dead)
	if err == nil {
		err = f.distinct(dead)
	}
	if err == nil && file != nil {
		err = empty(file)
	}
	switch {
	case err != nil:
		return nil, errors.Join(err, f.abandon(file))
	case file == nil:
		f.out = struct{ io.Writer }{p.stdout} // the process's: neither closed nor synced
	case !regular(file):
		f.out = struct{ io.WriteCloser }{file} // devices and pipes refuse to be synced
	}
	return f, nil
}

func (f *files) openDead(path string) error {
	if path == "" {
		return nil
	}
	dead, err := sinks.NewFile(sinks.FileConfig[letter]{
		Path:   path,
		Encode: sinks.LetterEncoder(sinks.EncodeText[[]byte]),
		Sync:   sinks.SyncInterval,
	})
	if err == nil {
		f.dead = dead
	}
	return err
}

// abandon closes what was opened for the pipeline, which there will not be.
func (f *files) abandon(out *os.File) error {
	var errs []error
	if out != nil {
		errs = append(errs, out.Close())
	}
	if f.dead != nil {
		errs = append(errs, stage.CloseSink(f.dead))
	}
	return errors.Join(errs...)
}

// close closes the input. The pipeline closes the others.
func (f *files) close() {
	if f.own != nil {
		f.own.Close()
	}
}

// sameFileError are two flags that name the same regular file.
type sameFileError struct{ a, b string }

func (e *sameFileError) Error() string { return fmt.Sprintf("%s and %s are the same file", e.a, e.b) }

// distinct returns an error if two ends are the same regular file.
func (f *files) distinct(dead string) error {
	in, _ := f.in.(*os.File)
	out, _ := f.out.(*os.File)
	ends := []struct {
		flag string
		info os.FileInfo
	}{{"-in", stat(in)}, {"-out", stat(out)}, {"-dead", nil}}
	if dead != "" {
		ends[2].info, _ = os.Stat(dead)
	}
	for i, a := range ends {
		for _, b := range ends[i+1:] {
			if a.info != nil && b.info != nil && b.info.Mode().IsRegular() && os.SameFile(a.info, b.info) {
				return &sameFileError{a.flag, b.flag}
			}
		}
	}
	return nil
}

func stat(f *os.File) os.FileInfo {
	if f == nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	return info
}

func regular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

func empty(f *os.File) error {
	if !regular(f) {
		return nil
	}
	return f.Truncate(0)
}

// output is a writer named after its file.
type output[T any] struct {
	*sinks.Writer[T]
	name string
}

func newOutput[T any](f *files, encode sinks.Encoder[T]) (output[T], error) {
	w, err := sinks.NewWriter(f.out, encode)
	return output[T]{w, f.name}, err
}

// Name is used in errors.
func (o output[T]) Name() string { return o.name }
