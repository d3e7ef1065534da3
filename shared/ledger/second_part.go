package ledger

import (
	"strconv"
	"time"
)

// NewSecondPart returns the record, not stored yet, of what did not fit into the message of an attempt that Twilio accepted. There is
// one for each phone: a text that goes on to another phone takes its second part along.
func (r Record) NewSecondPart(a Attempt, rest string, now time.Time) Record {
	sid := r.MessageSid + "/p2"
	if a.Hop > 0 {
		sid += "." + strconv.Itoa(a.Hop)
	}
	return Record{
		MessageSid: sid, TwilioNumber: r.TwilioNumber, Customer: r.Customer, Thread: a.From,
		Destination: a.To, Body: rest, SecondPart: true,
		ReceivedAt: r.ReceivedAt, UpdatedAt: Stamp(now), ExpiresAt: r.ExpiresAt,
	}
}

// LastAccepted returns the last attempt whose message Twilio accepted; ok is false if there is none.
func (r Record) LastAccepted() (attempt Attempt, ok bool) {
	for i := len(r.Attempts) - 1; i >= 0; i-- {
		if r.Attempts[i].Accepted() {
			return r.Attempts[i], true
		}
	}
	return Attempt{}, false
}
