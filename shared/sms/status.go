package sms

// Status is a message's status in Twilio's own words.
type Status string

// Twilio's statuses of an outbound message, and "received" for an inbound one.
const (
	StatusAccepted           Status = "accepted"
	StatusScheduled          Status = "scheduled"
	StatusQueued             Status = "queued"
	StatusSending            Status = "sending"
	StatusSent               Status = "sent"
	StatusDelivered          Status = "delivered"
	StatusUndelivered        Status = "undelivered"
	StatusFailed             Status = "failed"
	StatusCanceled           Status = "canceled"
	StatusRead               Status = "read"
	StatusReceiving          Status = "receiving"
	StatusReceived           Status = "received"
	StatusPartiallyDelivered Status = "partially_delivered"
)

// rank orders the statuses as a message goes through them. A message gets only one status of each rank.
func (s Status) rank() int {
	switch s {
	case StatusAccepted, StatusScheduled, StatusReceiving:
		return 1
	case StatusQueued:
		return 2
	case StatusSending:
		return 3
	case StatusSent, StatusPartiallyDelivered:
		return 4
	case StatusDelivered, StatusUndelivered, StatusFailed, StatusCanceled, StatusReceived:
		return 5
	case StatusRead:
		return 6
	default:
		return 0
	}
}

// Known reports whether this package knows the status.
func (s Status) Known() bool { return s.rank() > 0 }

// Final reports whether only StatusRead may follow s.
func (s Status) Final() bool { return s.rank() >= StatusDelivered.rank() }

// Lost reports whether s means that the phone will never get the message.
func (s Status) Lost() bool {
	return s == StatusUndelivered || s == StatusFailed || s == StatusCanceled
}

// Supersedes reports whether s, arriving now, replaces old. Receipts come late, twice and out of order, so a status only moves
// forward. Of the final statuses, only delivered may change, to read.
func (s Status) Supersedes(old Status) bool {
	if old.Final() {
		return old == StatusDelivered && s == StatusRead
	}
	return s.rank() > old.rank()
}
