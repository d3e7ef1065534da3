package twiliofake

import (
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Outcome is what happens to a message after Twilio accepted it, unless its validity ends while it is still queued.
type Outcome struct {
	// Status is the last status of the message: delivered, undelivered or failed, or sent or queued if nothing more is ever heard of
	// the message.
	Status sms.Status
	// ErrorCode goes with undelivered and failed.
	ErrorCode int
}

// defaultOutcomes returns what happens to messages to this package's own magic numbers. All are fictional.
//
//	+15005550101  undelivered  30003  handset unreachable
//	+15005550102  undelivered  30005  unknown handset
//	+15005550103  undelivered  30006  landline or unreachable carrier
//	+15005550104  undelivered  30004  blocked by the recipient
//	+15005550105  failed       30007  filtered as spam
//	+15005550106  undelivered  30008  unknown error
//	+15005550107  failed       30001  queue overflow
//	+15005550110  sent         -      no delivery receipt ever comes
//	+15005550111  queued       -      never leaves Twilio's queue: no callback, date_sent stays null, until its validity ends
func defaultOutcomes() map[sms.PhoneNumber]Outcome {
	return map[sms.PhoneNumber]Outcome{
		"+15005550101": {Status: sms.StatusUndelivered, ErrorCode: 30003},
		"+15005550102": {Status: sms.StatusUndelivered, ErrorCode: 30005},
		"+15005550103": {Status: sms.StatusUndelivered, ErrorCode: 30006},
		"+15005550104": {Status: sms.StatusUndelivered, ErrorCode: 30004},
		"+15005550105": {Status: sms.StatusFailed, ErrorCode: 30007},
		"+15005550106": {Status: sms.StatusUndelivered, ErrorCode: 30008},
		"+15005550107": {Status: sms.StatusFailed, ErrorCode: codeQueueOverflow},
		"+15005550110": {Status: sms.StatusSent},
		"+15005550111": {Status: sms.StatusQueued},
	}
}

func (c Config) outcomeOf(to sms.PhoneNumber) Outcome {
	if outcome, found := c.Outcomes[to]; found {
		return outcome
	}
	return Outcome{Status: sms.StatusDelivered}
}

// stepsTo returns the statuses by which a queued message reaches its last one, and whether it can end there.
func stepsTo(last sms.Status) ([]sms.Status, bool) {
	steps, known := map[sms.Status][]sms.Status{
		sms.StatusQueued:      {},
		sms.StatusSent:        {sms.StatusSent},
		sms.StatusDelivered:   {sms.StatusSent, sms.StatusDelivered},
		sms.StatusUndelivered: {sms.StatusSent, sms.StatusUndelivered},
		sms.StatusFailed:      {sms.StatusFailed},
	}[last]
	return steps, known
}

// refusedTo returns the error with which Twilio refuses to send to one of its magic numbers, and 0 for any other.
func refusedTo(to sms.PhoneNumber) int {
	switch to {
	case "+15005550001":
		return codeToInvalid
	case "+15005550002":
		return codeUnroutable
	case "+15005550003":
		return codeGeoPermission
	case "+15005550004":
		return codeOptedOut
	case "+15005550009":
		return codeNotMobile
	default:
		return 0
	}
}

// magicValidFrom is the sender that Twilio's test credentials always own.
const magicValidFrom sms.PhoneNumber = "+15005550006"

// refusedFrom returns the error with which Twilio refuses to send from one of its magic numbers, and 0 for any other.
func refusedFrom(from sms.PhoneNumber) int {
	switch from {
	case "+15005550001":
		return codeFromInvalid
	case "+15005550007":
		return codeFromNotOwned
	case "+15005550008":
		return codeQueueFull
	default:
		return 0
	}
}
