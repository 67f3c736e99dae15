package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/penstock-go/penstock/cmd/demo/internal/checkpoint"
	"github.com/penstock-go/penstock/cmd/demo/internal/follow"
)

// keeper keeps a checkpoint and the output in step.
type keeper struct {
	path string
	say  func(error)
	at   checkpoint.Checkpoint
	out  *os.File // nil: the output is not a regular file
}

// useKeeper makes the haul begin where the checkpoint says.
func (s *shipment) useKeeper() error {
	out := s.out
	if out != console && out != nowhere {
		var err error
		if out, err = filepath.Abs(out); err != nil {
			return err
		}
	}
	s.keeper = &keeper{path: s.keep, say: s.say, at: checkpoint.Checkpoint{Output: checkpoint.Output{Path: out}}}
	s.openFlags, s.begin = os.O_RDWR|os.O_APPEND, s.keeper.begin
	return nil
}

func (k *keeper) states() []follow.State { return k.at.Inputs }

// begin reads the checkpoint, brings the output back to where it was then, and
// makes a first checkpoint if there was none, so that what is appended from now
// on can be told from what was there.
func (k *keeper) begin(out *os.File) error {
	last, err := checkpoint.Load(k.path)
	if err != nil {
		return err
	}
	if last != nil && last.Output.Path != k.at.Output.Path {
		return fmt.Errorf("%s is of a shipment to %s and not to %s", k.path, last.Output.Path, k.at.Output.Path)
	}
	if out != nil && regular(out) {
		k.out = out
		if err := k.restore(last); err != nil {
			return err
		}
	}
	if last != nil {
		k.at.Inputs = last.Inputs
	}
	return k.save(k.at.Inputs)
}

// restore cuts off what the output got after the last checkpoint. If it is not
// the file of then, a line without an end gets one.
func (k *keeper) restore(last *checkpoint.Checkpoint) error {
	info, err := k.out.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if last != nil {
		was := last.Output
		device, inode := follow.Numbers(info)
		same := was.Inode == inode && was.Device == device
		switch {
		case same && size >= was.Size:
			return errors.Join(k.out.Truncate(was.Size), k.out.Sync())
		case same:
			k.say(fmt.Errorf("%s has %d bytes and had %d at the checkpoint: it was cut since", was.Path, size, was.Size))
		default:
			k.say(fmt.Errorf("%s is not the file that it was at the checkpoint: lines that came after that may be in both", was.Path))
		}
	}
	if size == 0 {
		return nil
	}
	end := make([]byte, 1)
	if _, err := k.out.ReadAt(end, size-1); err != nil || end[0] == '\n' {
		return err
	}
	_, err = k.out.Write([]byte{'\n'})
	return err
}

// save notes that everything before states is delivered and durable.
func (k *keeper) save(states []follow.State) error {
	k.at.Inputs = states
	if k.out != nil {
		info, err := k.out.Stat()
		if err != nil {
			return err
		}
		k.at.Output.Size = info.Size()
		k.at.Output.Device, k.at.Output.Inode = follow.Numbers(info)
	}
	return k.at.Save(k.path)
}
