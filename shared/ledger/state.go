package ledger

import "slices"

// State is where a text is. Every text ends in one of the states that no other follows by itself.
type State string

const (
	// Queued waits on the queue for its next attempt.
	Queued State = "queued"
	// Sending holds the claim: an attempt is open, or its outcome is not known yet.
	Sending State = "sending"
	// Sent was accepted by Twilio; receipts are awaited.
	Sent State = "sent"
	// Delivered reached the phone.
	Delivered State = "delivered"
	// Undelivered was accepted by Twilio, but not by the carrier or the phone.
	Undelivered State = "undelivered"
	// Failed was refused for good: no retry can help, and nothing of ours is broken.
	Failed State = "failed"
	// Uncertain may or may not have been sent, and an operator has to look.
	Uncertain State = "uncertain"
	// Dropped was not relayed on purpose; the record's Reason says why.
	Dropped State = "dropped"
	// Dead used up its attempts and lies on the dead-letter queue.
	Dead State = "dead"
)

// States lists every state, in the order in which a text may go through them.
func States() []State {
	return []State{Queued, Sending, Sent, Delivered, Undelivered, Failed, Uncertain, Dropped, Dead}
}

// Reason says why a text was dropped, failed, parked or given up. These are the sender's own reasons; docs/state-machine.md says when
// each is given.
type Reason string

// Reasons of Dropped. ReasonExpired is also one of Dead: trouble that was not the text's own fault lasted until it was too old.
const (
	ReasonNoRoute  Reason = "no_route"
	ReasonInactive Reason = "inactive"
	ReasonLoop     Reason = "loop"
	ReasonOptOut   Reason = "opt_out"
	ReasonExpired  Reason = "expired"
	ReasonKeyword  Reason = "keyword"
	// ReasonUnaddressed: the phone on duty that wrote it did not say whom it is for.
	ReasonUnaddressed Reason = "unaddressed"
	// ReasonAutoReply: the phone on duty wrote it by itself, while its owner drove, say.
	ReasonAutoReply Reason = "auto_reply"
	// ReasonNotStaff: the phone that wrote it is not on duty any more, or has yet to be verified.
	ReasonNotStaff Reason = "not_staff"
	// ReasonInstruction: it was meant for the relay: a tag alone.
	ReasonInstruction Reason = "instruction"
	// ReasonReaction: a phone on duty acknowledged a customer's text by a reaction, or a customer reacted to something unnamed.
	ReasonReaction Reason = "reaction"
	// ReasonNoFirstPart: it is the second part of a text, and the phone did not get the first part.
	ReasonNoFirstPart Reason = "no_first_part"
	// ReasonBlocked: somebody has blocked the customer.
	ReasonBlocked Reason = "blocked"
	// ReasonForgotten: the customer was forgotten, and the text came back with an older backup.
	ReasonForgotten Reason = "forgotten"
	// ReasonAnswered: it was to go out again because nobody had answered the customer, and somebody did.
	ReasonAnswered Reason = "answered"
)

// Intended reports whether a text that was dropped for this reason is meant to reach nobody: the relay was built to drop it. For any
// other reason somebody should know, because a customer waits.
func (r Reason) Intended() bool {
	return slices.Contains([]Reason{
		ReasonLoop, ReasonOptOut, ReasonKeyword, ReasonAutoReply, ReasonNotStaff, ReasonInstruction, ReasonReaction,
		ReasonNoFirstPart, ReasonAnswered, ReasonBlocked, ReasonForgotten,
	}, r)
}

// Reasons of Queued, if the text does not wait for a retry.
const (
	// ReasonPace: the pace limits let the text go a little later.
	ReasonPace Reason = "pace"
	// ReasonHeld: a phone on duty wrote it, and has been asked whom it is for.
	ReasonHeld Reason = "held"
	// ReasonPingPong: so many texts went back and forth between a customer and a phone that it waits.
	ReasonPingPong Reason = "pingpong"
	// ReasonClosed: nobody is on duty, and it is held until somebody is. No queue has it; see OpenedAt of [Record].
	ReasonClosed Reason = "closed"
	// ReasonUnverified: each phone that would get it has yet to be verified, and it is held in the same way until one is.
	ReasonUnverified Reason = "unverified"
	// ReasonRing: its phones are being texted, all at the same time.
	ReasonRing Reason = "ring"
	// ReasonNextHop: a hop refused the text, or did not get it, and the next one is tried.
	ReasonNextHop Reason = "next_hop"
	// ReasonDeliveryTimeout: no receipt said delivered in time, and the next hop is tried.
	ReasonDeliveryTimeout Reason = "delivery_timeout"
	// ReasonResend: nobody knows whether the text was sent, and the route says to send it again.
	ReasonResend Reason = "resend"
	// ReasonResendOrder: an operator ordered the text to be sent again, because it reached nobody or is uncertain.
	ReasonResendOrder Reason = "resend_order"
	// ReasonRedrive: an operator moved the text's dead letter back to the queue.
	ReasonRedrive Reason = "redrive"
)

