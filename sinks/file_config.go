package sinks

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// FileConfig configures a [File]. Path and Encode are required; every other
// zero value is a default.
type FileConfig[T any] struct {
	Path    string      // of the live file; made absolute when the sink is made
	Mode    fs.FileMode // permissions of files created; default 0o644
	DirMode fs.FileMode // permissions of directories created; default 0o755
	Encode  Encoder[T]  // appends one line, with its line feed

	// MaxSize is the size in bytes that no file exceeds, unless a single line
	// does. A batch is split between two lines. 0: no rotation by size.
	MaxSize int64
	// RotateEvery is the length of the periods that time is divided into,
	// counted from 1970-01-01 00:00 UTC on the pipeline's clock: 24h is a UTC
	// day, 90m is sixteen a day. A batch of a later period than that of the
	// file's lines rolls the file, once, however many periods were missed. A
	// file found at the start belongs to the period of its last change. 0: no
	// rotation by time.
	RotateEvery time.Duration

	// MaxBackups is how many rolled files are kept. 0: all.
	MaxBackups int
	// MaxAge is how long a rolled file is kept, from its roll on. It is looked
	// at after each roll and after the first Write. 0: for ever.
	MaxAge time.Duration
	// Compress replaces rolled files by gzipped ones, with the suffix .gz.
	Compress bool

	// Sync says when written data is made durable; default SyncNever.
	Sync SyncPolicy
	// SyncEvery is, with SyncInterval, the greatest time for which written
	// data is not durable; default 1s.
	SyncEvery time.Duration
}

// SyncPolicy says when a [File] calls fsync.
type SyncPolicy uint8

// The policies.
const (
	// SyncNever leaves it to the operating system. Written data survives a
	// crash of the process, not of the machine. Flush and Close do not sync.
	SyncNever SyncPolicy = iota
	// SyncBatch syncs before Write returns: what counts as delivered is
	// durable. Events of a failed fsync are taken back out of the file and
	// fail.
	SyncBatch
	// SyncInterval syncs SyncEvery after the first write that is not durable,
	// and at Flush, a roll, and Close. A timer is armed for as long as there
	// is such data.
	SyncInterval

	numSyncPolicy
)

var syncPolicyNames = [numSyncPolicy]string{"never", "batch", "interval"}

// String returns the lower-case name.
func (p SyncPolicy) String() string {
	if p < numSyncPolicy {
		return syncPolicyNames[p]
	}
	return fmt.Sprintf("SyncPolicy(%d)", uint8(p))
}

// complete checks c and fills in the defaults.
func (c FileConfig[T]) complete() (FileConfig[T], error) {
	switch {
	case c.Path == "":
		return c, bad("FileConfig.Path", `""`, "a path")
	case os.IsPathSeparator(c.Path[len(c.Path)-1]):
		return c, bad("FileConfig.Path", c.Path, "the path of a file")
	case c.Mode&^fs.ModePerm != 0:
		return c, bad("FileConfig.Mode", fmt.Sprintf("%#o", uint32(c.Mode)), "permission bits only")
	case c.DirMode&^fs.ModePerm != 0:
		return c, bad("FileConfig.DirMode", fmt.Sprintf("%#o", uint32(c.DirMode)), "permission bits only")
	case c.Encode == nil:
		return c, bad("FileConfig.Encode", nil, "an encoder")
	case c.MaxSize < 0:
		return c, bad("FileConfig.MaxSize", c.MaxSize, "0 or more")
	case c.RotateEvery < 0:
		return c, bad("FileConfig.RotateEvery", c.RotateEvery, "0 or more")
	case c.MaxBackups < 0:
		return c, bad("FileConfig.MaxBackups", c.MaxBackups, "0 or more")
	case c.MaxAge < 0:
		return c, bad("FileConfig.MaxAge", c.MaxAge, "0 or more")
	case c.Sync >= numSyncPolicy:
		return c, bad("FileConfig.Sync", c.Sync, "SyncNever, SyncBatch or SyncInterval")
	case c.SyncEvery < 0:
		return c, bad("FileConfig.SyncEvery", c.SyncEvery, "0 or more")
	case c.SyncEvery > 0 && c.Sync != SyncInterval:
		return c, bad("FileConfig.SyncEvery", c.SyncEvery, "0 without SyncInterval")
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return c, fmt.Errorf("penstock: FileConfig.Path is %s: %w", c.Path, err)
	}
	c.Path = path
	if c.Mode == 0 {
		c.Mode = 0o644
	}
	if c.DirMode == 0 {
		c.DirMode = 0o755
	}
	if c.Sync == SyncInterval && c.SyncEvery == 0 {
		c.SyncEvery = time.Second
	}
	return c, nil
}

// rolls reports whether the sink may ever roll its file.
func (c *FileConfig[T]) rolls() bool { return c.MaxSize > 0 || c.RotateEvery > 0 }

// tends reports whether rolled files need looking after.
func (c *FileConfig[T]) tends() bool { return c.Compress || c.MaxBackups > 0 || c.MaxAge > 0 }
