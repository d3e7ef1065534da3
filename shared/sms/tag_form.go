package sms

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// HasTagForm reports whether a word is a capital letter and two digits or more.
func HasTagForm(word string) bool {
	if len(word) < 3 || word[0] < 'A' || word[0] > 'Z' {
		return false
	}
	return strings.Trim(word[1:], "0123456789") == ""
}

// aroundTag may be around a tag, with blanks, and belongs neither to it nor to the words behind it.
const aroundTag = "#:;,.!-–—()[]*"

// LeadingTag takes a tag off the beginning of what a person wrote: "#a47 - at three" is A47 and "at three". The case of the letter, and
// marks and blanks around the tag, do not matter. isTagged is true if the first word has the form of a tag; it may not be a valid one.
// Without it, tag is empty and words is body.
func LeadingTag(body string) (tag, words string, isTagged bool) {
	rest := trimAround(body)
	end := strings.IndexFunc(rest, func(char rune) bool { return !isASCIIAlphanumeric(char) })
	if end < 0 {
		end = len(rest)
	}
	word := strings.ToUpper(rest[:end])
	if !HasTagForm(word) || !ends(rest[end:]) {
		return "", body, false
	}
	return word, trimAround(rest[end:]), true
}

// ends reports whether a word may end before rest: what follows neither continues it, as in A47's, nor makes it part of a number,
// as in B12.5.
func ends(rest string) bool {
	first, size := utf8.DecodeRuneInString(rest)
	second, _ := utf8.DecodeRuneInString(rest[size:])
	switch {
	case rest == "":
		return true
	case unicode.IsLetter(first), unicode.IsDigit(first), unicode.IsMark(first):
		return false
	case first == '\'' || first == '’':
		return !unicode.IsLetter(second)
	case first == '.' || first == ',' || first == '/':
		return !unicode.IsDigit(second)
	}
	return true
}

// trimAround takes blanks, marks around a tag, and characters without a shape off both ends of the beginning of a text, and blanks
// off its end.
func trimAround(text string) string {
	text = strings.TrimLeftFunc(text, func(char rune) bool {
		return IsBlank(char) || strings.ContainsRune(aroundTag, char)
	})
	return strings.TrimRightFunc(text, unicode.IsSpace)
}

func isASCIIAlphanumeric(char rune) bool {
	return char < utf8.RuneSelf && (unicode.IsLetter(char) || unicode.IsDigit(char))
}
