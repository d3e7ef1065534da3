package auditlog

import (
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// actionPrefix is the beginning of the ids of these entries.
const actionPrefix = "action:"

// ActionEntry makes the entry of what an operator did to what is kept of a phone, about a customer or about a user. It is in no chain.
// before is nil for a created action, after for a removed one.
func ActionEntry(before, after *conversation.Action, change string, seen Seen) Entry {
	a := after
	if a == nil {
		a = before
	}
	id := actionPrefix + a.ID
	if change != ChangeCreated {
		// Somebody changed or removed it by hand.
		id += place(seen.SequenceNumber)
	}
	subject, number := SubjectPhone, a.TwilioNumber.Mask()
	if a.User != "" {
		subject, number = SubjectUser, ""
	}
	return Entry{
		// The time is the stream's: an operator's own clock may be wrong, and a log does not accept entries that are old or to come.
		ID: id, Time: ledger.Stamp(seen.At), Subject: subject, Change: change, TwilioNumber: number,
		Customer: a.Customer.Mask(), Phone: a.Phone.Mask(), Actor: a.By, Decision: string(a.Deed),
		MessageSid: a.MessageSid, User: a.User, Note: a.Note,
	}
}
