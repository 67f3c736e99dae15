package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const about = `Usage: bench [flags]

Measures penstock beside other libraries, in turns, and prints medians and
ratios. Without flags it takes about half an hour, and wants the machine for
itself; -quick takes about two minutes.

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
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.quick, "quick", false, "short runs, 3 repetitions")
	flags.IntVar(&o.reps, "reps", 0, "`number` of repetitions (default 9, with -quick 3)")
	flags.StringVar(&only, "only", "", "measure only groups whose names match this `regexp`")
	flags.StringVar(&o.json, "json", "", "write every trial to this `file`")
	flags.StringVar(&o.svg, "svg", "", "draw a picture into this `file`")
	flags.StringVar(&o.md, "md", "", "write the tables into this `file`, in place of all that is between its marks if it has any text")
	flags.StringVar(&dir, "dir", os.TempDir(), "`directory` on a disk, for files that are removed again")
	flags.Uint64Var(&o.seed, "seed", 1, "`number` that determines the order of the subjects")
	err := flags.Parse(args)
	o.scale = fullScale()
	if o.quick {
		o.scale = quickScale()
	}
	all := groups(env{o.scale, places(dir)})
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(p.stdout, about, wrap(names(all), 60))
		flags.SetOutput(p.stdout)
		flags.PrintDefaults()
		return nil, exitOK, false
	}
	if err == nil {
		err = o.check(flags, only, all)
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "bench: %v\nSee bench -h.\n", err)
		return nil, exitUsage, false
	}
	return o, exitOK, true
}

func (o *options) check(flags *flag.FlagSet, only string, all []group) error {
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == "reps" })
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
	if err := o.writable(); err != nil {
		return err
	}
	o.groups = slices.DeleteFunc(all, func(g group) bool { return !pattern.MatchString(g.name) })
	if len(o.groups) == 0 {
		return fmt.Errorf("-only %q matches none of the groups", only)
	}
	return nil
}

// writable finds out before anything is measured what could not be written.
func (o *options) writable() error {
	for _, f := range []struct{ flag, path string }{{"-json", o.json}, {"-svg", o.svg}, {"-md", o.md}} {
		if f.path == "" {
			continue
		}
		if info, err := os.Stat(filepath.Dir(f.path)); err != nil || !info.IsDir() {
			return fmt.Errorf("%s: there is no directory for %q", f.flag, f.path)
		}
	}
	if o.md == "" {
		return nil
	}
	if _, err := within(o.md, ""); err != nil {
		return fmt.Errorf("-md: %w", err)
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
