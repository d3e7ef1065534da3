//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package sqlite

import "io/fs"

// identityOf uses the path as the file's identity.
func identityOf(path string, _ fs.FileInfo) identity { return identity{inode: path} }
