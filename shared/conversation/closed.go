package conversation

import (
	"slices"
	"time"
)

// MaxClosed is how many texts of a customer are held while the number is closed. Further ones wait on the queue.
const MaxClosed = 200

// Closed are a customer's texts that are held until the number opens. As long as there are any, a timer that takes them up is pending: the
// message of the first one sets it.
type Closed struct {
	// MessageSids are the texts, in the order in which they were held.
	MessageSids []string `json:",omitempty"`
	// Since is when the first of them came, Until when they are to be taken up, as far as is known.
	Since time.Time `json:",omitzero"`
	Until time.Time `json:",omitzero"`
}

// IsFull reports whether no further text of the customer can be held.
func (k Closed) IsFull() bool { return len(k.MessageSids) >= MaxClosed }

// IsFirst reports whether the text is the first one that is held.
func (k Closed) IsFirst(messageSid string) bool {
	return len(k.MessageSids) > 0 && k.MessageSids[0] == messageSid
}

// Equal reports whether both are the same, with times compared as moments.
func (k Closed) Equal(other Closed) bool {
	return slices.Equal(k.MessageSids, other.MessageSids) && k.Since.Equal(other.Since) && k.Until.Equal(other.Until)
}

// Close returns c with a text that came at that time and is held until then. changed is false if it is noted.
func (c Conversation) Close(messageSid string, came, until time.Time) (closed Conversation, changed bool) {
	k := c.Closed
	if slices.Contains(k.MessageSids, messageSid) {
		return c, false
	}
	if len(k.MessageSids) == 0 {
		k.Since, k.Until = stamp(came), stamp(until)
	}
	k.MessageSids = append(slices.Clone(k.MessageSids), messageSid)
	c.Closed = k
	return c, true
}

// Open returns c without the texts that were taken up again. The others are held until then; the first of them came at since. changed is
// false if that is noted.
func (c Conversation) Open(taken []string, since, until time.Time) (opened Conversation, changed bool) {
	k := Closed{Since: stamp(since), Until: stamp(until)}
	k.MessageSids = slices.DeleteFunc(slices.Clone(c.Closed.MessageSids), func(sid string) bool { return slices.Contains(taken, sid) })
	if len(k.MessageSids) == 0 {
		k = Closed{}
	}
	changed = !k.Equal(c.Closed)
	c.Closed = k
	return c, changed
}
