package conversation

import (
	"slices"
	"time"
)

// MaxClosed is how many texts of a customer are held while the number is closed. Further ones wait on the queue.
const MaxClosed = 200

// Closed are a customer's texts that are held until the number opens.
type Closed struct {
	// Texts are in the order in which they were held.
	Texts []ClosedText `json:",omitempty"`
	// Since is when the first of them came, Until when they are to be taken up, as far as is known.
	Since time.Time `json:",omitzero"`
	Until time.Time `json:",omitzero"`
	// IsSet: a timer that takes them up was set, and comes again until there are none. Without it, the message of one of them is still there,
	// and sets it.
	IsSet bool `json:",omitempty"`
}

// ClosedText is a text that is held. Version is that of its record when it was noted: a text may be held again, before it is noted that it
// was taken up.
type ClosedText struct {
	MessageSid string
	Version    int64
}

// IsFull reports whether no further text of the customer can be held.
func (k Closed) IsFull() bool { return len(k.Texts) >= MaxClosed }

// Equal reports whether both are the same, with times compared as moments.
func (k Closed) Equal(other Closed) bool {
	return slices.Equal(k.Texts, other.Texts) && k.Since.Equal(other.Since) && k.Until.Equal(other.Until) && k.IsSet == other.IsSet
}

// Close returns c with a text that came at that time and is held until then. changed is false if it is noted.
func (c Conversation) Close(text ClosedText, came, until time.Time) (closed Conversation, changed bool) {
	k := c.Closed
	if slices.Contains(k.Texts, text) {
		return c, false
	}
	if len(k.Texts) == 0 {
		k.Since, k.Until = stamp(came), stamp(until)
	}
	k.Texts = append(slices.Clone(k.Texts), text)
	c.Closed = k
	return c, true
}

// Remind returns c with the note that the timer is set. changed is false if it is noted, or nothing is held any more.
func (c Conversation) Remind() (reminded Conversation, changed bool) {
	changed = len(c.Closed.Texts) > 0 && !c.Closed.IsSet
	c.Closed.IsSet = c.Closed.IsSet || changed
	return c, changed
}

// Open returns c without the texts that were taken up again. The others are held until then; the first of them came at since. changed is
// false if that is noted.
func (c Conversation) Open(taken []ClosedText, since, until time.Time) (opened Conversation, changed bool) {
	k := Closed{Since: stamp(since), Until: stamp(until), IsSet: c.Closed.IsSet}
	k.Texts = slices.DeleteFunc(slices.Clone(c.Closed.Texts), func(t ClosedText) bool { return slices.Contains(taken, t) })
	if len(k.Texts) == 0 {
		k = Closed{}
	}
	changed = !k.Equal(c.Closed)
	c.Closed = k
	return c, changed
}
