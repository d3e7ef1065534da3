package console

import (
	"cmp"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// hands are what a person may do about who has a customer.
type hands struct {
	// From is the phone that has the customer, empty if none has.
	From sms.PhoneNumber
	// MayTake: nobody has the customer, and the person's own phone is on duty.
	MayTake bool
	// Phones are those that the customer can be handed over to.
	Phones []hand
}

// hand is a phone that can have a customer.
type hand struct {
	Number sms.PhoneNumber
	Name   string
	IsMine bool
}

// handsOf says what somebody may do about who has a customer, by the route of the customer's number.
func handsOf(way route.Route, c conversations.Shown, p signin.Person, now time.Time) (h hands) {
	if c.Claimer != nil {
		h.From = c.Claimer.Phone
	}
	if !way.KeepsClaims() || !p.Role.Includes(signin.Dispatcher) {
		return h
	}
	own, hasPhone := way.Resolve(p.Phone)
	if !hasPhone {
		own = sms.Typed(p.Phone)
	}
	rota := plan.ClaimingOf(way, now).Rota
	all := rota.Phones
	if rota.Owner != "" && !rota.OwnerIsOff {
		all = append(all[:len(all):len(all)], rota.Owner)
	}
	seen := map[sms.PhoneNumber]bool{h.From.Key(): h.From != ""}
	for _, number := range all {
		if seen[number.Key()] {
			continue
		}
		seen[number.Key()] = true
		one := hand{number, cmp.Or(way.NameOf(number), string(number)), p.Phone != "" && sms.Same(number, own)}
		h.MayTake = h.MayTake || one.IsMine && h.From == ""
		h.Phones = append(h.Phones, one)
	}
	return h
}
