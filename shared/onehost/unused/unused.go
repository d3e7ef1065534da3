// Package unused gives the system back memory that a program at rest does not need. It does not know when the program is at rest.
package unused

import "runtime/debug"

// GiveBack collects garbage and gives the system back what is free then, on Linux also what SQLite has freed.
func GiveBack() error {
	debug.FreeOSMemory()
	return giveBackFreed()
}

// GiveBackProgram gives back the pages of the program's own file, on Linux: they stay in the system's cache of files, as long as there is
// room, and each page comes back when it is used, within microseconds. It wakes no other thread.
func GiveBackProgram() error { return giveBackProgram() }
