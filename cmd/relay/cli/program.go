// Package cli is what the verbs of relay share: the program that they are part of, errors and exit codes, tables, colour and progress,
// flags and how they are read, and opening the relay. It has no verb, and imports none.
package cli

import (
	"io"
	"log/slog"
)

// Program is the command line with its outputs and its environment.
type Program struct {
	Stdout, Stderr io.Writer
	// Lookup finds environment variables.
	Lookup func(name string) (string, bool)
	// Environ lists all of them as NAME=value; nil if nobody needs to be warned of wrong names.
	Environ func() []string
	// Config is the file of settings; Lookup finds in it what the environment does not have.
	Config *ConfigFile
}

// Logger writes errors to the error output.
func (p Program) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}
