package route

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// OnUncertain says what happens to a text if nobody could find out whether Twilio accepted it.
type OnUncertain string

// The values of OnUncertain.
const (
	// Park leaves it for an operator: it may be lost, and is never sent twice. It is the default; the empty OnUncertain means
	// the same.
	Park OnUncertain = "park"
	// Resend sends it again: it may arrive twice, and is not lost.
	Resend OnUncertain = "resend"
)

// Ring says which of the phones on duty get a customer's text at first.
type Ring string

// The values of Ring.
const (
	// RingInTurn sends it to the first phone, and to the next one only if that fails. It is the default; the empty Ring means the same.
	RingInTurn Ring = "in_turn"
	// RingAll sends it to all of them at the same time.
	RingAll Ring = "all"
)

// MaxRing is how many phones get a text at the same time at most.
const MaxRing = 5

// DefaultMaxAge is how old a text may be when it is sent, if its route does not say.
const DefaultMaxAge = 4 * time.Hour

// The bounds of a route's durations.
const (
	MinDeliveryTimeout = 10 * time.Second
	MaxDeliveryTimeout = 12 * time.Hour
	MinMaxAge          = time.Minute
	MaxMaxAge          = 72 * time.Hour
	MinAnswerWindow    = time.Hour
	MaxAnswerWindow    = 7 * 24 * time.Hour
	MinHoldTime        = 5 * time.Minute
	MaxHoldTime        = 12 * time.Hour
	MinAnswerTimeout   = time.Minute
	MaxAnswerTimeout   = 12 * time.Hour
	MinClaimTime       = 5 * time.Minute
	MaxClaimTime       = 7 * 24 * time.Hour
)

// TextAge returns how old a text may be when it is sent: MaxAge, or DefaultMaxAge if the route does not say.
func (r Route) TextAge() time.Duration {
	if r.MaxAge == 0 {
		return DefaultMaxAge
	}
	return time.Duration(r.MaxAge)
}

// OpenOf returns those of the phones that have not opted out. If all have, it returns all of them, so that the text fails for the reason
// that Twilio gives.
func (r Route) OpenOf(hops []sms.PhoneNumber) []sms.PhoneNumber {
	open := make([]sms.PhoneNumber, 0, len(hops))
	for _, hop := range hops {
		if !r.IsOptedOut(hop) {
			open = append(open, hop)
		}
	}
	if len(open) == 0 {
		return hops
	}
	return open
}

// ValidateSettings returns what is wrong with the settings other than the numbers, joined, or nil. Each problem names its
// field and says what is wanted; none quotes the value.
func (r Route) ValidateSettings() error { return errors.Join(r.settingProblems()...) }

func (r Route) settingProblems() []error {
	var problems []error
	if !slices.Contains([]OnUncertain{"", Park, Resend}, r.OnUncertain) {
		problems = append(problems, fmt.Errorf("OnUncertain is neither %s nor %s", Park, Resend))
	}
	if !slices.Contains([]Ring{"", RingInTurn, RingAll}, r.Ring) {
		problems = append(problems, fmt.Errorf("Ring is neither %s nor %s", RingInTurn, RingAll))
	}
	problems = append(problems, r.ringProblems()...)
	within := func(field string, value Duration, least, most time.Duration) {
		if value != 0 && (time.Duration(value) < least || time.Duration(value) > most) {
			problems = append(problems, fmt.Errorf("%s is not from %v to %v", field, Duration(least), Duration(most)))
		}
	}
	if len(r.Threads) > MaxThreads {
		problems = append(problems, fmt.Errorf("%s has %d numbers, at most %d", "Threads", len(r.Threads), MaxThreads))
	}
	problems = append(append(problems, r.phoneProblems()...), append(r.scheduleProblems(), r.autoAnswerProblems()...)...)
	within("DeliveryTimeout", r.DeliveryTimeout, MinDeliveryTimeout, MaxDeliveryTimeout)
	within("MaxAge", r.MaxAge, MinMaxAge, MaxMaxAge)
	within("AnswerWindow", r.AnswerWindow, MinAnswerWindow, MaxAnswerWindow)
	within("HoldTime", r.HoldTime, MinHoldTime, MaxHoldTime)
	within("AnswerTimeout", r.AnswerTimeout, MinAnswerTimeout, MaxAnswerTimeout)
	within("ClaimTime", r.ClaimTime, MinClaimTime, MaxClaimTime)
	if r.PaceNumber != "" {
		if _, err := pace.Parse(r.PaceNumber); err != nil {
			problems = append(problems, fmt.Errorf("PaceNumber: %w", err))
		}
	}
	return problems
}

// MaxThreads is how many further numbers a route has at most: all that is kept of a phone is read in one call.
const MaxThreads = 8

// DefaultHoldTime is how long words of a phone on duty are held that nobody knows whom they are for.
const DefaultHoldTime = time.Hour

// InPlayTime returns for how long a conversation is in play on a phone.
func (r Route) InPlayTime() time.Duration { return time.Duration(r.AnswerWindow) }

// HoldAge returns how long words of a phone on duty are held.
func (r Route) HoldAge() time.Duration {
	if r.HoldTime == 0 {
		return DefaultHoldTime
	}
	return time.Duration(r.HoldTime)
}

// DefaultClaimTime is for how long a phone has a conversation after its last own act, if the route does not say.
const DefaultClaimTime = 4 * time.Hour

// ClaimAge returns for how long a phone has a conversation after its last own act.
func (r Route) ClaimAge() time.Duration {
	if r.ClaimTime == 0 {
		return DefaultClaimTime
	}
	return time.Duration(r.ClaimTime)
}

// KeepsClaims reports whether it is kept who has a conversation, and whether a customer waits. That costs a write for each text and each
// answer, so a route that uses nothing of it goes without.
func (r Route) KeepsClaims() bool {
	return r.AnswerTimeout != 0 || r.ClaimTime != 0 || len(r.Phones) > 0 || r.Ring == RingAll
}

// ringProblems finds who would be more phones at the same time than a text goes to.
func (r Route) ringProblems() []error {
	if r.Ring != RingAll {
		return nil
	}
	var problems []error
	check := func(field string, phones int) {
		if phones > MaxRing {
			problems = append(problems, fmt.Errorf("%s has %d phones, at most %d with Ring %s", field, phones, MaxRing, RingAll))
		}
	}
	check("the route", 1+len(r.FallbackCarriers))
	for i, s := range r.Schedule {
		check(fmt.Sprintf("Schedule[%d].Phones", i), len(s.Phones))
	}
	for i, o := range r.Overrides {
		check(fmt.Sprintf("Overrides[%d].Phones", i), len(o.Phones))
	}
	check("NightPhones", len(r.NightPhones))
	return problems
}
