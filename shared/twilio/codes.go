package twilio

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Code is one of Twilio's error codes (https://www.twilio.com/docs/api/errors/<Number>) and our answers to it: one when it
// refuses the POST of a message, and one when it stands in the receipt of a message that was taken and then not delivered.
type Code struct {
	// Number is Twilio's code, 21610.
	Number int
	// Post is what may be done about it when it refuses a POST.
	Post fault.Kind
	// Receipt is what may be done about it as a receipt's ErrorCode. It is never Unknown: a receipt says what happened.
	Receipt fault.Kind
	// RetryAfter is how long to wait where one of the two is Throttled or Quota and Twilio does not say; 0 leaves it to the retry
	// policy.
	RetryAfter time.Duration
	// Meaning is our own short description, which goes into errors and logs. Twilio's text does not: it quotes numbers.
	Meaning string
	// Why gives the reason for the answers in a sentence or two, for people.
	Why string
}

const (
	// loopGuardWait outlasts the 30 s for which Twilio stops a pair of numbers.
	loopGuardWait = 45 * time.Second
	// fullQueueWait lets a sender's queue, which holds hours of messages, drain by some hundreds of segments.
	fullQueueWait = 5 * time.Minute
	// quotaWait is short enough to miss little of a new hour or day, and long enough that a refusal in between is no burden.
	quotaWait = 15 * time.Minute
	// pumpingWait is the shorter of the blocks that Twilio speaks of: 15 to 30 minutes.
	pumpingWait = 15 * time.Minute
)

// Codes returns every code that the relay knows, in ascending order. A code that is not here is Permanent when it
// refuses a POST: Twilio gave an answer, the answer was no, and it will be the same next time. In a receipt the status
// decides then; see ClassifyReceipt.
func Codes() []Code {
	all := slices.Concat(
		accountCodes(), overloadCodes(), quotaCodes(), interruptionCodes(), requestCodes(), recipientCodes(), carrierCodes(), registrationCodes(),
	)
	slices.SortFunc(all, func(a, b Code) int { return a.Number - b.Number })
	return all
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

// codeAuthentication says that Twilio does not know the credentials.
const codeAuthentication = 20003

// accountCodes are about the account, its credentials and its set-up: no text gets out until someone mends them.
func accountCodes() []Code {
	const inactive = "The account is not active, for lack of funds or by Twilio's decision, so that nothing can be sent. Texts wait until it is active again."
	const refused = "Twilio does not let this account or these credentials send messages at all. Texts wait until someone has seen to it."
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
			"Twilio does not know the credentials, so that no text gets out. All of them wait until the relay has the right ones: on AWS it reads the secret again by itself, on one host when it starts.",
		},
		{
			20403, fault.Fatal, fault.Fatal, 0, "account suspended",
			"Nothing can be sent until Twilio lifts the suspension. Texts wait for it.",
		},
		{
			20404, fault.Fatal, fault.Fatal, 0, "account not found",
			"The account in the request's URL does not exist, so that every text would be refused. Texts wait until the account's Sid is right.",
		},
		{
			21609, fault.Fatal, fault.Fatal, 0, "StatusCallback URL invalid",
			"Every message carries a URL below the relay's public base URL, so that every text would be refused. Texts wait until the base URL is right.",
		},
		{
			30002, fault.Fatal, fault.Fatal, 0, "account suspended",
			"The account was suspended between Twilio's yes and the sending. No other phone can be reached from it either, so the text waits until the account is back.",
		},
		{
			70051, fault.Fatal, fault.Fatal, 0, "API key not permitted",
			"The API key may not create messages, so that every text would be refused. Texts wait for a key that may.",
		},
	}
}

