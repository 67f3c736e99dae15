package main

import (
	"errors"
	"io"
	"os"

	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

var errSameFile = errors.New("-in and -out are the same file")

// files are the two ends of a shipment.
type files struct {
	in   io.Reader
	name string // of the output
	sink stage.Sink[[]byte]

	own *os.File // the input, if it was opened here
}

// openFiles opens both ends, and empties an output file once it is sure that
// it is not the input.
func openFiles(p process, in, out string) (_ *files, err error) {
	f := &files{in: p.stdin, name: "the standard output"}
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
	w := p.stdout
	if out == "-" {
		if same(f.in, w) {
			return nil, errSameFile
		}
		// The stream is the process's: it is neither closed nor synced.
		return f, f.makeSink(struct{ io.Writer }{w})
	}
	f.name = out
	file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if same(f.in, file) {
		err = errSameFile
	} else {
		err = empty(file)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if !regular(file) {
		// Devices and pipes refuse to be synced.
		return f, f.makeSink(struct{ io.WriteCloser }{file})
	}
	return f, f.makeSink(file)
}

func (f *files) makeSink(w io.Writer) error {
	sink, err := sinks.NewWriter(w, func(dst, event []byte) ([]byte, error) { return append(dst, event...), nil })
	f.sink = output{sink, f.name}
	return err
}

// close closes the input. The pipeline closes the output.
func (f *files) close() {
	if f.own != nil {
		f.own.Close()
	}
}

// output is a writer named after its file.
type output struct {
	*sinks.Writer[[]byte]
	name string
}

// Name is used in errors.
func (o output) Name() string { return o.name }

// same reports whether both are the same regular file.
func same(r io.Reader, w io.Writer) bool {
	in, ok := r.(*os.File)
	out, ok2 := w.(*os.File)
	if !ok || !ok2 || !regular(out) {
		return false
	}
	a, err := in.Stat()
	b, err2 := out.Stat()
	return err == nil && err2 == nil && os.SameFile(a, b)
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
