package deadletters

import (
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// Outlook is what would happen to a text if its letter were moved back to the queue now, according to the ledger.
type Outlook string

const (
	// Again means that the text is dead, and would be sent.
	Again Outlook = "again"
	// First means that the ledger has no record of the text. It would be sent as if it had just come in.
	First Outlook = "first"
	// Onward means that the queue itself gave up the message. The text was never dead, and would continue where it was.
	Onward Outlook = "onward"
	// Noted means that the letter is a receipt, which would be recorded.
	Noted Outlook = "receipt"
	// Settles means that the text is dead, but Twilio has a message of it: the text would be marked as sent, and not sent again.
	Settles Outlook = "settles"
	// Taken means that Twilio has a message of this text. It would not be sent again.
	Taken Outlook = "taken"
	// InDoubt means that nobody knows whether Twilio has a message of the text. It would not be sent again.
	InDoubt Outlook = "in_doubt"
	// Listed means that Twilio lists the message, but the ledger does not know it. The sender does not ask, and would send it again.
	Listed Outlook = "listed"
	// Stale means that the letter is from an earlier death. It would change nothing; the letter of the last death may still exist.
	Stale Outlook = "stale"
	// Ended means that the text has ended in another way. It would not be sent again.
	Ended Outlook = "ended"
	// InHand means that the sender is working on the text, or that its death is not recorded yet.
	InHand Outlook = "in_hand"
	// Unreadable means that the letter is not an envelope. The sender would put it here again.
	Unreadable Outlook = "unreadable"
)

// Outlooks lists all outlooks, starting with those that move.
func Outlooks() []Outlook {
	return []Outlook{Again, First, Onward, Noted, Settles, Taken, InDoubt, Listed, Stale, Ended, InHand, Unreadable}
}

// Moves reports whether moving the letter would change anything in the ledger or send the text.
func (o Outlook) Moves() bool {
	switch o {
	case Again, First, Onward, Noted, Settles:
		return true
	case Taken, InDoubt, Listed, Stale, Ended, InHand, Unreadable:
	}
	return false
}

// Sends reports whether the text may be sent if the letter is moved.
func (o Outlook) Sends() bool { return o == Again || o == First || o == Onward }

// Settled reports whether the letter is no longer needed: it may be dropped, and nothing is lost.
func (o Outlook) Settled() bool { return o == Taken || o == Stale || o == Ended }

// Meaning describes the outlook, for people.
func (o Outlook) Meaning() string {
	switch o {
	case Again:
		return "dead; would be sent again"
	case First:
		return "not in the ledger; would be sent"
	case Onward:
		return "given up by the queue; would continue where it was"
	case Noted:
		return "a receipt; would be recorded"
	case Taken:
		return "Twilio has it, according to the ledger; would not be sent again"
	case Settles:
		return "dead, but Twilio has it; would be marked as sent, not sent again"
	case InDoubt:
		return "Twilio may have it; would not be sent again"
	case Listed:
		return "Twilio has it, according to its list; the ledger does not know"
	case Stale:
		return "a letter from an earlier death; would change nothing"
	case Ended:
		return "has ended in another way; would not be sent again"
	case InHand:
		return "the sender is working on it now"
	case Unreadable:
		return "not an envelope of the relay; would come back"
	default:
		return string(o)
	}
}

// foresee says what the sender would do with the letter. For a dead text it asks the ledger the same question as the sender.
func foresee(l Letter) Outlook {
	r := l.Record
	switch {
	case l.Envelope.Kind == queue.KindReceipt:
		return Noted
	case l.Envelope.Kind == queue.KindTimer:
		return Onward
	case r.Version == 0:
		return First
	case r.State == ledger.Dead:
		return foreseeDead(l)
	case r.State == ledger.Queued, r.State == ledger.Sending:
		if l.Reason.OfDeath() {
			return InHand
		}
		return Onward
	case r.Awaited(), r.AcceptedByTwilio():
		return Taken
	case r.InDoubt():
		return InDoubt
	default:
		return Ended
	}
}

func foreseeDead(l Letter) Outlook {
	if !l.Reason.OfDeath() {
		// Without the sender's own attributes, the sender treats the letter as a repeat of the text's message.
		return Stale
	}
	redriven, changed, err := l.Record.Redrive(l.Attempts, l.Record.UpdatedAt)
	switch {
	case err == nil && changed && redriven.State == ledger.Queued:
		return Again
	case err == nil && changed:
		return Settles
	case l.Record.InDoubt():
		return InDoubt
	default:
		return Stale
	}
}
