//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package sqlite

import "os"

// flock does nothing where there is no flock: SQLite's own locks still keep the file whole, only the mistake of
// running two relays on one file is not caught.
func flock(*os.File) error { return nil }
