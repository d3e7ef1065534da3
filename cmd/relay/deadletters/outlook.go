package deadletters

import (
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// Outlook is what would become of a text if its letter were moved back to the queue, as the ledger stands.
type Outlook string

const (
	// Again means that the text is dead, and would be sent.
	Again Outlook = "again"
	// First means that the ledger has no record of the text, which would be sent as if it had just come in.
	First Outlook = "first"
	// Onward means that the queue itself gave up on the message. The text was never dead, and goes on from where it stands.
	Onward Outlook = "onward"
	// Noted means that the letter is a receipt, which would be taken into account.
	Noted Outlook = "receipt"
	// Settles means that the text is dead, and Twilio has a message of it after all: the text would be settled, and not sent.
	Settles Outlook = "settles"
	// Taken means that Twilio has a message of this text. It would not be sent again.
	Taken Outlook = "taken"
	// InDoubt means that nobody knows whether Twilio has a message of the text. It would not be sent again.
	InDoubt Outlook = "in_doubt"
	// Listed means that Twilio lists the message, although the ledger does not know it. The sender, which does not ask, would send it again.
	Listed Outlook = "listed"
	// Stale means that the letter is that of an earlier death. It would change nothing; the last one may be about.
	Stale Outlook = "stale"
	// Ended means that the text has ended otherwise. It would not be sent again.
	Ended Outlook = "ended"
	// InHand means that the text is on its way at this moment, or its death is not recorded yet.
	InHand Outlook = "in_hand"
	// Unreadable means that the letter is no envelope. The sender would put it here again.
	Unreadable Outlook = "unreadable"
)

// Outlooks lists them all, those that move first.
func Outlooks() []Outlook {
	return []Outlook{Again, First, Onward, Noted, Settles, Taken, InDoubt, Listed, Stale, Ended, InHand, Unreadable}
}

// Moves reports whether something would come of moving the letter, other than what the ledger has already.
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

// Settled reports whether the letter is of no more use to its text: it may be dropped, and nothing is lost.
func (o Outlook) Settled() bool { return o == Taken || o == Stale || o == Ended }

// Meaning says it in words, for people.
func (o Outlook) Meaning() string {
	switch o {
	case Again:
		return "dead; would be sent again"
	case First:
		return "not in the ledger; would be sent"
	case Onward:
		return "given up by the queue; would go on from where it stands"
	case Noted:
		return "a receipt; would be taken into account"
	case Taken:
		return "Twilio has it, says the ledger; would not be sent again"
	case Settles:
		return "dead, and Twilio has it after all; would be settled, not sent"
	case InDoubt:
		return "Twilio may have it; would not be sent again"
	case Listed:
		return "Twilio has it, says Twilio's list, and the ledger does not know"
	case Stale:
		return "the letter of an earlier death; would change nothing"
	case Ended:
		return "has ended otherwise; would not be sent again"
	case InHand:
		return "the sender is at it now"
	case Unreadable:
		return "no envelope of the relay's; would come back"
	default:
		return string(o)
	}
}

// foresee says what the sender would do with the letter. The death itself is the ledger's own question, asked as the sender
// asks it.
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
		// Without the sender's own attributes the sender takes it for a repeat of the text's message.
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
