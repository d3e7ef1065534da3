package audit

import (
	"strings"
	"unicode"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// inertCell keeps a spreadsheet from taking a cell, or a part of one, for a formula: the name and the words of an operator are
// anyone's choice. A sign that a formula begins with gets an apostrophe before it. It counts at the beginning, also behind
// blanks and quotes, and behind what some spreadsheets read as the end of a cell, a semicolon among them, whatever the file's
// own separator. Newlines and control characters are written as escapes.
func inertCell(cell string) string {
	var out strings.Builder
	begins := true
	for _, r := range inert.Line(cell) {
		switch {
		case begins && strings.ContainsRune(formulaSigns, r):
			out.WriteByte('\'')
			begins = false
		case strings.ContainsRune(cellEnds, r):
			begins = true
		case !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && r != '"':
			begins = false
		}
		out.WriteRune(r)
	}
	return out.String()
}

const (
	// formulaSigns begin a formula: those that spreadsheets document, and their full-width forms.
	formulaSigns = "=+-@\uff1d\uff0b\uff0d\uff20\u2212"
	cellEnds     = ",;|\t"
)
