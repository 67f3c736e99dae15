//go:build unix

package follow

import (
	"os"
	"syscall"
)

// Numbers returns what tells a file from all others that exist.
func Numbers(info os.FileInfo) (device, inode uint64) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), uint64(st.Ino)
	}
	return 0, 0
}

// deleted reports whether a file has no name any more.
func deleted(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}
