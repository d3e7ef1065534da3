// Package route says where the texts of a Twilio number go: a destination, then fallbacks. It holds the route, the
// maintenance.json form of it, the contract of a routing table and the short cache before it. It does not know where
// the table is kept (shared/aws/dynamo, shared/onehost/sqlite).
package route

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Route is one item of the routing table. The names are the table's attribute names.
type Route struct {
	// TwilioNumber is the number that customers text, in E.164; the table's key.
	TwilioNumber sms.PhoneNumber
	// DestinationCarrier is the phone that its texts go to first, in E.164.
	DestinationCarrier sms.PhoneNumber
	// FallbackCarriers are the phones to try after it, in order.
	FallbackCarriers []sms.PhoneNumber `json:",omitempty"`
	// Active routes relay. Texts that come in for an inactive route are dropped with that reason, see Takes.
	Active bool
	// Ring says which of the phones on duty get a text at first; empty means RingInTurn.
	Ring Ring `json:",omitempty"`
	// Threads are further Twilio numbers of the business, at most MaxThreads, from which its phones get texts: each customer in play
	// has one of them for each phone, so that the phone shows him as a conversation of its own.
	Threads []sms.PhoneNumber `json:",omitempty"`
	// Phones are the phones that have a name, at most MaxPhones. Each is a phone of the number, whether it is a hop or not.
	Phones []Phone `json:",omitempty"`
	// Owner is the phone that is told what nobody else takes care of: a name of Phones, or a number. Empty without one.
	Owner string `json:",omitempty"`
	// FormerThreads are numbers that were Threads until not long ago: a phone that writes to one of them is told that nobody gets it. The
	// relay keeps the list, see Switched.
	FormerThreads []FormerThread `json:",omitempty"`
	// TimeZone is the place, such as "America/Los_Angeles", by whose clocks Schedule and Overrides go.
	TimeZone string `json:",omitempty"`
	// Schedule says who is on duty when, at most MaxShifts entries; without one, the hops always are. Where entries overlap, the phones of
	// all of them are on duty, in the order of the entries.
	Schedule []Shift `json:",omitempty"`
	// Overrides replace the schedule for a time, at most MaxOverrides; of two for the same moment, the later one in the list counts.
	Overrides []Override `json:",omitempty"`
	// Closed says what happens to customers' texts while nobody is on duty; empty means ClosedRelay.
	Closed Closed `json:",omitempty"`
	// NightPhones get the texts then if Closed is ClosedNight, at most MaxShiftPhones.
	NightPhones []string `json:",omitempty"`
	// AutoAnswer are the texts with which the relay itself answers customers.
	AutoAnswer AutoAnswer `json:",omitzero"`
	// OnUncertain says what happens to a text if nobody could find out whether Twilio accepted it; empty means Park.
	OnUncertain OnUncertain `json:",omitempty"`
	// DeliveryTimeout is how long the relay waits for a hop's delivery receipt before it tries the next hop, from
	// MinDeliveryTimeout to MaxDeliveryTimeout; 0 means for ever.
	DeliveryTimeout Duration `json:",omitempty"`
	// MaxAge is how old a text may be when it is sent, from MinMaxAge to MaxMaxAge; 0 means DefaultMaxAge. See TextAge.
	MaxAge Duration `json:",omitempty"`
	// PaceNumber is how many segments the number may send in what time, as [pace.Parse] reads it: "3/1s", or "off". Empty means
	// the relay's own setting.
	PaceNumber string `json:",omitempty"`
	// AnswerWindow is for how long a conversation is in play on a phone, from MinAnswerWindow to MaxAnswerWindow; 0 means 24 hours.
	AnswerWindow Duration `json:",omitempty"`
	// HoldTime is how long words of a phone are held that nobody knows whom they are for, from MinHoldTime to MaxHoldTime; 0 means
	// DefaultHoldTime.
	HoldTime Duration `json:",omitempty"`
	// AnswerTimeout is how long a customer's text waits for an answer before it goes out to the next phone, from MinAnswerTimeout to
	// MaxAnswerTimeout; 0 means for ever.
	AnswerTimeout Duration `json:",omitempty"`
	// ClaimTime is for how long a phone has a conversation after its last own act, from MinClaimTime to MaxClaimTime; 0 means
	// DefaultClaimTime, see ClaimAge.
	ClaimTime Duration `json:",omitempty"`
	// OptedOut are the phones that texted STOP to the number, in the order in which the relay noticed. The relay keeps the list,
	// see MarkOptedOut. A number that is no phone of the route has no meaning here.
	OptedOut []sms.PhoneNumber `json:",omitempty"`
	// Off are the phones that are off duty for a time, whatever the schedule says: by their own word, see MarkOff, or an operator's. A
	// number that is no phone of the route has no meaning here.
	Off []Off `json:",omitempty"`
	// VerifyPhones: a phone that comes into the route from now on gets no customers' words before it has answered a code with which it was
	// texted. Nil means so for phones that an operator's command brings in, and not for those of a file. False ends it for those that
	// have yet to answer, too. Verifications is what the relay keeps of that, see Verify.
	VerifyPhones  *bool          `json:",omitempty"`
	Verifications []Verification `json:",omitempty"`
	// WaitedUntil is until when customers' texts last waited for a phone to be verified: they did not age. The relay keeps it.
	WaitedUntil time.Time `json:",omitzero"`
	// Removed is when an operator removed the route, which made it inactive; zero while it is in use. The item stays, so that
	// its history is kept, and its number still counts as routed. Writing the route again brings it back.
	Removed time.Time `json:",omitzero"`
	// OffSince is when an inactive route was switched off or removed, to the millisecond: texts that the front door accepted
	// before then are still sent. It is zero for an active route. Zero for an inactive route means that earlier texts are
	// dropped, too: an operator wanted that, or someone switched the route off by hand without a time.
	OffSince time.Time `json:",omitzero"`
	// LastUpdated is when the route was last written.
	LastUpdated time.Time
	// Version counts writes, from 1. An item written by hand may have no version, which counts as 0.
	Version int64
	// UpdatedBy says who wrote it last: "seed", or an operator's name.
	UpdatedBy string `json:",omitempty"`
}

