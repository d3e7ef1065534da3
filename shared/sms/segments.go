package sms

import (
	"strings"
	"unicode/utf16"
)

// What fits into one segment: alone, and as one of several, because each of several also has a header.
const (
	gsm7Single = 160 // septets
	gsm7Multi  = 153
	ucs2Single = 70 // UTF-16 units
	ucs2Multi  = 67
)

const (
	// gsm7Basic are the characters of GSM 03.38's basic table that ASCII lacks. Each is one septet.
	gsm7Basic = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà"
	// gsm7Extended are the characters of its extension table. Each is an escape and a second septet.
	gsm7Extended = "\f^{}\\[~]|€"
)

// Segments returns how many SMS segments Twilio sends body in: 160 septets if it is all GSM-7, or 153 in each of several; 70
// UTF-16 units otherwise, or 67 in each of several. No character is split. An empty body is one segment.
func Segments(body string) int {
	segments, isGSM7 := pack(body, septets, gsm7Single, gsm7Multi)
	if !isGSM7 {
		segments, _ = pack(body, utf16.RuneLen, ucs2Single, ucs2Multi)
	}
	return segments
}

// septets returns how many septets a character has, 0 if it is not in GSM-7.
func septets(char rune) int {
	switch {
	case strings.ContainsRune(gsm7Extended, char):
		return 2
	case isBasicASCII(char), strings.ContainsRune(gsm7Basic, char):
		return 1
	}
	return 0
}

// IsBasic reports whether a character is one septet of an SMS: in the basic table of GSM 03.38.
func IsBasic(char rune) bool { return septets(char) == 1 }

// isBasicASCII reports whether an ASCII character is in GSM-7's basic table, which lacks the backtick.
func isBasicASCII(char rune) bool {
	return char == '\n' || char == '\r' || (char >= ' ' && char < 0x7f && char != '`')
}

// pack returns how many segments a text fills with characters of these widths, one after the other; ok is false if a character has no
// width.
func pack(body string, width func(char rune) int, single, multi int) (segments int, ok bool) {
	total, used := 0, 0
	segments = 1
	for _, char := range body {
		units := width(char)
		if units <= 0 {
			return 0, false
		}
		total += units
		if used += units; used > multi {
			segments, used = segments+1, units
		}
	}
	if total <= single {
		return 1, true
	}
	return segments, true
}
