package sms

import (
	"unicode"
	"unicode/utf8"
)

// Split cuts a text in two. The first part has a [Length] of at most limit. The cut is behind the last blank in its last quarter, or else
// between what a reader sees as two characters. The blanks around the cut are left out. A text that fits has no second part. The
// second part is as long as it is.
func Split(text string, limit int) (first, second string) {
	if len(text) <= limit || Length(text) <= limit {
		return text, ""
	}
	end := start(text, limit)
	if first, second = apart(text, end); first != text[:end] || second != text[end:] {
		// There is a blank at the end as it is.
		return first, second
	}
	for at := end; at > start(text, limit*3/4); {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		if at -= size; isGap(text, at) {
			return apart(text, at)
		}
	}
	return first, second
}

// apart cuts a text there, and leaves out the blanks around.
func apart(text string, at int) (first, second string) {
	from, to := at, at
	for to < len(text) && isGap(text, to) {
		_, size := utf8.DecodeRuneInString(text[to:])
		to += size
	}
	for from > 0 {
		_, size := utf8.DecodeLastRuneInString(text[:from])
		if !isGap(text, from-size) {
			break
		}
		from -= size
	}
	return text[:from], text[to:]
}

// isGap reports whether the character that begins there is a blank, and nothing else to a reader.
func isGap(text string, at int) bool {
	char, size := utf8.DecodeRuneInString(text[at:])
	return unicode.IsSpace(char) && (at+size == len(text) || parts(text, at+size))
}
