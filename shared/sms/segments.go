package sms

import "strings"

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
	widths, gsm7 := septets(body)
	if gsm7 {
		return pack(widths, gsm7Single, gsm7Multi)
	}
	return pack(utf16Units(body), ucs2Single, ucs2Multi)
}

// septets returns the width of each character in septets, and whether all of them are in GSM-7.
func septets(body string) ([]int, bool) {
	widths := make([]int, 0, len(body))
	for _, char := range body {
		switch {
		case strings.ContainsRune(gsm7Extended, char):
			widths = append(widths, 2)
		case IsBasic(char):
			widths = append(widths, 1)
		default:
			return nil, false
		}
	}
	return widths, true
}

// IsBasic reports whether a character is one septet of an SMS: in the basic table of GSM 03.38.
func IsBasic(char rune) bool {
	return !strings.ContainsRune(gsm7Extended, char) && (isBasicASCII(char) || strings.ContainsRune(gsm7Basic, char))
}

// isBasicASCII reports whether an ASCII character is in GSM-7's basic table, which lacks the backtick.
func isBasicASCII(char rune) bool {
	return char == '\n' || char == '\r' || (char >= ' ' && char < 0x7f && char != '`')
}

// utf16Units returns the width of each character in UTF-16 units: two if it is outside the basic plane.
func utf16Units(body string) []int {
	widths := make([]int, 0, len(body))
	for _, char := range body {
		width := 1
		if char > 0xffff {
			width = 2
		}
		widths = append(widths, width)
	}
	return widths
}

// pack fills segments one after the other with characters of these widths.
func pack(widths []int, single, multi int) int {
	total := 0
	for _, width := range widths {
		total += width
	}
	if total <= single {
		return 1
	}
	segments, used := 1, 0
	for _, width := range widths {
		if used+width > multi {
			segments, used = segments+1, 0
		}
		used += width
	}
	return segments
}
