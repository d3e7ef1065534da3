package auditlog

import (
	"slices"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// The subjects of entries.
const (
	SubjectMessage = "message"
	SubjectRoute   = "route"
	// SubjectConversation is a customer at a Twilio number.
	SubjectConversation = "conversation"
	// SubjectPhone is what an operator did to what is kept of a phone.
	SubjectPhone = "phone"
	// SubjectUser is what was done to somebody who signs in to the console.
	SubjectUser = "user"
	// SubjectUnreadable is a change from which no entry can be made.
	SubjectUnreadable = "unreadable"
)

// The changes that entries record.
const (
	ChangeCreated = "created"
	ChangeChanged = "changed"
	ChangeRemoved = "removed"
	ChangeExpired = "expired"
)

// Seen is a change's place and time in the change stream.
type Seen struct {
	// SequenceNumber is the change's place in the stream.
	SequenceNumber string
	// At is when the stream saw it.
	At time.Time
}

// MessageEntry makes the entry for a text's change, with its hash if the record has a seal. before is nil for a created
// record, after for a removed one. If the writer did not seal what it wrote, the entry says so.
func MessageEntry(before, after *ledger.Record, change string, seen Seen) (Entry, error) {
	entry := messageEntry(before, after, change, seen)
	var prev, seal string
	if before != nil {
		prev = before.Seal
	}
	if after != nil {
		seal = after.Seal
	}
	return entry.chained(prev, seal, after != nil)
}

// chained returns the entry with its hashes. prev is the item's seal before the change, seal the one after it; kept is false if the
// item was removed.
func (e Entry) chained(prev, seal string, kept bool) (Entry, error) {
	if prev == "" && seal == "" {
		// No seal before or after: an older version of the relay wrote the item.
		return e, nil
	}
	e.Prev = prev
	err := e.hash()
	if kept && err == nil && e.Hash != seal {
		e.Unsealed, e.Seal = true, seal
		err = e.hash()
	}
	return e, err
}

func messageEntry(before, after *ledger.Record, change string, seen Seen) Entry {
	latest := after
	if latest == nil {
		latest = before
	}
	entry := Entry{
		ID:           messageID(before, *latest, change, seen.SequenceNumber),
		Time:         timeOf(latest.UpdatedAt, after == nil, seen.At),
		Subject:      SubjectMessage,
		Change:       change,
		Version:      latest.Version,
		MessageSid:   latest.MessageSid,
		TwilioNumber: latest.TwilioNumber.Mask(),
		Customer:     latest.Customer.Mask(),
	}
	if before != nil {
		entry.From = string(before.State)
	}
	if after != nil {
		entry.To, entry.Reason = string(after.State), string(after.Reason)
		entry.Attempt = attemptOf(before, *after)
		if d := after.Decision; before == nil || !d.Same(before.Decision) {
			entry.Actor, entry.Decision, entry.Note = d.By, string(d.What), d.Note
		}
		if read := after.Reading; before == nil || read.Number != before.Reading.Number {
			entry.ReadBy = read.By
		}
	}
	return entry
}

// messageID returns the identity of a text's entry. A change without the relay leaves the version as it was; the place in the
// stream then makes the id unique.
func messageID(before *ledger.Record, latest ledger.Record, change, sequenceNumber string) string {
	text := ID(latest.MessageSid, latest.Version, change)
	if change == ChangeChanged && before != nil && before.Version >= latest.Version {
		text += place(sequenceNumber)
	}
	return text
}

// place writes a place in the stream at the end of an id.
func place(sequenceNumber string) string { return "@" + sequenceNumber }

// ID returns an entry's identity, the same however often the entry is made.
func ID(key string, version int64, change string) string {
	text := key + "." + strconv.FormatInt(version, 10)
	if change == ChangeRemoved || change == ChangeExpired {
		text += "." + change
	}
	return text
}

// timeOf returns when a text's record was changed: the record's own time, which is more exact than the stream's, or the
// stream's time if the record was removed.
func timeOf(updated time.Time, removed bool, seen time.Time) time.Time {
	if removed || updated.IsZero() {
		return ledger.Stamp(seen)
	}
	return ledger.Stamp(updated)
}

// attemptOf returns the attempt that the change is about: the one that changed, or otherwise the last.
func attemptOf(before *ledger.Record, after ledger.Record) *Attempt {
	if len(after.Attempts) == 0 {
		return nil
	}
	about := after.Attempts[len(after.Attempts)-1]
	if before != nil {
		for _, attempt := range after.Attempts {
			i := slices.IndexFunc(before.Attempts, func(a ledger.Attempt) bool { return a.Number == attempt.Number })
			if i >= 0 && differs(attempt, before.Attempts[i]) {
				about = attempt
				break
			}
		}
	}
	return &Attempt{
		Number: about.Number, Hop: about.Hop, Destination: about.To.Mask(), From: about.From.Mask(), OutboundSid: about.OutboundSid,
		Status: string(about.Status), Outcome: about.Outcome, ErrorCode: about.ErrorCode,
		Looks: about.Looks, Found: about.Found, HopDone: about.HopDone,
	}
}

// differs compares attempts. It compares times as moments: a time from the writer and the same time read from a store may be
// written differently, and both must make the same entry.
func differs(a, b ledger.Attempt) bool {
	if a.StartedAt.Equal(b.StartedAt) {
		a.StartedAt = b.StartedAt
	}
	if a.EndedAt.Equal(b.EndedAt) {
		a.EndedAt = b.EndedAt
	}
	return a != b
}
