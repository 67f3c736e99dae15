package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

const about = `Usage: bench [flags]

Measures penstock beside other libraries, in turns, and prints medians and
ratios. Without flags it takes about three quarters of an hour, and wants the
machine for itself; -quick takes about a minute.

The first SIGINT or SIGTERM ends it after the run in progress, with the tables
of what was measured.

Exit codes: 0 done, 1 runtime error, 2 wrong usage, 3 events were lost that a
subject promises not to lose, or penstock counted them wrongly, 130 second signal.

Groups for -only: %s.

Flags:
`

// options are what the command line says.
type options struct {
	scale  scale
	groups []group
	quick  bool
	reps   int
	seed   uint64
	json   string
	svg    string
	md     string
}

// parse reads args. If the command is not to go on it returns false and the
// exit code.
func parse(p process, args []string) (o *options, code int, ok bool) {
	o = &options{}
	var only, dir string
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&o.quick, "quick", false, "short runs, 3 repetitions")
	fs.IntVar(&o.reps, "reps", 0, "`number` of repetitions (default 9, with -quick 3)")
	fs.StringVar(&only, "only", "", "measure only groups whose names match this `regexp`")
	fs.StringVar(&o.json, "json", "", "write every trial to this `file`")
	fs.StringVar(&o.svg, "svg", "", "draw a picture into this `file`")
	fs.StringVar(&o.md, "md", "", "write the tables into this `file`, between its marks if it has any text")
	fs.StringVar(&dir, "dir", os.TempDir(), "`directory` on a disk, for files that are removed again")
	fs.Uint64Var(&o.seed, "seed", 1, "`number` that determines the order of the subjects")
	err := fs.Parse(args)
	o.scale = fullScale()
	if o.quick {
		o.scale = quickScale()
	}
	all := groups(env{o.scale, places(dir)})
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(p.stdout, about, wrap(names(all), 60))
		fs.SetOutput(p.stdout)
		fs.PrintDefaults()
		return nil, exitOK, false
	}
	if err == nil {
		err = o.check(fs, only, all)
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "bench: %v\nSee bench -h.\n", err)
		return nil, exitUsage, false
	}
	return o, exitOK, true
}

func (o *options) check(fs *flag.FlagSet, only string, all []group) error {
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	given := false
	fs.Visit(func(f *flag.Flag) { given = given || f.Name == "reps" })
	switch {
	case !given:
		o.reps = o.scale.reps
	case o.reps < 1:
		return fmt.Errorf("-reps is %d, want 1 or more", o.reps)
	}
	pattern, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	o.groups = slices.DeleteFunc(all, func(g group) bool { return !pattern.MatchString(g.name) })
	if len(o.groups) == 0 {
		return fmt.Errorf("-only %q matches none of the groups", only)
	}
	return nil
}

func names(gs []group) string {
	var n []string
	for _, g := range gs {
		n = append(n, g.name)
	}
	return strings.Join(n, ", ")
}
