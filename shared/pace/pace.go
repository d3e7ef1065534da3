// Package pace is the idea of sending no faster than a carrier allows: limits, the memory of reserved send times, and the
// pure function that reserves the next free one. A [Book] keeps that memory for all senders together. Nothing here
// waits: a sender waits for the time that it reserved.
package pace

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Limits are what a text is held to. The zero value holds it to nothing.
type Limits struct {
	// Pair is for the texts from one Twilio number to one phone, whatever their length: no span of Per, its end left
	// out, holds more than N of them.
	Pair Limit
	// Number is for all segments that one Twilio number sends: N at once, and then one each Per/N.
	Number Limit
}

// Off reports whether neither limit holds.
func (l Limits) Off() bool { return l.Pair.Off() && l.Number.Off() }

// Request asks for a moment to send one text at.
type Request struct {
	// Number is the Twilio number that sends, To the phone that it sends to.
	Number, To sms.PhoneNumber
	// Segments is how many segments the text takes, see [sms.Segments]; less than one counts as one.
	Segments int
	// Limits are what holds for this text.
	Limits Limits
	// By is the last moment that is of use; the zero time is any. If the next free moment is later, it is returned, and
	// nothing is booked: moments that nobody uses would push everyone else's further away.
	By time.Time
}

// Book is where all senders book, so that together they keep the limits.
type Book interface {
	// Reserve books the next free moment and returns it: now itself if the text may go at once, later otherwise. It is
	// never before now. With both limits off it returns now and books nothing.
	//
	// It makes at most one conditional write. If another process was quicker, nothing is booked, and the error is a
	// *fault.Error of kind Throttled whose RetryAfter is up to a second. Every other error is a *fault.Error, too.
	// Where an answer was lost, and after an error of kind Unknown, a moment may be booked all the same, which costs a
	// pause and does no harm.
	//
	// A moment that is booked and not used stays booked. What was booked by a clock that was ahead of now (by more than
	// clock.Skew) is void, see [State.Book].
	Reserve(ctx context.Context, r Request, now time.Time) (at time.Time, err error)
}
