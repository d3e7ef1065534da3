package plan

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ClaimingOf returns for how long a phone of the route has a conversation, and who can be texted at that moment.
func ClaimingOf(way route.Route, at time.Time) conversation.Claiming {
	return conversation.Claiming{Time: way.ClaimAge(), Rota: conversation.Rota{
		Phones: slices.DeleteFunc(way.PhonesAt(at), way.IsOptedOut), Owner: ownerOf(way), OwnerIsOff: way.IsOff(way.OwnerPhone(), at),
		Rings: way.Ring == route.RingAll,
	}}
}

// ownerOf returns the owner's phone, empty if it cannot be texted.
func ownerOf(way route.Route) sms.PhoneNumber {
	owner := way.OwnerPhone()
	if owner == "" || way.IsOptedOut(owner) || way.IsUnverified(owner) {
		return ""
	}
	return owner
}
