package sms

import "time"

// Listed is a message as Twilio's Messages resource has it.
type Listed struct {
	Sid    string
	Status Status
	Body   string
	From   PhoneNumber
	To     PhoneNumber
	// Direction is DirectionAPI for messages sent through the API, DirectionInbound for those from customers; also
	// "outbound-call" and "outbound-reply".
	Direction string
	// DateCreated is exact to the second; the zero time if Twilio gave none.
	DateCreated time.Time
	// ErrorCode is Twilio's code if the message was not delivered, else 0.
	ErrorCode int
	// MessagingServiceSid is the Messaging Service that the message came or went through, empty if none.
	MessagingServiceSid string
	// NumMedia is how many attachments it has.
	NumMedia int
}

// The Directions of messages that were sent through the API, and of those that came in.
const (
	DirectionAPI     = "outbound-api"
	DirectionInbound = "inbound"
)

// ListFilter narrows a List. A zero field does not narrow it.
type ListFilter struct {
	To   PhoneNumber
	From PhoneNumber
	// SentAfter and SentBefore bound Twilio's date_sent, to the second and widened to whole ones. A message that is
	// still queued may have no date_sent yet: leave room, and compare DateCreated.
	SentAfter  time.Time
	SentBefore time.Time
	// CreatedAfter ends the list at the first page on which every message was created before it. It is not a filter of Twilio's,
	// so the list may include older messages.
	CreatedAfter time.Time
	// Limit is the most messages to return; 0 or less means 1,000.
	Limit int
}
