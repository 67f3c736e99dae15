package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// place is where files are written: "" is nowhere.
type place struct{ name, dir string }

// places are nowhere, memory if there is such a file system, and a disk.
func places(disk string) []place {
	p := []place{{"null", ""}}
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		p = append(p, place{"tmpfs file", shm})
	}
	return append(p, place{"disk file", disk})
}

// open gives out a file to write to, in a directory of its own, which it returns.
// remove undoes it.
func (p place) open(out *output) (dir string, err error) {
	if p.dir == "" {
		return "", nil
	}
	if dir, err = os.MkdirTemp(p.dir, "penstock-bench-"); err != nil {
		return "", err
	}
	if out.file, err = os.Create(filepath.Join(dir, "lines.log")); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

func (p place) remove(out *output, dir string) error {
	if p.dir == "" {
		return nil
	}
	return errors.Join(out.file.Close(), os.RemoveAll(dir))
}

func endGroup(e env) group {
	g := group{
		name:  "end",
		title: fmt.Sprintf("End to end: flat out for %v, until close has returned, queue %d", e.end, e.queue),
		note: fmt.Sprintf("Lines of %d bytes that are ready: penstock and otel write a batch by one call, the channel and the diodes a line, "+
			"phuslu by writev, zap and bufio 256 KiB. What is in a file is counted. Nobody syncs. Times are for each event that arrived, M/s are millions that arrived in a second. At most %d events.", lineBytes, e.endLimit),
		columns: []column{{"ns/event", nanoseconds, false}, {"M/s", fraction, true}, {"CPU ns", nanoseconds, false}},
	}
	kinds := []kind{channelBlocks, penstockWaits, zerologDiode, phusluBlocks, zapBuffer, mutexBuffer, otelBatch}
	for _, where := range e.places {
		for _, n := range e.callers {
			g.bouts = append(g.bouts, bout{where.name + ", " + plural(n, "producer"), channelBlocks.name, e.end * 2,
				subjects(kinds, func(k kind) (trial, error) { return toTheEnd(k, e, n, where) })})
		}
	}
	return g
}

// toTheEnd measures until everything has arrived. What arrived in files is what
// is in them.
func toTheEnd(k kind, e env, producers int, where place) (t trial, err error) {
	s := setup{out: newOutput(), queue: e.queue}
	if s.dir, err = where.open(s.out); err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, where.remove(s.out, s.dir)) }()
	r, err := enter(k, s)
	if err != nil {
		return t, err
	}
	begun := time.Now()
	d := drive(r.peer, work{producers: producers, duration: e.end, limit: e.endLimit / producers})
	t, err = r.leave(d.offered(), d.refused)
	took := time.Since(begun)
	cpu := r.spent()
	if s.out.file != nil {
		var lineErr error
		t.Delivered, lineErr = countLines(s.dir)
		err = errors.Join(err, lineErr)
	}
	arrived := float64(max(t.Delivered, 1))
	t.Values = figures{float64(took) / arrived, float64(t.Delivered) / float64(took.Microseconds()), cpu / arrived}
	return t, err
}

// countLines returns the number of lines in all files of a directory, and an
// error if one does not end with its last line.
func countLines(dir string) (n uint64, err error) {
	entries, err := os.ReadDir(dir)
	buf := make([]byte, 1<<20)
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue // phuslu's link to its newest file
		}
		file, openErr := os.Open(filepath.Join(dir, entry.Name()))
		if openErr != nil {
			return n, openErr
		}
		last := byte('\n')
		for {
			k, readErr := file.Read(buf)
			if k > 0 {
				n += uint64(bytes.Count(buf[:k], []byte{'\n'}))
				last = buf[k-1]
			}
			if readErr == io.EOF {
				break
			}
			if readErr != nil {
				err = errors.Join(err, readErr)
				break
			}
		}
		if last != '\n' {
			err = errors.Join(err, fmt.Errorf("%s: the last line is cut off", entry.Name()))
		}
		err = errors.Join(err, file.Close())
	}
	return n, err
}
