//go:build unix

package cli

import "io/fs"

// othersMayRead reports whether more users than the file's owner and its group may read it.
func othersMayRead(info fs.FileInfo) bool { return info.Mode().Perm()&0o004 != 0 }
