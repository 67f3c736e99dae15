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
	inputs []input
	name   string    // of the output
	out    io.Writer // closed by the pipeline, if it is an io.Closer
	dead   stage.Sink[letter]

	outputs []os.FileInfo // of out and dead, nil if they are no files
}

// The words for an output that is no file. A file of such a name is ./null.
const (
	console = "-"
	nowhere = "null"
)

// openFiles opens the outputs, and empties an output file, or does instead what
// begin says, once it is sure that it is not one of the others. The inputs must
// be there.
func openFiles(p process, h *haul) (_ *files, err error) {
	f := &files{name: "the standard output", out: struct{ io.Writer }{p.stdout}} // the process's: neither closed nor synced
	if err := f.findInputs(p, h); err != nil {
		return nil, err
	}
	var file *os.File
	switch h.out {
	case console:
	case nowhere:
		f.name, f.out = "nowhere", io.Discard
	default:
		f.name = h.out
		if file, err = os.OpenFile(h.out, os.O_CREATE|h.openFlags, 0o644); err != nil {
			return nil, err
		}
		f.out = file
	}
	err = f.openDead(h.dead)
	if err == nil {
		err = f.distinct(p, h)
	}
	if err == nil {
		err = h.begin(file)
	}
	switch {
	case err != nil:
		return nil, errors.Join(err, f.abandon(file))
	case file == nil:
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

// sameFileError are two flags that name the same regular file.
type sameFileError struct{ a, b string }

func (e *sameFileError) Error() string { return fmt.Sprintf("%s and %s are the same file", e.a, e.b) }

// distinct returns an error if two ends are the same regular file.
func (f *files) distinct(p process, h *haul) error {
	out, _ := f.out.(*os.File)
	if h.out == console {
		out, _ = p.stdout.(*os.File)
	}
	type end struct {
		flag string
		info os.FileInfo
	}
	ends := []end{{"-out", stat(out)}, {"-dead", nil}}
	if h.dead != "" {
		ends[1].info, _ = os.Stat(h.dead)
	}
	for _, in := range f.inputs {
		ends = append(ends, end{"-in", in.info})
	}
	f.outputs = []os.FileInfo{ends[0].info, ends[1].info}
	for i, a := range ends[:2] {
		for _, b := range ends[i+1:] {
			if a.info != nil && b.info != nil && b.info.Mode().IsRegular() && os.SameFile(a.info, b.info) {
				return &sameFileError{b.flag, a.flag}
			}
		}
	}
	return nil
}

// isOutput reports whether info is of a file that is written to.
func (f *files) isOutput(info os.FileInfo) bool {
	for _, out := range f.outputs {
		if out != nil && os.SameFile(out, info) {
			return true
		}
	}
	return false
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

// empty is how a haul begins if it is told nothing else. There may be no file.
func empty(f *os.File) error {
	if f == nil || !regular(f) {
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
