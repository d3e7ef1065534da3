// Package typed reads what people type: phone numbers as they write them, the SIDs of texts, and words from a list. It refuses
// anything else, and says what was typed, what form it should have, and the nearest word if there is one. It prints nothing, and
// does not know what the words are for.
package typed

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Phone reads a phone number as a person writes it, "(858) 555-0100" in the country or "+1 858 555 0100" in any, and returns its
// canonical form. Country is two letters, such as US. insist accepts an E.164 number even if no phone can have it: a numbering plan
// may be newer than this program.
func Phone(text, country string, insist bool) (sms.PhoneNumber, error) {
	plain := cleaned(text)
	written := sms.PhoneNumber(plain)
	if canonical, ok := written.Canonical(); ok || written.IsE164() && insist {
		return canonical, nil
	}
	if !written.IsE164() {
		if hasExtension(plain) {
			return "", fmt.Errorf("%q has an extension, which cannot be texted", text)
		}
		if canonical, ok := dialledIn(plain, country); ok {
			return canonical, nil
		}
	}
	return "", notPhone(text, written, country)
}

// notPhone says what a number should look like, and which one was probably meant.
func notPhone(text string, written sms.PhoneNumber, country string) error {
	meant := written.Nearest()
	switch {
	case strings.ContainsFunc(string(written), unicode.IsLetter):
		meant = ""
	case written.IsE164() && meant != "":
		return fmt.Errorf("%q does not have the digits of a number of its country; did you mean %s?", text, string(meant))
	case written.IsE164():
		return fmt.Errorf("%q does not have the digits of a number of its country: no such phone can exist", text)
	}
	if meant != "" {
		return fmt.Errorf("%q is not a phone number of %s; did you mean %s?", text, country, string(meant))
	}
	return fmt.Errorf("%q is not a phone number of %s: write a plus sign, country code and number, such as +18585550100", text, country)
}

// maxName is the longest sender's name that Twilio accepts.
const maxName = 11

// The forms of senders, other than phone numbers, that Twilio uses.
var (
	shortCode  = regexp.MustCompile(`^[0-9]{3,6}$`)
	channel    = regexp.MustCompile(`^(whatsapp|rcs|messenger|sms|sip):.+$`)
	senderName = regexp.MustCompile(`^[A-Za-z0-9 &_-]*[A-Z][A-Za-z0-9 &_-]*$`)
)

// Sender reads who texts are from or to: a phone number as [Phone] reads it, a short code, an address of another channel, or a
// sender's name with a capital letter. isName means that it is a name: only a text from there shows that it is not a typing mistake.
func Sender(text, country string) (address sms.PhoneNumber, isName bool, err error) {
	plain := cleaned(text)
	number, err := Phone(text, country, false)
	switch {
	case err == nil:
		return number, false, nil
	case shortCode.MatchString(plain), channel.MatchString(plain):
		return sms.PhoneNumber(plain), false, nil
	case len(plain) <= maxName && senderName.MatchString(plain):
		return sms.PhoneNumber(plain), true, nil
	}
	return "", false, err
}

// cleaned removes invisible characters, such as a byte order mark or the direction marks that are copied with a number, and replaces
// all kinds of spaces and hyphens with plain ones. It also removes the "tel:" of a link.
func cleaned(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r) && !unicode.IsSpace(r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Pd, r), r == '\u2212':
			return '-'
		default:
			return r
		}
	}, text)
	text = strings.TrimSpace(text)
	if len(text) > 4 && strings.EqualFold(text[:4], "tel:") {
		text = strings.TrimSpace(text[4:])
	}
	return text
}
