//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package sqlite

import "os"

// flock does nothing on systems without flock: SQLite's own locks still protect the file, but two relays on one file are not
// noticed.
func flock(*os.File) error { return nil }
