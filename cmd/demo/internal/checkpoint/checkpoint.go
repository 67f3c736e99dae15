// Package checkpoint keeps, in a file, how far inputs have been read and how
// long the output was then.
package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/penstock-go/penstock/cmd/demo/internal/follow"
)

// Checkpoint is what was delivered at one instant.
type Checkpoint struct {
	Output Output         `json:"output"`
	Inputs []follow.State `json:"inputs"`
}

// Output is where the lines went. Device, Inode and Size are of a regular file;
// they are 0 if it is none, or if they are not known on this system.
type Output struct {
	Path   string `json:"path"`
	Device uint64 `json:"device,omitempty"`
	Inode  uint64 `json:"inode,omitempty"`
	Size   int64  `json:"size,omitempty"`
}

const version = 1

// sealed is a checkpoint as it is in the file.
type sealed struct {
	Version    int             `json:"v"`
	CRC        uint32          `json:"crc32c"` // of Checkpoint, as it stands there
	Checkpoint json.RawMessage `json:"checkpoint"`
}

// DamagedError is a file that is not a whole checkpoint of this version.
type DamagedError struct {
	Path string
	Err  error
}

// Error names the file and what is wrong with it.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is not a checkpoint, or a damaged one: %v", e.Path, e.Err)
}

// Unwrap returns what is wrong with it.
func (e *DamagedError) Unwrap() error { return e.Err }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Load returns the checkpoint in the file at path, nil if there is no file. A
// file that is not a checkpoint is a [*DamagedError], never nothing: to begin
// again is for its owner to decide.
func Load(path string) (*Checkpoint, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := unseal(data)
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	return c, nil
}

func unseal(data []byte) (*Checkpoint, error) {
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if s.Version != version {
		return nil, fmt.Errorf("version %d, want %d", s.Version, version)
	}
	if sum := crc32.Checksum(s.Checkpoint, castagnoli); sum != s.CRC {
		return nil, fmt.Errorf("checksum %d, want %d", sum, s.CRC)
	}
	c := new(Checkpoint)
	return c, json.Unmarshal(s.Checkpoint, c)
}

// Save replaces the file at path by c. A crash at any moment leaves the old
// file or the new one, whole; the new one is durable when Save returns nil.
func (c *Checkpoint) Save(path string) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	data, err := json.Marshal(sealed{version, crc32.Checksum(body, castagnoli), body})
	if err != nil {
		return err
	}
	if err := write(path+".tmp", append(data, '\n')); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func write(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes a new name durable where folders can be synced.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = dir.Sync() // not every system has it, and then it needs none
	return dir.Close()
}
