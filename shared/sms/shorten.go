package sms

import (
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// ellipsis shows that a text was shortened. Its length is one.
const ellipsis = "…"

// Shorten returns text as it is if its [Length] is at most limit, otherwise the longest start of it that fits with an ellipsis
// after it. What a reader sees as one character (a family emoji, a flag, a letter with its accents) is kept whole or left out:
// a text that is all one such character becomes the ellipsis alone. With a limit below 1 the result is empty.
func Shorten(text string, limit int) string {
	if len(text) <= limit || Length(text) <= limit {
		return text
	}
	if limit < Length(ellipsis) {
		return ""
	}
	return text[:start(text, limit-Length(ellipsis))] + ellipsis
}

// start returns where the longest start of a text ends whose [Length] is at most limit, and that keeps whole what a reader sees as one
// character.
func start(text string, limit int) (end int) {
	end = len(text)
	for i, char := range text {
		if limit -= utf16.RuneLen(char); limit < 0 {
			end = i
			break
		}
	}
	for end > 0 && end < len(text) && !parts(text, end) {
		_, size := utf8.DecodeLastRuneInString(text[:end])
		end -= size
	}
	return end
}

const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

// parts reports whether a reader certainly sees two characters before and after text[at]. If Unicode's rules of grapheme
// clusters (UAX #29) join them, the answer is always no; if not, it may still be no.
func parts(text string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	after, _ := utf8.DecodeRuneInString(text[at:])
	switch {
	case before == '\r' && after == '\n', before == joiner:
		return false
	case extends(after), prepends(before):
		return false
	case isJamo(before) && isHangul(after), isHangul(before) && isJamo(after):
		return false
	case isFlagHalf(before) && isFlagHalf(after):
		return flagHalves(text[:at])%2 == 0
	default:
		return !unicode.IsLetter(after) || !endsInLinker(text[:at])
	}
}

// extends reports whether a character belongs to the one before it: accents, vowel signs, variation selectors,
// keycaps, skin tones, the tags of regional flags, and joiners.
func extends(char rune) bool {
	switch char {
	case nonJoiner, joiner:
		return true
	case '\u0e33', '\u0eb3': // Thai and Lao AM, letters that end a syllable
		return true
	}
	isSkinTone := char >= 0x1f3fb && char <= 0x1f3ff
	return isSkinTone || unicode.In(char, unicode.M, unicode.Other_Grapheme_Extend)
}

// prepends reports whether a character belongs to the one after it: Arabic signs of numbers, and some letters of
// Indic scripts (Grapheme_Cluster_Break=Prepend in Unicode's GraphemeBreakProperty.txt).
func prepends(char rune) bool {
	switch char {
	case 0x0d4e, 0x111c2, 0x111c3, 0x113d1, 0x1193f, 0x11941, 0x11a3a, 0x11d46, 0x11f02:
		return true
	}
	isSoyombo := char >= 0x11a84 && char <= 0x11a89
	return isSoyombo || unicode.Is(unicode.Prepended_Concatenation_Mark, char)
}

// isJamo reports whether a character is a part of a Hangul syllable.
func isJamo(char rune) bool {
	return (char >= 0x1100 && char <= 0x11ff) || (char >= 0xa960 && char <= 0xa97f) || (char >= 0xd7b0 && char <= 0xd7ff)
}

// isHangul reports whether a character is a whole Hangul syllable or a part of one.
func isHangul(char rune) bool {
	return isJamo(char) || (char >= 0xac00 && char <= 0xd7a3)
}

// isFlagHalf reports whether a character is a regional indicator; two of them make a flag.
func isFlagHalf(char rune) bool {
	return char >= 0x1f1e6 && char <= 0x1f1ff
}

// flagHalves returns how many regional indicators text ends with.
func flagHalves(text string) int {
	n := 0
	for {
		char, size := utf8.DecodeLastRuneInString(text)
		if !isFlagHalf(char) {
			return n
		}
		text, n = text[:len(text)-size], n+1
	}
}

// endsInLinker reports whether text ends with a sign that joins an Indic consonant with the next one (a virama), or with that
// and other signs.
func endsInLinker(text string) bool {
	for text != "" {
		char, size := utf8.DecodeLastRuneInString(text)
		switch {
		case isLinker(char):
			return true
		case !extends(char):
			return false
		}
		text = text[:len(text)-size]
	}
	return false
}

// isLinker reports whether a character joins two consonants (Indic_Conjunct_Break=Linker in Unicode's
// DerivedCoreProperties.txt).
func isLinker(char rune) bool {
	switch char {
	case 0x094d, 0x09cd, 0x0acd, 0x0b4d, 0x0c4d, 0x0d4d: // Devanagari, Bengali, Gujarati, Oriya, Telugu, Malayalam
		return true
	case 0x1039, 0x17d2, 0x1a60, 0x1b44, 0x1bab, 0xa9c0, 0xaaf6: // Myanmar, Khmer, and others of the south-east
		return true
	case 0x10a3f, 0x11133, 0x113d0, 0x1193e, 0x11a47, 0x11a99, 0x11f42:
		return true
	}
	return false
}
