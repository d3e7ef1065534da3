package twilio

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// mediaCodes say that a message failed because of its attachments. The relay sends the words without them, see [fault.Error]; what is
// here counts if the message had none.
func mediaCodes() []Code {
	const without = "Twilio could not have the message's pictures, or the phone's carrier takes none. The relay sends the words again " +
		"without them, and mentions them; a message without pictures goes to the next phone."
	return []Code{
		{11200, fault.Unreachable, fault.Unreachable, 0, "picture could not be fetched from the relay", without},
		{11751, fault.Unreachable, fault.Unreachable, 0, "pictures too large together", without},
		{12300, fault.Unreachable, fault.Unreachable, 0, "picture is not of the type that the relay says", without},
		{30011, fault.Unreachable, fault.Unreachable, 0, "phone's region takes no pictures", without},
	}
}

// isOfMedia reports whether a code is about a message's attachments.
func isOfMedia(code int) bool {
	const tooLargeForTheCarrier = 30019
	return code == tooLargeForTheCarrier || slices.ContainsFunc(mediaCodes(), func(c Code) bool { return c.Number == code })
}
