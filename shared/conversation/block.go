package conversation

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Blocked is the last decision whether the customer's texts are kept from all phones; zero if there was none.
type Blocked struct {
	// On: no text goes to a phone. It is false after somebody let them through again.
	On bool
	// By is the operator who decided so, Phone the phone on duty that did; one of them is empty.
	By    string          `json:",omitempty"`
	Phone sms.PhoneNumber `json:",omitempty"`
	// Since is when, UTC, to the millisecond.
	Since time.Time
}

// Block returns c after that decision. changed is false if it changes nothing: a customer who is blocked stays blocked by whom he is. A
// customer who is blocked waits for no answer.
func (c Conversation) Block(b Blocked) (blocked Conversation, changed bool) {
	if b.On == c.Blocked.On {
		return c, false
	}
	b.Since = stamp(b.Since)
	c.Blocked = b
	if b.On {
		c, _ = c.See(Seen{At: b.Since, How: SeenBlocked, Phone: b.Phone, By: b.By})
	}
	return c, true
}

// Equal reports whether both are the same decision. Times are compared as moments.
func (b Blocked) Equal(other Blocked) bool {
	return b.On == other.On && b.By == other.By && b.Phone == other.Phone && b.Since.Equal(other.Since)
}
