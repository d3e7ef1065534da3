package routing

import (
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ErrNoDestination means that a new route was given no destination.
var ErrNoDestination = errors.New("there is no such route yet, and a new one needs a phone")

// Settings are the new values of a route; a nil field stays as it is.
type Settings struct {
	To *sms.PhoneNumber
	// Fallbacks replace all earlier ones.
	Fallbacks       *[]sms.PhoneNumber
	Active          *bool
	Ring            *route.Ring
	OnUncertain     *route.OnUncertain
	DeliveryTimeout *route.Duration
	MaxAge          *route.Duration
	PaceNumber      *string
	AnswerWindow    *route.Duration
	HoldTime        *route.Duration
	AnswerTimeout   *route.Duration
	ClaimTime       *route.Duration
	// Threads replace all earlier ones.
	Threads *[]sms.PhoneNumber
	// Owner is a phone's name or number.
	Owner *string
	// TimeZone, Closed and NightPhones are about the schedule.
	TimeZone    *string
	Closed      *route.Closed
	NightPhones *[]string
	// Schedule replaces the earlier one.
	Schedule *[]route.Shift
	// AutoClosed and AutoNoOne are the texts of AutoAnswer.
	AutoClosed *string
	AutoNoOne  *string
	// VerifyPhones: phones that come into the route from now on have to be verified; nil in it means those of commands only.
	VerifyPhones **bool
}

// Change sets the fields of a route. A new route, and a removed one that comes back, is active unless Active is false. The error is
// ErrNoDestination.
func (s Settings) Change(r route.Route, exists bool) (route.Route, error) {
	if !exists && s.To == nil {
		return r, ErrNoDestination
	}
	if !exists || r.IsRemoved() {
		r.Active, r.Removed = true, time.Time{}
	}
	say(&r.DestinationCarrier, s.To)
	say(&r.FallbackCarriers, s.Fallbacks)
	say(&r.Active, s.Active)
	say(&r.Ring, s.Ring)
	say(&r.OnUncertain, s.OnUncertain)
	say(&r.DeliveryTimeout, s.DeliveryTimeout)
	say(&r.MaxAge, s.MaxAge)
	say(&r.PaceNumber, s.PaceNumber)
	say(&r.AnswerWindow, s.AnswerWindow)
	say(&r.HoldTime, s.HoldTime)
	say(&r.AnswerTimeout, s.AnswerTimeout)
	say(&r.ClaimTime, s.ClaimTime)
	say(&r.Threads, s.Threads)
	say(&r.Owner, s.Owner)
	say(&r.TimeZone, s.TimeZone)
	say(&r.Closed, s.Closed)
	say(&r.NightPhones, s.NightPhones)
	say(&r.Schedule, s.Schedule)
	say(&r.AutoAnswer.Closed, s.AutoClosed)
	say(&r.AutoAnswer.NoOne, s.AutoNoOne)
	say(&r.VerifyPhones, s.VerifyPhones)
	return r, nil
}

// say sets a field if there is a new value.
func say[T any](field, said *T) {
	if said != nil {
		*field = *said
	}
}
