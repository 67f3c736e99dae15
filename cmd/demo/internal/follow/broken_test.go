package follow

import (
	"errors"
	"os"
	"testing"
)

// failing is a disk of which one call fails.
type failing struct {
	osDisk
	call string
}

var errDisk = errors.New("the disk is broken")

func (d failing) open(path string) (handle, error) {
	if d.call == "open" {
		return nil, errDisk
	}
	h, err := d.osDisk.open(path)
	return failingHandle{h, d.call}, err
}

func (d failing) stat(path string) (os.FileInfo, error) {
	if d.call == "stat" {
		return nil, errDisk
	}
	return d.osDisk.stat(path)
}

func (d failing) lstat(path string) (os.FileInfo, error) {
	if d.call == "lstat" {
		return nil, errDisk
	}
	return d.osDisk.lstat(path)
}

func (d failing) names(dir string) ([]string, error) {
	if d.call == "names" {
		return nil, errDisk
	}
	return d.osDisk.names(dir)
}

type failingHandle struct {
	handle
	call string
}

func (h failingHandle) ReadAt(p []byte, at int64) (int, error) {
	if h.call == "read" {
		return 0, errDisk
	}
	return h.handle.ReadAt(p, at)
}

func (h failingHandle) Stat() (os.FileInfo, error) {
	if h.call == "handle" {
		return nil, errDisk
	}
	return h.handle.Stat()
}

// TestABrokenDisk: what fails is told once and tried again, and nothing is
// missing when it works.
func TestABrokenDisk(t *testing.T) {
	for _, call := range []string{"open", "stat", "lstat", "names", "read", "handle"} {
		t.Run(call, func(t *testing.T) {
			w := newWorld(t, "app.log")
			w.write("app.log.1", "before\n")
			w.write("app.log", "1\n")
			w.set.disk = failing{call: call}
			w.expect("")
			w.expect("")
			w.saying(errDisk.Error())
			w.set.disk = osDisk{}
			w.restart()
			w.expect("1\n")
			w.saying("")
			states := w.set.States()
			w.write("app.log", "2\n")
			w.rotate(true)
			w.kill(states)
			w.set.disk = failing{call: call}
			w.expect("")
			w.saying(errDisk.Error())
			w.set.disk = osDisk{}
			w.expect("2\n")
			w.saying("")
		})
	}
}
