package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/penstock-go/penstock/cmd/demo/internal/follow"
)

// input is one of the streams that are read.
type input struct {
	name string
	open func() (io.ReadCloser, error)
	info os.FileInfo // nil: not known
}

// inputs is a flag of files, patterns, and - for the standard input: repeated,
// separated by commas, or both.
type inputs struct {
	words  []string
	single bool // for a command that takes one file, whose name may be anything
}

func (in *inputs) String() string { return strings.Join(in.words, ",") }

// Set implements [flag.Value].
func (in *inputs) Set(s string) error {
	if _, err := os.Lstat(s); err == nil || in.single {
		in.words = append(in.words, s) // also if there is a comma in the name
		return nil
	}
	for word := range strings.SplitSeq(s, ",") {
		if word == "" {
			return fmt.Errorf("%q has an empty name in it", s)
		}
		if _, err := filepath.Match(word, ""); err != nil {
			return fmt.Errorf("%q: %w", word, err)
		}
		in.words = append(in.words, word)
	}
	return nil
}

// findInputs makes sure that the inputs are there, unless the source does.
func (f *files) findInputs(p process, h *haul) error {
	if h.finding {
		return nil
	}
	for _, word := range h.in.words {
		paths := []string{word}
		if !h.in.single && !follow.Literal(word) {
			if paths, _ = filepath.Glob(word); len(paths) == 0 {
				return fmt.Errorf("no file is called %s", word)
			}
		}
		for _, path := range paths {
			in := input{name: path}
			if path == console {
				stdin, _ := p.stdin.(*os.File)
				in.name, in.info = "the standard input", stat(stdin)
				in.open = func() (io.ReadCloser, error) { return io.NopCloser(p.stdin), nil }
			} else {
				info, err := os.Stat(path)
				if err != nil {
					return err
				}
				in.info = info
				in.open = func() (io.ReadCloser, error) { return os.Open(path) }
			}
			f.inputs = append(f.inputs, in)
		}
	}
	return nil
}
