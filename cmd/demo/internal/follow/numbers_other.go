//go:build !unix

package follow

import "os"

// Numbers returns zeros: files are known by their content alone.
func Numbers(os.FileInfo) (device, inode uint64) { return 0, 0 }

// deleted is not known.
func deleted(os.FileInfo) bool { return false }
