package follow

import "os"

// steppedDisk lets something happen before each call.
type steppedDisk struct {
	osDisk
	step func()
}

func (d *steppedDisk) open(path string) (handle, error) {
	d.step()
	h, err := d.osDisk.open(path)
	if err != nil {
		return nil, err
	}
	return steppedHandle{h, d}, nil
}

func (d *steppedDisk) stat(path string) (os.FileInfo, error) {
	d.step()
	return d.osDisk.stat(path)
}

func (d *steppedDisk) lstat(path string) (os.FileInfo, error) {
	d.step()
	return d.osDisk.lstat(path)
}

func (d *steppedDisk) names(dir string) ([]string, error) {
	d.step()
	return d.osDisk.names(dir)
}

type steppedHandle struct {
	handle
	disk *steppedDisk
}

func (h steppedHandle) ReadAt(p []byte, at int64) (int, error) {
	h.disk.step()
	return h.handle.ReadAt(p, at)
}

func (h steppedHandle) Stat() (os.FileInfo, error) {
	h.disk.step()
	return h.handle.Stat()
}
