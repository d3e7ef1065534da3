package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// Everything the program writes passes through one filter, which program.run puts in front of both outputs as a [Screen]: what a
// customer, an operator or Twilio wrote cannot control a terminal. Newlines and tabs pass, because the layout needs them; in a
// value, Printf writes them as escapes, so that no value can look like a line or a cell.

// Printf writes a line or a row. The arguments may come from others: a newline or a tab in one is written as an escape.
func Printf(out io.Writer, format string, arguments ...any) {
	fmt.Fprintf(out, format, valuesOf(arguments)...)
}

// valuesOf has each argument keep to its line.
func valuesOf(arguments []any) []any {
	for i, argument := range arguments {
		switch argument.(type) {
		case int, int64, float64, bool:
		default:
			arguments[i] = value{argument}
		}
	}
	return arguments
}

// errorText returns an error's text and indents each further line, so that nothing it quotes looks like a line of the program.
func errorText(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = inert.Line(line)
		if i > 0 && !strings.HasPrefix(line, "  ") {
			lines[i] = "  " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// value is an argument that stays on its line.
type value struct{ any }

// Format formats the value as usual, and escapes the result.
func (v value) Format(state fmt.State, verb rune) {
	_, _ = io.WriteString(state, inert.Line(fmt.Sprintf(fmt.FormatString(state, verb), v.any)))
}

// WriteLogged writes a line of the audit log byte for byte, so that it can be verified elsewhere. On a terminal it is filtered like
// everything else.
func WriteLogged(out io.Writer, text []byte) error {
	if !isTerminal(out) {
		out = Own(out)
	}
	_, err := out.Write(append(bytes.Clone(text), '\n'))
	return err
}
