// Package sms has the words of the trade: an address, an inbound message, an outbound one, a receipt and the statuses that
// Twilio gives a message. It is not a client: it has no I/O and imports only the standard library.
package sms

import (
	"log/slog"
	"time"
	"unicode/utf16"
)

// Message is one text that a customer sent to a Twilio number, as the incoming-message webhook gave it.
type Message struct {
	// Sid is Twilio's MessageSid ("SM" or "MM" and 32 hexadecimal digits), the identity of the text everywhere.
	Sid string `json:"MessageSid"`
	// AccountSid is the account that received it ("AC" and 32 hexadecimal digits).
	AccountSid string `json:"AccountSid,omitempty"`
	// MessagingServiceSid is set only if the number belongs to a Messaging Service ("MG…").
	MessagingServiceSid string `json:"MessagingServiceSid,omitempty"`
	// From is the customer, To the Twilio number that was texted.
	From PhoneNumber `json:"From"`
	To   PhoneNumber `json:"To"`
	// Body is the text, up to 1,600 characters, untrimmed. It may be empty when there is media.
	Body string `json:"Body,omitempty"`
	// NumSegments is how many SMS segments the text came in.
	NumSegments int `json:"NumSegments,omitempty"`
	// Media lists the attachments in Twilio's order.
	Media []Media `json:"Media,omitempty"`
	// OptOutType is "STOP", "START" or "HELP" if a Messaging Service's Advanced Opt-Out acted on the text, otherwise empty.
	OptOutType string `json:"OptOutType,omitempty"`
}

// LogValue shows who and how much, never what.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("message_sid", m.Sid), slog.Any("from", m.From), slog.Any("to", m.To),
		slog.Int("num_segments", m.NumSegments), slog.Int("num_media", len(m.Media)),
	)
}

// Media is one attachment of a message: its URL at Twilio (which needs credentials) and its MIME type.
type Media struct {
	URL         string `json:"MediaUrl"`
	ContentType string `json:"MediaContentType,omitempty"`
	// Token names the copy that the relay keeps and offers to Twilio until KeptUntil, see package media; empty while there is none.
	Token     string    `json:",omitempty"`
	KeptUntil time.Time `json:",omitzero"`
	// Size is how many bytes the attachment has, 0 while that is not known.
	Size int64 `json:",omitempty"`
	// Left means that the text goes without the attachment, and mentions it.
	Left bool `json:",omitempty"`
}

// Outbound is one message for Twilio to send, in the terms of its Messages resource.
type Outbound struct {
	// From is a sender that the account owns, To the phone to reach.
	From PhoneNumber
	To   PhoneNumber
	// Body is what is sent, at most MaxBody characters. It may be empty if there are MediaURLs.
	Body string
	// MediaURLs are where Twilio fetches the attachments, at most ten.
	MediaURLs []string
	// StatusCallback is the absolute URL to which Twilio posts receipts; empty asks for none.
	StatusCallback string
	// ValidityPeriod is for how long Twilio may keep the message in its queue, in whole seconds up to MaxValidityPeriod; 0
	// leaves it to Twilio, which uses MaxValidityPeriod.
	ValidityPeriod time.Duration
}

// LogValue shows who, never what.
func (m Outbound) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("from", m.From), slog.Any("to", m.To), slog.Int("num_media", len(m.MediaURLs)))
}

// MaxBody is the longest Body, by [Length], that Twilio accepts in one message (error 21617 beyond it).
const MaxBody = 1600

// MaxValidityPeriod is the longest ValidityPeriod there is.
const MaxValidityPeriod = 10 * time.Hour

// Length returns a text's length in UTF-16 units; an emoji has two. Twilio's page on error 21617 says "characters", and that
// an emoji counts as more than one; its bills count in the same units.
func Length(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// Receipt is one status callback: what happened to a message we sent.
type Receipt struct {
	// Sid is the outbound message's MessageSid.
	Sid string `json:"MessageSid"`
	// Status is the message's status now.
	Status Status `json:"MessageStatus"`
	// ErrorCode is Twilio's error code for undelivered and failed messages, otherwise 0.
	ErrorCode int `json:"ErrorCode,omitempty"`
	// CallbackRef is what the relay put into the callback's URL when it sent the message. With it a receipt finds its text even
	// if Twilio's answer to the POST was lost.
	CallbackRef
}

// Created is Twilio's answer to an Outbound that it accepted.
type Created struct {
	// Sid is the new message's MessageSid, Status its first status.
	Sid    string
	Status Status
	// NumSegments is how many segments it is billed as, 0 if Twilio does not know yet.
	NumSegments int
}