// Hops returns the phones in the order in which they are tried.
func (r Route) Hops() []sms.PhoneNumber {
	hops := make([]sms.PhoneNumber, 0, 1+len(r.FallbackCarriers))
	hops = append(hops, r.DestinationCarrier)
	return append(hops, r.FallbackCarriers...)
}

// IsRemoved reports whether the route was removed.
func (r Route) IsRemoved() bool { return !r.Removed.IsZero() }

// Takes reports whether the route relays a text that the front door accepted at that time: an active route relays all texts,
// an inactive one those that came before it was switched off.
func (r Route) Takes(received time.Time) bool {
	return r.Active || !r.OffSince.IsZero() && !received.After(r.OffSince)
}

// Switched returns r as it is to be stored over before. If r is inactive, it sets OffSince: to now, or to before's if before
// was inactive, too. The threads that before has and r has not become its former ones, and the phones that r has and before has not
// are unverified if VerifyPhones is true. Every writer of routes calls it, or Edited.
func (r Route) Switched(before Route, now time.Time) Route {
	return r.switched(before, now, r.VerifyPhones != nil && *r.VerifyPhones)
}

// Edited is Switched for an operator's command: new phones are unverified, unless VerifyPhones is false.
func (r Route) Edited(before Route, now time.Time) Route {
	return r.switched(before, now, r.VerifyPhones == nil || *r.VerifyPhones)
}

func (r Route) switched(before Route, now time.Time, isStrict bool) Route {
	r.FormerThreads, r.Verifications = r.former(before, now), r.verifications(before, now, isStrict)
	r = r.after(before, now)
	switch {
	case r.Active:
		r.OffSince = time.Time{}
	case before.Active:
		r.OffSince = now.UTC().Truncate(time.Millisecond)
	default:
		r.OffSince = before.OffSince
	}
	return r
}

// Strictness says whether numbers that no phone can have are accepted. The zero value refuses them.
type Strictness bool

// TakeImpossible accepts them from an operator who insists: a numbering plan may be newer than this table of numbers.
const TakeImpossible Strictness = true

// Validate returns everything that is wrong with the route on its own, joined, or nil. Its numbers must be in canonical form,
// see [sms.PhoneNumber.Canonical].
func (r Route) Validate() error { return errors.Join(r.problems(false)...) }

// ValidateAs is Validate for an operator, who may insist on a number.
func (r Route) ValidateAs(how Strictness) error { return errors.Join(r.problems(how)...) }

func (r Route) problems(how Strictness) []error {
	var problems []error
	check := func(field string, number sms.PhoneNumber) {
		problem, impossible := number.Problem()
		if problem != "" && (!impossible || how != TakeImpossible) {
			problems = append(problems, fmt.Errorf("%s %q %s", field, string(number), problem))
		}
	}
	check("TwilioNumber", r.TwilioNumber)
	check("DestinationCarrier", r.DestinationCarrier)
	for i, fallback := range r.FallbackCarriers {
		check(fmt.Sprintf("FallbackCarriers[%d]", i), fallback)
	}
	for i, thread := range r.Threads {
		check(fmt.Sprintf("Threads[%d]", i), thread)
	}
	for i, p := range r.Phones {
		check(fmt.Sprintf("Phones[%d].Number", i), p.Number)
		for n, also := range p.Also {
			check(fmt.Sprintf("Phones[%d].Also[%d]", i, n), also)
		}
	}
	for _, who := range append([]string{r.Owner}, r.scheduled()...) {
		if field := "Owner"; strings.HasPrefix(who, "+") {
			if who != r.Owner {
				field = "a scheduled phone"
			}
			check(field, sms.PhoneNumber(who))
		}
	}
	problems = append(problems, r.repeats()...)
	return append(problems, r.settingProblems()...)
}

// repeats finds the numbers that the route has twice, its own number included.
func (r Route) repeats() []error {
	var problems []error
	seen := map[sms.PhoneNumber]bool{}
	for _, thread := range r.Threads {
		switch {
		case sms.Same(thread, r.TwilioNumber):
			problems = append(problems, fmt.Errorf("thread %s is the Twilio number itself: name further numbers", thread))
		case isAmong(r.everyNumber(), thread):
			problems = append(problems, fmt.Errorf("thread %s is a hop, too: texts would go round in a loop", thread))
		case seen[thread.Key()]:
			problems = append(problems, fmt.Errorf("thread %s is listed twice", thread))
		}
		seen[thread.Key()] = true
	}
	clear(seen)
	for _, hop := range r.Hops() {
		switch {
		case sms.Same(hop, r.TwilioNumber):
			problems = append(problems, fmt.Errorf("hop %s is the Twilio number itself: texts would go round in a loop", hop))
		case seen[hop.Key()]:
			problems = append(problems, fmt.Errorf("hop %s is listed twice", hop))
		}
		seen[hop.Key()] = true
	}
	return append(problems, r.phoneRepeats()...)
}
