package routing

import (
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Phone reads a phone number as a person writes it, "(858) 555-0100" of the country or "+1 858 555 0100" of any. What is
// E.164 already is taken as it is. Country is two letters, such as US.
func Phone(text, country string) (sms.PhoneNumber, error) {
	text = strings.TrimSpace(text)
	if number := sms.PhoneNumber(text); number.IsE164() {
		return number, nil
	}
	// A channel, as in "whatsapp:", would be passed over, and the number is another address with it.
	_, channel, _ := strings.Cut(strings.TrimPrefix(text, "tel:"), ":")
	parsed, err := phonenumbers.Parse(text, country)
	if err != nil || channel != "" || !possible(parsed) {
		return "", fmt.Errorf("%q is no phone number of %s", text, country)
	}
	if parsed.GetExtension() != "" {
		return "", fmt.Errorf("%q has an extension, which cannot be texted", text)
	}
	number := sms.PhoneNumber(phonenumbers.Format(parsed, phonenumbers.E164))
	if !number.IsE164() {
		return "", fmt.Errorf("%q is no phone number of %s", text, country)
	}
	return number, nil
}

// IsCountry reports whether numbers of the country can be read.
func IsCountry(country string) bool { return phonenumbers.GetSupportedRegions()[country] }

// Possible reports whether there could be such a number: whether it has as many digits as those of its country. It says
// nothing of whether someone has it.
func Possible(number sms.PhoneNumber) bool {
	parsed, err := phonenumbers.Parse(string(number), "")
	return err == nil && possible(parsed)
}

// possible leaves out what can be dialled within a town only.
func possible(parsed *phonenumbers.PhoneNumber) bool {
	return phonenumbers.IsPossibleNumberWithReason(parsed) == phonenumbers.IS_POSSIBLE
}
