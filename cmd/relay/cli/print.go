package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// What the program writes passes through one filter, which program.run puts before both outputs: nothing that a customer, an
// operator or Twilio wrote reaches a terminal as more than letters. Newlines and tabs pass, for they are the layout; in a
// value printf writes them as escapes, so that no value makes up a line or a cell of its own.

// Printf writes a line or a row. The format is ours, the arguments are others': a newline or a tab in one is written as an
// escape.
func Printf(out io.Writer, format string, arguments ...any) {
	for i, argument := range arguments {
		switch argument.(type) {
		case int, int64, float64, bool:
		default:
			arguments[i] = value{argument}
		}
	}
	fmt.Fprintf(out, format, arguments...)
}

// ErrorText words an error, of which each further line is indented: what it quotes makes up no line that looks like the program's.
func ErrorText(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = inert.Line(line)
		if i > 0 && !strings.HasPrefix(line, "  ") {
			lines[i] = "  " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// value is an argument that keeps to its line.
type value struct{ any }

// Format formats the value as it would be by itself, and escapes that.
func (v value) Format(state fmt.State, verb rune) {
	_, _ = io.WriteString(state, inert.Line(fmt.Sprintf(fmt.FormatString(state, verb), v.any)))
}

// WriteLogged writes a line of the audit log as it is there, byte for byte, so that it can be verified elsewhere; on a terminal it
// is filtered as everything is.
func WriteLogged(out io.Writer, text []byte) error {
	if !IsTerminal(out) {
		out = Own(out)
	}
	_, err := out.Write(append(bytes.Clone(text), '\n'))
	return err
}

// Own returns where the program's own colours and cursor movements go: behind the filter.
func Own(out io.Writer) io.Writer {
	if filtered, ok := out.(*inert.Writer); ok {
		return filtered.Raw()
	}
	return out
}

// IsTerminal reports whether a person looks at what is written, as far as that can be told.
func IsTerminal(out io.Writer) bool {
	file, ok := Own(out).(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
