package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/follow"
	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
	parser "github.com/penstock-go/penstock/cmd/demo/internal/parse"
	"github.com/penstock-go/penstock/sinks"
)

const shipAbout = `Usage: demo ship -in FILE[,FILE...] -out FILE [flags]

Sends lines through a pipeline. From a single input they come out byte for byte:
line ends of any kind, a last line without one, and bytes that are not text.
Several inputs, also given as patterns in quotes, are read one after another, and
a last line without a line feed gets one. A line longer than -max-line is told of
and travels in pieces. An existing output file is overwritten.

With -follow it goes on at the end of the files until a signal comes. It looks at
them every -poll (it polls, and uses no inotify). Files may be renamed and made
anew, or copied and cut to nothing, and need not be there yet; patterns find new
files. The old file is read to its end before the new one.

With -checkpoint it notes in that file, every -checkpoint-every, how far the
inputs were delivered, and goes on there the next time, after whatever end. The
output file is appended to, and synced before each note. Lines that came after
the last one are cut off again at the start, so that a file gets each line once;
another output gets again what it got after the last note. A line that has no
end yet is left for the next time.

With -parse, lines of JSON or logfmt become records, which are written as -format
says. A line that does not parse is a record with a message only, and counted.

With -dead, lines that the output refuses are appended to that file as dead
letters, with the reason, and the reading goes on; demo replay sends them again.
Without it the first refusal ends the shipment.

At the end a verdict, and the ledger if -stats asks for it, go to the standard
error. SIGINT and SIGTERM stop the reading; what was read is delivered, within
-timeout, and then the verdict given. A second signal quits at once.

Exit codes: 0 everything read was delivered (or is a dead letter, or was dropped,
as -overflow allows), 1 runtime error, 2 wrong usage, 3 events were lost, 130
second signal.

Flags:
`

// shipment is what ship has beside a haul.
type shipment struct {
	*haul
	follow  bool
	poll    time.Duration
	maxLine int
	parse   choice
	format  choice
	keep    string // the checkpoint's file
	every   time.Duration

	say    func(error)
	keeper *keeper // nil: there is no checkpoint
}

// The choices of -parse, beside parse's own, and of -format.
const (
	parseNone     = "none"
	formatJSON    = "json"
	formatText    = "text"
	formatCLEF    = "clef"
	formatConsole = "console"
)

func newShipment(p process) (*shipment, *flag.FlagSet) {
	h, fs := newHaul("ship")
	s := &shipment{
		haul:   h,
		parse:  choice{parseNone, []string{parseNone, string(parser.JSON), string(parser.Logfmt), string(parser.Auto)}},
		format: choice{formatJSON, []string{formatJSON, formatText, formatCLEF, formatConsole}},
		say:    func(err error) { fmt.Fprintf(p.stderr, "%s: %v\n", fs.Name(), err) },
	}
	fs.Var(&h.overflow, "overflow", "`policy` for a full queue: wait stops reading, drop-oldest and drop-newest lose lines")
	fs.BoolVar(&s.follow, "follow", false, "go on at the end of the files, also when they are rotated")
	fs.DurationVar(&s.poll, "poll", 250*time.Millisecond, "with -follow: `time` between two looks at files in which nothing happens")
	fs.IntVar(&s.maxLine, "max-line", frame.DefaultMax, "greatest number of `bytes` in a line; -queue-bytes must be four times as much")
	fs.Var(&s.parse, "parse", "`format` of the lines: none, json, logfmt, or auto for either")
	fs.Var(&s.format, "format", "with -parse: `format` to write: json, text, clef or console")
	fs.StringVar(&s.keep, "checkpoint", "", "`file` that says how far the inputs were delivered (default: there is none)")
	fs.DurationVar(&s.every, "checkpoint-every", time.Second, "greatest `time` between two checkpoints while lines come")
	return s, fs
}

// check is called after the flags are parsed.
func (s *shipment) check() error {
	if err := s.haul.check(); err != nil {
		return err
	}
	s.finding = s.follow || s.keep != ""
	switch {
	case s.poll <= 0:
		return fmt.Errorf("-poll is %v, want more than 0", s.poll)
	case s.every <= 0:
		return fmt.Errorf("-checkpoint-every is %v, want more than 0", s.every)
	case s.maxLine < 1 || s.maxLine > frame.GreatestMax:
		return fmt.Errorf("-max-line is %d, want 1 to %d", s.maxLine, frame.GreatestMax)
	case s.queueBytes/4 < int64(s.maxLine):
		return fmt.Errorf("-queue-bytes is %d, want %d or more, four times -max-line", s.queueBytes, 4*s.maxLine)
	}
	if !s.finding {
		return nil
	}
	for i, word := range s.in.words {
		if word == console {
			return errors.New("-follow and -checkpoint are for files, and not for the standard input")
		}
		path, err := filepath.Abs(word)
		if err != nil {
			return err
		}
		s.in.words[i] = path
	}
	if s.keep != "" {
		return s.useKeeper()
	}
	return nil
}

func shipCommand(p process, args []string) int {
	s, fs := newShipment(p)
	return s.main(p, fs, shipAbout, args, s.check, func(ctx context.Context, ends *files) (*verdict, error) {
		if s.parse.word != parseNone {
			return s.carryRecords(ctx, ends)
		}
		return carry(ctx, s.haul, ends, cargo[[]byte]{
			sizeOf: func(event []byte) int { return len(event) },
			encode: func(dst, event []byte) ([]byte, error) { return append(dst, event...), nil },
			refuse: sinks.DeadLetters[[]byte],
			source: func(f *files, to outlet[[]byte]) source {
				return s.source(f, false, to.flush, func(line []byte, _ bool) { to.send(line) })
			},
		})
	})
}

// source returns what reads the inputs. With finish every line gets an end.
func (s *shipment) source(f *files, finish bool, flush func() error, emit frame.Emit) source {
	if !s.finding {
		return newFeed(f.inputs, s.maxLine, finish, s.say, emit)
	}
	return newPursuit(s, follow.Config{Joined: !finish, Skip: f.isOutput}, flush, emit)
}
