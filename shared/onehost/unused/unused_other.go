//go:build !linux

package unused

// giveBackProgram does nothing: the system gives the pages to others when it needs them.
func giveBackProgram() error { return nil }

// giveBackFreed does nothing.
func giveBackFreed() error { return nil }