// overloadCodes say that it was too much at once or the wrong moment; nothing is wrong with the text or the phone.
func overloadCodes() []Code {
	return []Code{
		{
			14107, fault.Throttled, fault.Throttled, loopGuardWait, "too many messages between two numbers",
			"Twilio takes a burst between two numbers for a loop and stops the pair for 30 seconds. The text goes out after that; a lower RELAY_PACE_PAIR keeps it from happening.",
		},
		{
			20429, fault.Throttled, fault.Throttled, 0, "too many requests",
			"Twilio turned the request away unread because too many were under way. It is always safe to repeat.",
		},
		{
			20500, fault.Unknown, fault.Transient, 0, "internal error at Twilio",
			"Twilio may have taken the message before it failed: repeating it could text someone twice, so it is looked up first. A receipt leaves no doubt that it was not delivered.",
		},
		{
			20503, fault.Unknown, fault.Transient, 0, "Twilio is unavailable",
			"Twilio may have taken the message all the same: repeating it could text someone twice, so it is looked up first. A receipt leaves no doubt that it was not delivered.",
		},
		{
			21611, fault.Throttled, fault.Throttled, fullQueueWait, "sender's queue is full",
			"Twilio holds as many messages of this sender as it will. It sends them at the sender's own speed, so that some minutes make room.",
		},
		{
			30001, fault.Throttled, fault.Throttled, fullQueueWait, "queue overflowed",
			"The message waited in Twilio's queue for as long as Twilio keeps one, or the queue was full. The phone is not to blame, so the same one is tried later, as long as the text is not too old.",
		},
		{
			30036, fault.Throttled, fault.Throttled, 0, "validity period over",
			"The message waited in Twilio's queue until the ValidityPeriod that the relay gave it was over, which is when the text is too old. If it is not, the same phone is tried again.",
		},
		{
			30017, fault.Throttled, fault.Throttled, fullQueueWait, "carrier's network is congested",
			"The phone's carrier has more traffic than it takes, which passes within minutes. The phone is not to blame, so the same one is tried later.",
		},
		{
			30450, fault.Throttled, fault.Throttled, pumpingWait, "stopped by pumping protection",
			"Twilio suspects that someone is paid for the texts that this account sends, and blocks the phone for 15 to 30 minutes. It is tried again after that; a phone on Twilio's Global Safe List is never blocked.",
		},
		{
			63017, fault.Throttled, fault.Throttled, 0, "account's rate exceeded",
			"The account as a whole sent more messages a second than it may. Another phone would meet the same limit.",
		},
	}
}

// quotaCodes say that an allowance of hours or a day is used up. Another phone would meet the same limit.
func quotaCodes() []Code {
	const wait = "No attempt is spent on it: the text waits until the allowance is back, or until it is too old and comes to the dead letters."
	return []Code{
		{30022, fault.Quota, fault.Quota, quotaWait, "campaign's rate exceeded", "The carriers allow the A2P campaign so many messages a minute or a day, and that is used up. " + wait},
		{30023, fault.Quota, fault.Quota, quotaWait, "brand's daily cap reached", "The carrier allows the A2P brand so many messages a day, which begins at midnight Pacific Time. " + wait},
		{30027, fault.Quota, fault.Quota, quotaWait, "T-Mobile's daily limit reached", "T-Mobile allows the A2P brand so many messages a day, which begins at midnight Pacific Time. " + wait},
		{30454, fault.Quota, fault.Quota, quotaWait, "trial account's limit reached", "A trial account may send so many messages only; an upgrade takes effect within hours. " + wait},
		{60728, fault.Quota, fault.Quota, quotaWait, "account's hourly limit reached", "Twilio allows the account so many messages an hour, and that is used up. " + wait},
		{63018, fault.Quota, fault.Quota, quotaWait, "channel's limit reached", "The sender may send so many messages in 24 hours, and that is used up. " + wait},
		{63038, fault.Quota, fault.Quota, quotaWait, "account's daily limit reached", "Twilio allows the account so many messages in 24 hours, and that is used up. Twilio's support may raise it. " + wait},
	}
}