// ReasonExpiring is one of Queued: the text became too old while trouble lasted, and its dead letter is due.
const ReasonExpiring Reason = "expiring"

// Reasons of Failed, Uncertain and Dead.
const (
	// ReasonRefused: Twilio refused the message for good; the attempt has the code.
	ReasonRefused Reason = "refused"
	// ReasonReceipt: a receipt said failed or canceled; the attempt has the code.
	ReasonReceipt Reason = "receipt"
	// ReasonUnknownOutcome: Twilio's answer was lost, or the sender died before it came, and Twilio does not list the
	// message.
	ReasonUnknownOutcome Reason = "unknown_outcome"
	// ReasonUnreadableList: the same, or another copy of the relay's data may have sent the text, and Twilio's list could not be read
	// for a long time.
	ReasonUnreadableList Reason = "list_unreadable"
	// ReasonAmbiguous: the same, or another copy of the relay's data may have sent the text, but Twilio lists messages with the same
	// words, and there is no telling which text they are.
	ReasonAmbiguous Reason = "ambiguous"
	// ReasonGivenUp: an operator has looked, and nothing more is done about it.
	ReasonGivenUp Reason = "given_up"
	// ReasonAttemptsExhausted: transient trouble lasted through the last attempt.
	ReasonAttemptsExhausted Reason = "attempts_exhausted"
	// ReasonNoAddress: Twilio gave no sender of the text, or no number that was texted. The text is kept for people to see.
	ReasonNoAddress Reason = "no_address"
	// ReasonUndecodable: the queue held a message that is not an envelope. It is on the dead-letter queue only.
	ReasonUndecodable Reason = "undecodable"
)

// OfDeath reports whether the sender gives this reason to a text that it puts on the dead-letter queue: its attempts are used
// up, or it became too old while trouble lasted.
func (r Reason) OfDeath() bool { return r == ReasonAttemptsExhausted || r == ReasonExpired }

// next lists, for each state, those that may follow it. The empty state is a text not yet in the ledger.
func next(s State) []State {
	switch s {
	case "":
		return []State{Queued, Sending, Failed, Dropped}
	case Queued:
		return []State{Sending, Sent, Delivered, Undelivered, Failed, Uncertain, Dropped, Dead}
	case Sending:
		return []State{Queued, Sent, Delivered, Undelivered, Failed, Uncertain}
	case Sent:
		return []State{Queued, Delivered, Undelivered, Failed, Uncertain}
	case Uncertain:
		// A receipt that came after all settles it.
		return []State{Queued, Sent, Delivered, Undelivered, Failed}
	case Dead:
		// Only by an operator's redrive, see Redrive; or by that of a text to one of several phones, see Settle.
		return []State{Queued, Sent, Delivered, Failed, Uncertain}
	case Undelivered, Failed, Dropped:
		// Only by an operator's order, see Resend.
		return []State{Queued, Sent, Delivered}
	case Delivered:
		return nil
	default:
		return nil
	}
}

// Known reports whether s is one of [States].
func (s State) Known() bool { return slices.Contains(States(), s) }

// Final reports whether no state follows s by itself: only an operator moves a text on from there, if anybody does.
func (s State) Final() bool {
	return s == Dead || s.Resendable() && s != Uncertain || len(next(s)) == 0
}

// Resendable reports whether an operator may order a text in state s to be sent again, see Resend. A dead one has its letter.
func (s State) Resendable() bool {
	return s == Uncertain || s == Undelivered || s == Failed || s == Dropped
}

// MayBecome reports whether the state machine has the transition from s to t.
func (s State) MayBecome(t State) bool { return slices.Contains(next(s), t) }
