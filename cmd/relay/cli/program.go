// Package cli is what the verbs of relay share: the program that they are part of, errors and exit codes, tables, colour and progress,
// flags with what they are read as, and the opening of what they work on. It has no verb, and imports none.
package cli

import (
	"io"
)

// Program is the command line with what it touches of the world.
type Program struct {
	Stdout, Stderr io.Writer
	// Lookup finds environment variables.
	Lookup func(name string) (string, bool)
}
