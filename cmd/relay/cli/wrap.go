package cli

import (
	"fmt"
	"io"
	"strings"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// Wrap breaks text at blanks into lines of at most width characters, or of one word that is longer. A width of 0 is no limit.
func Wrap(text string, width int) []string {
	if width <= 0 {
		return []string{text}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// Say writes a sentence. On a terminal it is broken between words where a line is full; the further lines are indented as the first is.
func Say(out io.Writer, format string, arguments ...any) {
	text := fmt.Sprintf(format, valuesOf(arguments)...)
	if widthOf(out) == 0 {
		_, _ = io.WriteString(out, text+"\n")
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		_, _ = io.WriteString(out, strings.Join(indentedLines(line, widthOf(out)), "\n")+"\n")
	}
}

// indentedLines breaks one line, and indents its further lines as far as the first is.
func indentedLines(line string, width int) []string {
	words := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(words)]
	lines := Wrap(words, max(width-len(indent), minText))
	for i := range lines {
		lines[i] = indent + lines[i]
	}
	return lines
}

// Hanging writes text that begins in the column indent: on a terminal its further lines begin there, too.
func Hanging(out io.Writer, indent int, text string) {
	width := widthOf(out)
	if width > 0 {
		width = max(width-indent, minText)
	}
	_, _ = io.WriteString(out, strings.Join(Wrap(inert.Line(text), width), "\n"+strings.Repeat(" ", indent))+"\n")
}
