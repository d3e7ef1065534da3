package typed

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/nearest"
)

var sid = regexp.MustCompile(`^[A-Z]{2}[0-9a-fA-F]{32}(/e[0-9]{1,6}/[0-9]{1,2}|/g/[A-Z]{2}[0-9a-fA-F]{32})?(/p2(\.[0-9]{1,2})?)?$`)

// SID reads the SID of a text.
func SID(text string) (string, error) {
	if text = cleaned(text); sid.MatchString(text) {
		return text, nil
	}
	return "", fmt.Errorf("%q is not a SID: want two letters and 32 hexadecimal digits, such as SM0123456789abcdef0123456789abcdef", text)
}

// Word reads one of the known words. It refuses another, and names the nearest and all known words.
func Word[T ~string](text string, known []T) (string, error) {
	if slices.Contains(known, T(text)) {
		return text, nil
	}
	names := make([]string, len(known))
	for i, one := range known {
		names[i] = string(one)
	}
	return "", fmt.Errorf("%q is not known%s; known are %s", text, nearest.Question(text, names), strings.Join(names, ", "))
}
