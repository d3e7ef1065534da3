//go:build !unix

package cli

import "io/fs"

// othersMayRead reports nothing: the mode does not say it here.
func othersMayRead(fs.FileInfo) bool { return false }
