package twiliofake

import "time"

// EventKind says what happened.
type EventKind string

// The kinds of events, and which fields of the Event each sets in addition to At and Message.
const (
	// EventMessageCreated: a create request, or a reply in TwiML, became a message.
	EventMessageCreated EventKind = "message_created"
	// EventMessageRefused: a create request was refused; ErrorCode and StatusCode. The Message has no Sid.
	EventMessageRefused EventKind = "message_refused"
	// EventStatusChanged: the message has a new Status. Its callback, if it has one, is posted next.
	EventStatusChanged EventKind = "status_changed"
	// EventCallback: a status callback was answered or given up; URL, StatusCode, ErrorCode, Attempts.
	EventCallback EventKind = "callback"
	// EventWebhook: an inbound message's webhook was answered or given up; URL, StatusCode, ErrorCode, Attempts.
	EventWebhook EventKind = "webhook"
)

// Event is one thing that happened.
type Event struct {
	Kind EventKind
	At   time.Time
	// Message is the message as it then was.
	Message Message
	// URL is what was posted to, without its fragment.
	URL string
	// StatusCode is the HTTP status of the answer, 0 if none came.
	StatusCode int
	// ErrorCode is Twilio's, 0 if all went well.
	ErrorCode int
	// Attempts counts the requests made.
	Attempts int
}

func (s *Server) emit(event Event) {
	event.At = s.cfg.Now().UTC()
	event.Message = event.Message.clone()
	s.cfg.OnEvent(event)
}
