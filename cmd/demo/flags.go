package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// newFlags returns an empty flag set that prints nothing by itself.
func newFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parse parses args and then calls check. If the command is not to go on it
// returns false and the exit code.
func parse(p process, fs *flag.FlagSet, about string, args []string, check func() error) (code int, ok bool) {
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(p.stdout, about)
		fs.SetOutput(p.stdout)
		fs.PrintDefaults()
		return exitOK, false
	}
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err == nil {
		err = check()
	}
	if err != nil {
		return usageError(p, fs, err), false
	}
	return exitOK, true
}

func usageError(p process, fs *flag.FlagSet, err error) int {
	fmt.Fprintf(p.stderr, "%s: %v\nSee %s -h.\n", fs.Name(), err, fs.Name())
	return exitUsage
}

// intList is a flag of comma-separated positive numbers.
type intList []int

func (l *intList) String() string {
	var s []string
	for _, n := range *l {
		s = append(s, strconv.Itoa(n))
	}
	return strings.Join(s, ",")
}

// Set implements [flag.Value].
func (l *intList) Set(s string) error {
	*l = nil
	for field := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > maxProducers {
			return fmt.Errorf("%q is not a number from 1 to %d", field, maxProducers)
		}
		*l = append(*l, n)
	}
	return nil
}

// choice is a flag with a few permitted words.
type choice struct {
	word  string
	among []string
}

func (c *choice) String() string { return c.word }

// Set implements [flag.Value].
func (c *choice) Set(s string) error {
	for _, w := range c.among {
		if s == w {
			c.word = s
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(c.among, ", "))
}
