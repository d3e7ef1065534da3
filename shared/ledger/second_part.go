package ledger

import (
	"slices"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// NewSecondPart returns the record, not stored yet, of what did not fit into the message of an attempt that Twilio accepted. There is
// one for each phone: a text that goes on to another phone takes its second part along. others is how many second parts for other phones
// have been found under the names that this one could have: a route that was changed may have had another phone at the same hop.
func (r Record) NewSecondPart(a Attempt, others int, rest string, now time.Time) Record {
	sid := r.MessageSid + "/p2"
	if place := a.Hop + others*maxHops; place > 0 {
		sid += "." + strconv.Itoa(place)
	}
	return Record{
		MessageSid: sid, TwilioNumber: r.TwilioNumber, Customer: r.Customer, Thread: a.From,
		Destination: a.To, Body: rest, SecondPart: true,
		ReceivedAt: r.ReceivedAt, RedrivenAt: r.RedrivenAt, OpenedAt: r.OpenedAt, UpdatedAt: Stamp(now), ExpiresAt: r.ExpiresAt,
	}
}

// Again takes back a second part that ended because its phone did not get the first part, once it has got that; or that was too old, once
// an operator has had the first part sent again. changed is false if the second part ended otherwise, or did not end.
func (r Record) Again(first Record, now time.Time) (again Record, changed bool, err error) {
	isLate := r.Reason == ReasonExpired && first.RedrivenAt.After(r.RedrivenAt)
	if r.State != Dropped || r.Reason != ReasonNoFirstPart && !isLate {
		return r, false, nil
	}
	if again, err = r.move(Queued, "", now); err != nil {
		return r, false, err
	}
	again.RedrivenAt, again.OpenedAt, again.NotBefore = first.RedrivenAt, first.OpenedAt, Stamp(now)
	return again, true, nil
}

// maxHops is more than any route has.
const maxHops = 20

// FirstParts returns, for each phone at which Twilio accepted a message of the text, the last such attempt, the oldest first. Its Hop is
// where the phone was in the route at the first one, which the second part's name is made from: the route may have changed since.
func (r Record) FirstParts() []Attempt {
	var all []Attempt
	for _, a := range r.Attempts {
		if !a.Accepted() {
			continue
		}
		if i := slices.IndexFunc(all, func(earlier Attempt) bool { return sms.Same(earlier.To, a.To) }); i >= 0 {
			a.Hop = all[i].Hop
			all = slices.Delete(all, i, i+1)
		}
		all = append(all, a)
	}
	return all
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
