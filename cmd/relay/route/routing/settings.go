package routing

import (
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ErrNoDestination means that a route that does not exist yet was given no destination.
var ErrNoDestination = errors.New("there is no such route yet, and a new one needs a phone")

// Settings are what is said of a route; what is nil stays as it is.
type Settings struct {
	To *sms.PhoneNumber
	// Fallbacks take the place of all that there are.
	Fallbacks       *[]sms.PhoneNumber
	Active          *bool
	OnUncertain     *route.OnUncertain
	DeliveryTimeout *route.Duration
	MaxAge          *route.Duration
	PaceNumber      *string
}

// Change makes what is said of a route. A new one, and one that comes back from its removal, is active unless it is said
// that it is not. The error is ErrNoDestination.
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
	say(&r.OnUncertain, s.OnUncertain)
	say(&r.DeliveryTimeout, s.DeliveryTimeout)
	say(&r.MaxAge, s.MaxAge)
	say(&r.PaceNumber, s.PaceNumber)
	return r, nil
}

// say sets a field if something is said of it.
func say[T any](field, said *T) {
	if said != nil {
		*field = *said
	}
}
