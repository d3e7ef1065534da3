package twilio

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Code is one of Twilio's error codes (https://www.twilio.com/docs/api/errors/<Number>) and our one answer to it.
type Code struct {
	// Number is Twilio's code, 21610.
	Number int
	// Kind is what may be done about it when it answers a call.
	Kind fault.Kind
	// RetryAfter is how long to wait where Twilio does not say; 0 leaves it to the retry policy.
	RetryAfter time.Duration
	// Meaning is our own short description, which goes into errors and logs. Twilio's text does not: it quotes numbers.
	Meaning string
}

const (
	// loopGuardWait outlasts the 30 s for which Twilio stops a pair of numbers.
	loopGuardWait = 45 * time.Second
	// fullQueueWait lets a sender's queue, which holds hours of messages, drain by some hundreds of segments.
	fullQueueWait = 5 * time.Minute
)

// Codes returns every code that the relay knows, in ascending order. A code that is not here is permanent: Twilio
// gave an answer, the answer was no, and it will be the same next time.
func Codes() []Code {
	return []Code{
		{14107, fault.Throttled, loopGuardWait, "too many messages between two numbers"},
		{20003, fault.Fatal, 0, "authentication failed"},
		{20403, fault.Fatal, 0, "account suspended"},
		{20404, fault.Fatal, 0, "account not found"},
		{20429, fault.Throttled, 0, "too many requests"},
		{20500, fault.Unknown, 0, "internal error at Twilio"},
		{20503, fault.Unknown, 0, "Twilio is unavailable"},
		{21211, fault.Permanent, 0, "recipient is no valid number"},
		{21212, fault.Permanent, 0, "sender is no valid number"},
		{21265, fault.Permanent, 0, "recipient is a short code"},
		{21266, fault.Permanent, 0, "recipient and sender are the same"},
		{21408, fault.Permanent, 0, "region not enabled for the account"},
		{21601, fault.Permanent, 0, "sender cannot send messages"},
		{21606, fault.Permanent, 0, "sender is not the account's"},
		{21608, fault.Permanent, 0, "recipient not verified for a trial account"},
		{21610, fault.Permanent, 0, "recipient has opted out"},
		{21611, fault.Throttled, fullQueueWait, "sender's queue is full"},
		{21612, fault.Permanent, 0, "sender cannot reach the recipient"},
		{21614, fault.Permanent, 0, "recipient is no mobile number"},
		{21617, fault.Permanent, 0, "body too long"},
		{21620, fault.Permanent, 0, "media URL invalid"},
		{21635, fault.Permanent, 0, "recipient is a landline"},
		{21658, fault.Permanent, 0, "parameter too long"},
		{21659, fault.Permanent, 0, "sender is no Twilio number"},
		{21660, fault.Permanent, 0, "sender belongs to another account"},
		{30001, fault.Permanent, 0, "queue overflowed or validity expired"},
		{30002, fault.Fatal, 0, "account suspended"},
		{30003, fault.Permanent, 0, "handset unreachable"},
		{30004, fault.Permanent, 0, "blocked by the recipient"},
		{30005, fault.Permanent, 0, "handset unknown"},
		{30006, fault.Permanent, 0, "landline or unreachable carrier"},
		{30007, fault.Permanent, 0, "filtered by the carrier"},
		{30008, fault.Permanent, 0, "not delivered for a reason unknown"},
		{30022, fault.Throttled, 0, "campaign's rate exceeded"},
		{30024, fault.Permanent, 0, "sender not provisioned with the carrier"},
		{30032, fault.Permanent, 0, "toll-free number not verified"},
		{30034, fault.Permanent, 0, "sender not registered for A2P 10DLC"},
		{30410, fault.Permanent, 0, "carrier did not answer in time"},
		{30450, fault.Permanent, 0, "stopped by pumping protection"},
		{30532, fault.Permanent, 0, "registration refused: personal use"},
		{30533, fault.Permanent, 0, "registration refused: person to person"},
		{30610, fault.Permanent, 0, "recipient's quiet hours"},
		{63017, fault.Throttled, 0, "account's rate exceeded"},
		{70051, fault.Fatal, 0, "API key not permitted"},
	}
}

// lookUp returns what is known of a code. It is called on failures alone, which is why a walk through the list will do.
func lookUp(number int) (Code, bool) {
	for _, code := range Codes() {
		if code.Number == number {
			return code, true
		}
	}
	return Code{}, false
}