// interruptionCodes say that Twilio's own work broke off.
func interruptionCodes() []Code {
	const internal = "Something failed inside Twilio. Of a POST nobody knows whether the message exists, so it is looked up first; a receipt leaves no doubt that it was not delivered, and the same again may be."
	return []Code{
		{30020, fault.Unknown, fault.Transient, 0, "scheduling failed inside Twilio", internal},
		{30021, fault.Unknown, fault.Transient, 0, "service failed inside Twilio", internal},
		{63010, fault.Unknown, fault.Transient, 0, "internal error at Twilio", internal},
		{
			30047, fault.Transient, fault.Transient, 0, "not scheduled for a time that is allowed",
			"Twilio wanted to send the message at a later hour and failed to note it down. It is neither queued nor sent, and Twilio says to send it again.",
		},
	}
}

// requestCodes refuse the sender or the message itself: no phone of the route would get it.
func requestCodes() []Code {
	const sender = "The sender is the same for every phone of the route, so that no other phone would help: the routing table names a number that cannot be used."
	const defect = "The request is the same for every phone of the route, and repeating it changes nothing: this is a defect of the relay."
	return []Code{
		{21212, fault.Permanent, fault.Permanent, 0, "sender is no valid number", sender},
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
			"Twilio takes no message of these words, and they are the same for every phone of the route.",
		},
		{30042, fault.Permanent, fault.Permanent, 0, "sender's name is blocked", sender},
		{
			30044, fault.Permanent, fault.Permanent, 0, "too long for a trial account",
			"A trial account may send messages of few segments only, to whichever phone. Upgrade the account.",
		},
		{21606, fault.Permanent, fault.Permanent, 0, "sender is not the account's", sender},
		{21617, fault.Permanent, fault.Permanent, 0, "body too long", defect},
		{
			21620, fault.Permanent, fault.Permanent, 0, "media URL invalid",
			"The message is the same for every phone of the route, and its media cannot be fetched for any of them.",
		},
		{21623, fault.Permanent, fault.Permanent, 0, "too many media", defect},
		{21624, fault.Permanent, fault.Permanent, 0, "validity period invalid", defect},
		{21658, fault.Permanent, fault.Permanent, 0, "parameter too long", defect},
		{21659, fault.Permanent, fault.Permanent, 0, "sender is no Twilio number", sender},
		{21660, fault.Permanent, fault.Permanent, 0, "sender belongs to another account", sender},
	}
}

// recipientCodes refuse one phone. Nothing was sent, and the next phone of the route may well be reached.
func recipientCodes() []Code {
	return []Code{
		{
			21211, fault.Unreachable, fault.Unreachable, 0, "recipient is no valid number",
			"This phone cannot be texted at all, but the text itself is good: the next phone of the route may get it.",
		},
		{
			21265, fault.Unreachable, fault.Unreachable, 0, "recipient is a short code",
			"Short codes cannot be texted from here. It is this phone's entry in the route that is wrong, and the next one may be right.",
		},
		{
			21266, fault.Unreachable, fault.Unreachable, 0, "recipient and sender are the same",
			"The route leads back to the number that was texted. It is this phone's entry that is wrong, and the next one may be right.",
		},
		{
			21268, fault.Unreachable, fault.Unreachable, 0, "recipient is a premium number",
			"Twilio sends nothing to numbers of premium rates or information services. The next phone of the route may be an ordinary one.",
		},
		{
			21408, fault.Unreachable, fault.Unreachable, 0, "region not enabled for the account",
			"The account may not send to this phone's country. The next phone may be in a country that it may send to.",
		},
		{
			21608, fault.Unreachable, fault.Unreachable, 0, "recipient not verified for a trial account",
			"A trial account, or one without an approved profile, reaches verified phones only. The next phone may be one of them.",
		},
		{
			21610, fault.OptedOut, fault.OptedOut, 0, "recipient has opted out",
			"The phone texted STOP to this number, and Twilio lets nothing through to it until it texts START. It is marked in the route and passed over until then; the next phone may be reached.",
		},
		{
			21612, fault.Unreachable, fault.Unreachable, 0, "sender cannot reach the recipient",
			"There is no way from this sender to this phone. There may be one to the next phone.",
		},
		{
			21614, fault.Unreachable, fault.Unreachable, 0, "recipient is no mobile number",
			"This number takes no texts. The next phone of the route may.",
		},
		{
			21657, fault.Unreachable, fault.Unreachable, 0, "sender not supported at the destination",
			"Where this phone is, the sender may not be used. The next phone may be where it may.",
		},
		{
			572002, fault.Unreachable, fault.Unreachable, 0, "sender not assigned to this recipient",
			"A trial account texts each verified phone from the number that Twilio assigned to it, which is another one here. The next phone may fit.",
		},
		{
			572005, fault.Unreachable, fault.Unreachable, 0, "recipient's verification not finished",
			"A trial account reaches verified phones only, and this one has not entered its code yet. The next phone may have.",
		},
		{
			21635, fault.Unreachable, fault.Unreachable, 0, "recipient is a landline",
			"A landline takes no texts. The next phone of the route may be a mobile.",
		},
	}
}

