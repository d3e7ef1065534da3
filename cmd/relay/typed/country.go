package typed

import (
	_ "embed" // the countries.
	"regexp"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// countries has a line for each country, with tabs between its letters, its country code, and patterns: of what is dialled before numbers
// abroad, of numbers, and of what is dialled before numbers at home; then what that becomes, if it is not left out. It is from
// libphonenumber's metadata: `go test ./cmd/relay/typed -update` writes it. The library itself is for the tests alone: it would add 2.6 MB
// to the program, the names of all countries in all languages among them, and 14 ms and 2.5 MB of memory to each start.
//
//go:embed countries.txt
var countries string

// country is how people there write numbers.
type country struct{ code, abroad, numbers, home, becomes string }

func countryOf(letters string) (c country, known bool) {
	for line := range strings.Lines(countries) {
		if fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); fields[0] == letters {
			return country{code: fields[1], abroad: fields[2], numbers: fields[3], home: fields[4], becomes: fields[5]}, true
		}
	}
	return country{}, false
}

// IsCountry reports whether numbers of the country can be read.
func IsCountry(letters string) bool {
	_, known := countryOf(letters)
	return known
}

// number returns the number that somebody there means with these digits.
func (c country) number(digits string) (sms.PhoneNumber, bool) {
	if at := begins(c.abroad, digits); at != nil && !strings.HasPrefix(digits[at[1]:], "0") {
		return sms.PhoneNumber("+" + digits[at[1]:]).Canonical()
	}
	if rest, has := strings.CutPrefix(digits, c.code); has && !c.has(digits) && c.has(c.national(rest)) {
		// Only the plus sign is missing.
		return sms.PhoneNumber("+" + c.code + c.national(rest)).Canonical()
	}
	if number, ok := sms.PhoneNumber("+" + c.code + c.national(digits)).Canonical(); ok {
		return number, true
	}
	return sms.PhoneNumber("+" + c.code + digits).Canonical()
}

// national removes what is dialled before numbers at home, unless that makes a number something else.
func (c country) national(digits string) string {
	at := begins(c.home, digits)
	if at == nil {
		return digits
	}
	rest := digits[at[1]:]
	// What the prefix becomes is for numbers that have what its last group asks for.
	if c.becomes != "" && at[len(at)-1] >= 0 {
		rest = string(prefix(c.home).ExpandString(nil, c.becomes, digits, at)) + rest
	}
	if c.has(digits) && !c.has(rest) {
		return digits
	}
	return rest
}

// has reports whether the country may have the number.
func (c country) has(national string) bool {
	return regexp.MustCompile("^(?:" + c.numbers + ")$").MatchString(national)
}

// prefix finds the pattern at the beginning.
func prefix(pattern string) *regexp.Regexp { return regexp.MustCompile("^(?:" + pattern + ")") }

// begins returns where the pattern and its groups are at the beginning of the digits, nil if they do not begin with it.
func begins(pattern, digits string) []int {
	if pattern == "" {
		return nil
	}
	return prefix(pattern).FindStringSubmatchIndex(digits)
}

// dialled returns the digits of a number that is written with spaces, brackets, hyphens, dots or slashes; hasPlus if it begins with a plus
// sign. ok is false if there is something else.
func dialled(text string) (digits string, hasPlus, ok bool) {
	text, hasPlus = strings.CutPrefix(strings.Replace(text, "\uff0b", "+", 1), "+")
	ok = true
	digits = strings.Map(func(r rune) rune {
		for _, zero := range "0\u0660\u06f0\uff10" {
			if r >= zero && r <= zero+9 {
				return '0' + r - zero
			}
		}
		ok = ok && strings.ContainsRune(" -()[]./", r)
		return -1
	}, text)
	return digits, hasPlus, ok
}

// hasExtension reports whether a number is followed by that of an extension.
func hasExtension(text string) bool {
	return regexp.MustCompile(`(?i)\d[ ,]*(;ext=|e?xte?n?[a-z]*|[#,~x]|int)[.: ]*\d{1,7}#?$`).MatchString(text)
}

// dialledIn reads a number as it is dialled in a country, or with a plus sign in any.
func dialledIn(text, letters string) (sms.PhoneNumber, bool) {
	digits, hasPlus, ok := dialled(text)
	if ok && hasPlus {
		return sms.PhoneNumber("+" + digits).Canonical()
	}
	c, known := countryOf(letters)
	if !ok || !known {
		return "", false
	}
	return c.number(digits)
}
