//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package sqlite

import (
	"errors"
	"os"
)

// flock refuses: without a lock, two relays on one file would not notice each other.
func flock(*os.File) error { return errors.ErrUnsupported }
