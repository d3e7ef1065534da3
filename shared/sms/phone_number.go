package sms

import (
	"log/slog"
	"strings"
)

// PhoneNumber is an address exactly as Twilio writes it in From and To: E.164 ("+18585550100"), a short code ("24365"), an
// alphanumeric sender ("QuickDump"), or a channel address ("whatsapp:+18585550100", "rcs:agent"). A channel is part of the
// address: "whatsapp:+18585550100" and "+18585550100" are different. One number can be spelled in several ways; [Same]
// compares, and [PhoneNumber.Canonical] is the form that is stored. The zero value means no address.
type PhoneNumber string

// Typed returns an address that a person typed into a form or a URL, where a plus sign that was not escaped arrives as a
// space. What Twilio sends is escaped and does not need it.
func Typed(text string) PhoneNumber {
	if digits, found := strings.CutPrefix(text, " "); found {
		return PhoneNumber("+" + digits)
	}
	return PhoneNumber(text)
}

// minMaskable is the shortest address, in characters, that shows its last four; a shorter one (a short code) shows two.
const minMaskable = 8

// Mask returns the address with everything but its channel and its last characters replaced by "***", for logs,
// metrics and the audit log: "whatsapp:+18585550100" gives "whatsapp:***0100". The empty address stays empty.
func (n PhoneNumber) Mask() string {
	if n == "" {
		return ""
	}
	channel, address := n.split()
	return channel + "***" + lastOf([]rune(address))
}

// split separates the channel, with its colon, from the address. Only a word is a channel.
func (n PhoneNumber) split() (channel, address string) {
	before, after, found := strings.Cut(string(n), ":")
	if !found || strings.Trim(before, "abcdefghijklmnopqrstuvwxyz") != "" {
		return "", string(n)
	}
	return before + ":", after
}

func lastOf(address []rune) string {
	shown := 4
	if len(address) < minMaskable {
		shown = 2
	}
	if len(address) <= shown {
		return ""
	}
	return string(address[len(address)-shown:])
}

// LogValue makes every log line show the masked address, so that masking does not depend on the caller.
func (n PhoneNumber) LogValue() slog.Value { return slog.StringValue(n.Mask()) }

// IsE164 reports whether the address is a telephone number in E.164: a plus sign, then 8 to 15 digits; the first is not zero.
// It does not say whether the number exists.
func (n PhoneNumber) IsE164() bool {
	digits, found := strings.CutPrefix(string(n), "+")
	if !found || len(digits) < 8 || len(digits) > 15 || digits[0] == '0' {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// Pseudonym is what is kept instead of the number of a customer who was forgotten: its end, so that Mask says of it what it says of the
// number.
func Pseudonym(n PhoneNumber) PhoneNumber {
	masked := n.Mask()
	if again := PhoneNumber(masked).Mask(); again != masked {
		masked = strings.Replace(masked, "***", "****", 1)
	}
	return PhoneNumber(masked)
}
