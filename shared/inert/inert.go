// Package inert keeps characters that do more than show a letter away from a screen. Customers, operators and Twilio write
// what the relay shows, and a terminal obeys what is written to it: an escape sequence moves the cursor or renames the window,
// a carriage return overwrites what is there, and a bidi control reverses a line. Such a character is written as its JSON
// escape instead (\u001b), which people can read and which is valid inside a JSON string.
// It is not a check: texts go to phones as they came.
package inert

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Line returns a text that is safe in a line or in a cell of a table: each character that does not show, also a newline or a
// tab, is written as an escape.
func Line(text string) string {
	if isASCII(text) || !strings.ContainsFunc(text, isLively) && utf8.ValidString(text) {
		return text
	}
	return string(appendLine(nil, text))
}

// Bytes is Line for bytes, which it may return as they are.
func Bytes(text []byte) []byte {
	if isASCII(text) || !bytes.ContainsFunc(text, isLively) && utf8.Valid(text) {
		return text
	}
	return appendLine(nil, string(text))
}

// isASCII reports whether a text has nothing but the letters and signs of ASCII, as nearly all lines do.
func isASCII[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func appendLine(out []byte, text string) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			out = append(out, `\ufffd`...)
		case isLively(r):
			out = append(out, escape(r)...)
		default:
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return out
}

// Block is Line for a text of several lines: newlines stay.
func Block(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = Line(line)
	}
	return strings.Join(lines, "\n")
}

// escape writes a character as JSON does, so that the escape is also valid inside a JSON string.
func escape(r rune) string {
	switch r {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// isLively reports whether a character does something other than show a letter. The joiners of emoji and of Persian
// (U+200C, U+200D) show, and so do the tags of flags.
func isLively(r rune) bool {
	switch {
	case r == '\u061c', r == '\u200e', r == '\u200f', // The marks of a direction.
		r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u206f', // Embeddings, overrides and isolates.
		r == '\u2028', r == '\u2029', // The separators of lines and paragraphs.
		r == '\ufeff', r >= '\ufff9' && r <= '\ufffb': // The mark of byte order, and annotations.
		return true
	default:
		return unicode.IsControl(r) // C0, DEL and C1.
	}
}
