package cli

import (
	"io"
	"os"

	"github.com/spf13/pflag"
)

// AddOutput makes the flag -o of a command that exports something.
func AddOutput(flags *pflag.FlagSet, path *string) {
	flags.StringVarP(path, "output", "o", "", "write to this file instead of the standard output")
}

// Output opens where an export goes: the file, which only this user may read, or the standard output if no file is named.
func (p Program) Output(path string) (out io.Writer, closeOut func() error, err error) {
	if path == "" || path == "-" {
		return p.Stdout, func() error { return nil }, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the operator names the file.
	if err != nil {
		return nil, nil, err
	}
	return file, file.Close, nil
}
