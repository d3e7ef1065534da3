package plan

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ClaimingOf returns for how long a phone of the route has a conversation, and who can be texted.
func ClaimingOf(way route.Route) conversation.Claiming {
	return conversation.Claiming{Time: way.ClaimAge(), Rota: conversation.Rota{
		Phones: slices.DeleteFunc(way.Open(), way.IsOptedOut), Owner: ownerOf(way),
	}}
}

// ownerOf returns the owner's phone, empty if it cannot be texted.
func ownerOf(way route.Route) sms.PhoneNumber {
	owner := way.OwnerPhone()
	if owner == "" || way.IsOptedOut(owner) {
		return ""
	}
	return owner
}
