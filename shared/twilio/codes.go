package twilio

import (
	"slices"
	"sort"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Code is one of Twilio's error codes (https://www.twilio.com/docs/api/errors/<Number>) and our answers to it: one for a
// refused POST of a message, and one for the receipt of a message that Twilio accepted and did not deliver.
type Code struct {
	// Number is Twilio's code, 21610.
	Number int
	// Post says what to do when the code refuses a POST.
	Post fault.Kind
	// Receipt says what to do when the code is a receipt's ErrorCode. It is never Unknown: a receipt says what happened.
	Receipt fault.Kind
	// RetryAfter is how long to wait if Post or Receipt is Throttled or Quota and Twilio names no time; 0 leaves it to the
	// retry policy.
	RetryAfter time.Duration
	// Meaning is our own short description, for errors and logs. Twilio's text is not logged, because it quotes numbers.
	Meaning string
	// Why gives people the reason for the answers in a sentence or two.
	Why string
}

const (
	// loopGuardWait outlasts the 30 s for which Twilio stops a pair of numbers.
	loopGuardWait = 45 * time.Second
	// fullQueueWait lets a sender's queue, which holds hours of messages, drain by some hundreds of segments.
	fullQueueWait = 5 * time.Minute
	// quotaWait is short enough to lose little of a new hour or day, and long enough to make few useless requests.
	quotaWait = 15 * time.Minute
	// pumpingWait is the shortest block that Twilio describes: 15 to 30 minutes.
	pumpingWait = 15 * time.Minute
)

// Codes returns every code that the relay knows, in ascending order. A code that is not here is Permanent when it
// refuses a POST: Twilio gave an answer, the answer was no, and it will be the same next time. In a receipt the status
// decides then; see ClassifyReceipt.
func Codes() []Code {
	all := slices.Concat(
		accountCodes(), overloadCodes(), quotaCodes(), interruptionCodes(), requestCodes(), recipientCodes(), carrierCodes(), registrationCodes(),
		mediaCodes(),
	)
	sort.Slice(all, func(i, k int) bool { return all[i].Number < all[k].Number })
	return all
}

// lookUp returns what is known about a code. Only failures call it, so walking through the list is fast enough.
func lookUp(number int) (Code, bool) {
	for _, code := range Codes() {
		if code.Number == number {
			return code, true
		}
	}
	return Code{}, false
}

// codeAuthentication says that Twilio does not know the credentials.
const codeAuthentication = 20003

// accountCodes are about the account, its credentials and its set-up: no text is sent until someone fixes them.
func accountCodes() []Code {
	const inactive = "The account is not active, because it has no funds or Twilio stopped it. Nothing can be sent. Texts wait until it is " +
		"active again."
	const refused = "Twilio does not let this account or these credentials send messages. Texts wait until someone fixes that."
	return []Code{
		{10001, fault.Fatal, fault.Fatal, 0, "account not active", inactive},
		{10002, fault.Fatal, fault.Fatal, 0, "not for trial accounts", refused},
		{20005, fault.Fatal, fault.Fatal, 0, "account not active", inactive},
		{20006, fault.Fatal, fault.Fatal, 0, "access denied", refused},
		{20008, fault.Fatal, fault.Fatal, 0, "test credentials", refused},
		{20010, fault.Fatal, fault.Fatal, 0, "action disabled for the account", refused},
		{20410, fault.Fatal, fault.Fatal, 0, "API discontinued", refused},
		{70052, fault.Fatal, fault.Fatal, 0, "public key validation required", refused},
		{
			codeAuthentication, fault.Fatal, fault.Fatal, 0, "authentication failed",
			"Twilio does not accept the credentials, so no text can be sent. All texts wait until the relay has the right ones. On AWS it reads " +
				"the secret again by itself; on one host it reads them when it starts.",
		},
		{
			20403, fault.Fatal, fault.Fatal, 0, "account suspended",
			"Nothing can be sent until Twilio lifts the suspension. Texts wait until then.",
		},
		{
			20404, fault.Fatal, fault.Fatal, 0, "account not found",
			"The account in the request's URL does not exist, so every text would be refused. Texts wait until the account SID is right.",
		},
		{
			21609, fault.Fatal, fault.Fatal, 0, "StatusCallback URL invalid",
			"Every message has a status callback below the relay's public base URL, so every text would be refused. Texts wait until the base " +
				"URL is right.",
		},
		{
			30002, fault.Fatal, fault.Fatal, 0, "account suspended",
			"The account was suspended after Twilio accepted the message and before it was sent. No other phone can be reached from it either, " +
				"so the text waits until the account is active again.",
		},
		{
			70051, fault.Fatal, fault.Fatal, 0, "API key not permitted",
			"The API key may not create messages, so every text would be refused. Texts wait for a key that may.",
		},
	}
}

// overloadCodes say that there was too much traffic or the time was wrong. The text and the phone are fine.
func overloadCodes() []Code {
	return []Code{
		{
			14107, fault.Throttled, fault.Throttled, loopGuardWait, "too many messages between two numbers",
			"Twilio treats a burst between two numbers as a loop and stops the pair for 30 seconds. The text is sent after that. A lower " +
				"RELAY_PACE_PAIR prevents it.",
		},
		{
			20429, fault.Throttled, fault.Throttled, 0, "too many requests",
			"Twilio refused the request unread because too many were open at once. It is always safe to repeat.",
		},
		{
			20500, fault.Unknown, fault.Transient, 0, "internal error at Twilio",
			"Twilio may have accepted the message before it failed. Repeating it could text someone twice, so the relay looks it up first. A " +
				"receipt with this code is certain: the message was not delivered.",
		},
		{
			20503, fault.Unknown, fault.Transient, 0, "Twilio is unavailable",
			"Twilio may have accepted the message even so. Repeating it could text someone twice, so the relay looks it up first. A receipt with " +
				"this code is certain: the message was not delivered.",
		},
		{
			21611, fault.Throttled, fault.Throttled, fullQueueWait, "sender's queue is full",
			"Twilio's queue for this sender is full. It empties at the sender's own speed, so there is room again after some minutes.",
		},
		{
			30001, fault.Throttled, fault.Throttled, fullQueueWait, "queue overflowed",
			"The message waited in Twilio's queue for as long as Twilio keeps it, or the queue was full. The phone is not the cause, so the " +
				"relay tries the same phone later, unless the text is too old by then.",
		},
		{
			30036, fault.Throttled, fault.Throttled, 0, "validity period over",
			"The message waited in Twilio's queue until its ValidityPeriod was over. The relay sets that period to end when the text is too old; " +
				"if the text is not too old yet, the relay tries the same phone again.",
		},
		{
			30017, fault.Throttled, fault.Throttled, fullQueueWait, "carrier's network is congested",
			"The phone's carrier has too much traffic, which passes within minutes. The phone is not the cause, so the relay tries the same " +
				"phone later.",
		},
		{
			30450, fault.Throttled, fault.Throttled, pumpingWait, "stopped by pumping protection",
			"Twilio suspects that someone earns money from the texts this account sends, and blocks the phone for 15 to 30 minutes. The relay " +
				"tries it again after that. A phone on Twilio's Global Safe List is never blocked.",
		},
		{
			63017, fault.Throttled, fault.Throttled, 0, "account's rate exceeded",
			"The whole account sent more messages a second than it may. The limit is the same for another phone.",
		},
	}
}

// quotaCodes say that a limit for some hours or a day is used up. The limit is the same for another phone.
func quotaCodes() []Code {
	const wait = "This does not count as an attempt. The text waits until the limit is reset, or until it is too old and becomes a " +
		"dead letter."
	return []Code{
		{
			30022, fault.Quota, fault.Quota, quotaWait, "campaign's rate exceeded",
			"The A2P campaign has used up the messages that the carriers allow in a minute or a day. " + wait,
		},
		{
			30023, fault.Quota, fault.Quota, quotaWait, "brand's daily cap reached",
			"The A2P brand has used up the messages that the carrier allows in a day. The day begins at midnight Pacific Time. " + wait,
		},
		{
			30027, fault.Quota, fault.Quota, quotaWait, "T-Mobile's daily limit reached",
			"The A2P brand has used up the messages that T-Mobile allows in a day. The day begins at midnight Pacific Time. " + wait,
		},
		{
			30454, fault.Quota, fault.Quota, quotaWait, "trial account's limit reached",
			"The trial account has used up its messages. An upgrade takes effect within hours. " + wait,
		},
		{
			60728, fault.Quota, fault.Quota, quotaWait, "account's hourly limit reached",
			"The account has used up the messages that Twilio allows in an hour. " + wait,
		},
		{
			63018, fault.Quota, fault.Quota, quotaWait, "channel's limit reached",
			"The sender has used up the messages that it may send in 24 hours. " + wait,
		},
		{
			63038, fault.Quota, fault.Quota, quotaWait, "account's daily limit reached",
			"The account has used up the messages that Twilio allows in 24 hours. Twilio's support may raise the limit. " + wait,
		},
	}
}

// interruptionCodes say that something failed inside Twilio.
func interruptionCodes() []Code {
	const internal = "Something failed inside Twilio. After a POST the message may exist, so the relay looks it up first. A receipt with " +
		"this code is certain: the message was not delivered, so the relay sends it again."
	return []Code{
		{30020, fault.Unknown, fault.Transient, 0, "scheduling failed inside Twilio", internal},
		{30021, fault.Unknown, fault.Transient, 0, "service failed inside Twilio", internal},
		{63010, fault.Unknown, fault.Transient, 0, "internal error at Twilio", internal},
		{
			30047, fault.Transient, fault.Transient, 0, "could not be scheduled for an allowed time",
			"Twilio wanted to send the message later and could not schedule it. It is neither queued nor sent, and Twilio says to send it again.",
		},
	}
}

// requestCodes refuse the sender or the message itself: no phone of the route would get it.
func requestCodes() []Code {
	const sender = "The sender is the same for every phone of the route, so another phone would not help. The routing table names a number " +
		"that cannot send."
	const defect = "The request is the same for every phone of the route, and repeating it changes nothing. This is a defect of the relay."
	return []Code{
		{21212, fault.Permanent, fault.Permanent, 0, "sender is not a valid number", sender},
		{21601, fault.Permanent, fault.Permanent, 0, "sender cannot send messages", sender},
		{21602, fault.Permanent, fault.Permanent, 0, "body missing", defect},
		{21603, fault.Permanent, fault.Permanent, 0, "sender missing", defect},
		{21604, fault.Permanent, fault.Permanent, 0, "recipient missing", defect},
		{20413, fault.Permanent, fault.Permanent, 0, "request too large", defect},
		{21607, fault.Permanent, fault.Permanent, 0, "sender is not the trial account's", sender},
		{21613, fault.Permanent, fault.Permanent, 0, "sender needs an address", sender},
		{21616, fault.Permanent, fault.Permanent, 0, "sender is several numbers", sender},
		{
			21618, fault.Permanent, fault.Permanent, 0, "body cannot be sent",
			"Twilio does not send a message with these words, and they are the same for every phone of the route.",
		},
		{30042, fault.Permanent, fault.Permanent, 0, "sender's name is blocked", sender},
		{
			30044, fault.Permanent, fault.Permanent, 0, "too long for a trial account",
			"A trial account may send short messages only, whichever phone they go to. Upgrade the account.",
		},
		{21606, fault.Permanent, fault.Permanent, 0, "sender is not the account's", sender},
		{21617, fault.Permanent, fault.Permanent, 0, "body too long", defect},
		{
			21620, fault.Permanent, fault.Permanent, 0, "media URL invalid",
			"The message is the same for every phone of the route, and Twilio cannot fetch its media.",
		},
		{21623, fault.Permanent, fault.Permanent, 0, "too many media", defect},
		{21624, fault.Permanent, fault.Permanent, 0, "validity period invalid", defect},
		{21658, fault.Permanent, fault.Permanent, 0, "parameter too long", defect},
		{21659, fault.Permanent, fault.Permanent, 0, "sender is not a Twilio number", sender},
		{21660, fault.Permanent, fault.Permanent, 0, "sender belongs to another account", sender},
	}
}

// recipientCodes refuse one phone. Nothing was sent, and the next phone of the route may get the text.
func recipientCodes() []Code {
	return []Code{
		{
			21211, fault.Unreachable, fault.Unreachable, 0, "recipient is not a valid number",
			"This phone cannot be texted, but the text itself is fine. The next phone of the route may get it.",
		},
		{
			21265, fault.Unreachable, fault.Unreachable, 0, "recipient is a short code",
			"The relay cannot text short codes. This phone's entry in the route is wrong; the next entry may be right.",
		},
		{
			21266, fault.Unreachable, fault.Unreachable, 0, "recipient and sender are the same",
			"The route leads back to the number that the customer texted. This phone's entry is wrong; the next entry may be right.",
		},
		{
			21268, fault.Unreachable, fault.Unreachable, 0, "recipient is a premium number",
			"Twilio does not send to premium-rate numbers or information services. The next phone of the route may be an ordinary one.",
		},
		{
			21408, fault.Unreachable, fault.Unreachable, 0, "region not enabled for the account",
			"The account may not send to this phone's country. The next phone may be in a country where it may.",
		},
		{
			21608, fault.Unreachable, fault.Unreachable, 0, "recipient not verified for a trial account",
			"A trial account, or one without an approved profile, can text verified phones only. The next phone may be one of them.",
		},
		{
			21610, fault.OptedOut, fault.OptedOut, 0, "recipient has opted out",
			"The phone texted STOP to this number, and Twilio sends it nothing until it texts START. The route marks it as opted out, and the " +
				"relay skips it until then. The next phone may get the text.",
		},
		{
			21612, fault.Unreachable, fault.Unreachable, 0, "sender cannot reach the recipient",
			"Twilio cannot send from this sender to this phone. The next phone may be one that it can reach.",
		},
		{
			21614, fault.Unreachable, fault.Unreachable, 0, "recipient is not a mobile number",
			"This number cannot receive texts. The next phone of the route may be one that can.",
		},
		{
			21657, fault.Unreachable, fault.Unreachable, 0, "sender not supported at the destination",
			"This sender may not be used in this phone's country. The next phone may be in a country where it may.",
		},
		{
			572002, fault.Unreachable, fault.Unreachable, 0, "sender not assigned to this recipient",
			"A trial account may text each verified phone only from the number that Twilio assigned to that phone. This is another number. The " +
				"next phone may fit.",
		},
		{
			572005, fault.Unreachable, fault.Unreachable, 0, "recipient's verification not finished",
			"A trial account can text verified phones only, and this phone has not entered its code yet. The next phone may have.",
		},
		{
			21635, fault.Unreachable, fault.Unreachable, 0, "recipient is a landline",
			"A landline cannot receive texts. The next phone of the route may be a mobile.",
		},
	}
}

// carrierCodes come in receipts: the phone or its carrier did not accept a message that Twilio had accepted.
func carrierCodes() []Code {
	return []Code{
		{
			30003, fault.Unreachable, fault.Unreachable, 0, "handset unreachable",
			"The phone is off, out of range or broken, and nobody knows for how long. The next phone may be on.",
		},
		{
			30004, fault.Unreachable, fault.Unreachable, 0, "blocked by the recipient",
			"The phone or its carrier blocks texts from this number. The next phone may accept them.",
		},
		{
			30005, fault.Unreachable, fault.Unreachable, 0, "handset unknown",
			"The carrier does not know this phone, or no longer knows it. The next phone of the route may exist.",
		},
		{
			30006, fault.Unreachable, fault.Unreachable, 0, "landline or unreachable carrier",
			"The number is a landline, or its carrier cannot be reached. The next phone may be a mobile with another carrier.",
		},
		{
			30007, fault.Unreachable, fault.Unreachable, 0, "filtered by the carrier",
			"A filter treated the message as spam. The same phone would not get it next time either, but another carrier's filter may let it " +
				"through.",
		},
		{
			30008, fault.Unreachable, fault.Unreachable, 0, "not delivered, no reason given",
			"The carrier gives no reason. The trouble is between Twilio and this phone; the next phone may get the text.",
		},
		{
			30018, fault.Unreachable, fault.Unreachable, 0, "carrier requires a registered sender",
			"This phone's carrier accepts messages from registered senders only. The next phone may have another carrier or be in another country.",
		},
		{
			30019, fault.Unreachable, fault.Unreachable, 0, "too large for the carrier",
			"This phone's carrier does not accept a message of this size. Another carrier may.",
		},
		{
			30453, fault.Unreachable, fault.Unreachable, 0, "phone blocked by pumping protection",
			"Twilio suspects fraud and blocks this phone for some hours, which is too long to wait. The next phone is not blocked. A phone on " +
				"Twilio's Global Safe List is never blocked.",
		},
		{
			30610, fault.Unreachable, fault.Unreachable, 0, "recipient's quiet hours",
			"It is night where the phone is, and no message may be sent to it now. The next phone of the route may be in a place where it is " +
				"day. Waiting until the morning would help nobody.",
		},
		{
			30615, fault.Unreachable, fault.Unreachable, 0, "recipient's quiet hours, stricter ones",
			"The law where the phone is forbids messages at this hour. The next phone of the route may be in another place. Waiting until the " +
				"morning would help nobody.",
		},
		{
			30410, fault.Unreachable, fault.Unreachable, 0, "carrier did not answer in time",
			"Twilio has trouble reaching this phone's carrier. The next phone may have another carrier.",
		},
	}
}

// registrationCodes refuse the sender: every phone of the route is refused, until someone has registered the sender.
func registrationCodes() []Code {
	const register = "The carriers refuse the sender because it is not registered. Another phone would not help, and more sending harms " +
		"its reputation. Register it first."
	const refused = "The registration itself was refused, so carriers accept nothing from this sender, whichever phone it is for. The use " +
		"case has to change first."
	return []Code{
		{30024, fault.Permanent, fault.Permanent, 0, "sender not provisioned with the carrier", register},
		{30032, fault.Permanent, fault.Permanent, 0, "toll-free number not verified", register},
		{30034, fault.Permanent, fault.Permanent, 0, "sender not registered for A2P 10DLC", register},
		{30033, fault.Permanent, fault.Permanent, 0, "A2P campaign suspended", refused},
		{30035, fault.Permanent, fault.Permanent, 0, "sender's registration not finished", register},
		{30532, fault.Permanent, fault.Permanent, 0, "registration refused: personal use", refused},
		{30533, fault.Permanent, fault.Permanent, 0, "registration refused: person to person", refused},
	}
}