// carrierCodes come in receipts, when the phone or its carrier did not take a message that Twilio had taken.
func carrierCodes() []Code {
	return []Code{
		{
			30003, fault.Unreachable, fault.Unreachable, 0, "handset unreachable",
			"The phone is off, out of range or out of order, for nobody knows how long. The next phone may be on.",
		},
		{
			30004, fault.Unreachable, fault.Unreachable, 0, "blocked by the recipient",
			"The phone or its carrier takes nothing from this number. The next phone may.",
		},
		{
			30005, fault.Unreachable, fault.Unreachable, 0, "handset unknown",
			"The carrier does not know this phone, or not any more. The next phone of the route may exist.",
		},
		{
			30006, fault.Unreachable, fault.Unreachable, 0, "landline or unreachable carrier",
			"The number is a landline, or there is no way to its carrier. The next phone may be a mobile of another carrier.",
		},
		{
			30007, fault.Unreachable, fault.Unreachable, 0, "filtered by the carrier",
			"A filter took the message for spam. The same again to the same phone would end the same, but another carrier's filter may let it through.",
		},
		{
			30008, fault.Unreachable, fault.Unreachable, 0, "not delivered for a reason unknown",
			"The carrier does not say why. Whatever it is, it is on the way to this phone; the next one may be reached.",
		},
		{
			30018, fault.Unreachable, fault.Unreachable, 0, "carrier wants a registered sender",
			"This phone's carrier takes messages of registered senders only. The next phone may be of another carrier or country.",
		},
		{
			30019, fault.Unreachable, fault.Unreachable, 0, "too large for the carrier",
			"This phone's carrier takes no message of that size. Another carrier may.",
		},
		{
			30453, fault.Unreachable, fault.Unreachable, 0, "phone blocked by pumping protection",
			"Twilio suspects fraud and blocks this phone for some hours, which is too long to wait for. The next phone is not blocked; one on Twilio's Global Safe List never is.",
		},
		{
			30610, fault.Unreachable, fault.Unreachable, 0, "recipient's quiet hours",
			"It is night where the phone is, and no message may be sent to it now. The next phone of the route may be where it is day; waiting for the morning would help nobody.",
		},
		{
			30615, fault.Unreachable, fault.Unreachable, 0, "recipient's quiet hours, stricter ones",
			"The law where the phone is lets no message through at this hour. The next phone of the route may be elsewhere; waiting for the morning would help nobody.",
		},
		{
			30410, fault.Unreachable, fault.Unreachable, 0, "carrier did not answer in time",
			"There is trouble on the way to this phone's carrier. The next phone may be another carrier's.",
		},
	}
}

// registrationCodes refuse what the sender is, or may do: every phone is refused alike, until someone has registered it.
func registrationCodes() []Code {
	const register = "The carriers refuse the sender for want of a registration. No other phone would help, and sending on spoils its reputation: register it first."
	const refused = "The registration itself was refused, so that carriers take nothing from this sender, whichever phone it is for: the use case has to change first."
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
