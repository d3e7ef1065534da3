// Package pace is the idea of sending no faster than a carrier allows: limits, the memory of reserved send times, and the
// pure function that reserves the next free one. A [Book] keeps that memory for all senders together. Nothing here
// waits: a sender waits for the time that it reserved.
package pace

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Limits are the limits for a text. The zero value means none.
type Limits struct {
	// Pair limits the texts from one Twilio number to one phone, whatever their length: at most N in any span of Per, its end
	// excluded.
	Pair Limit
	// Number limits all segments that one Twilio number sends: N at once, and then one every Per/N.
	Number Limit
}

// Off reports whether both limits are off.
func (l Limits) Off() bool { return l.Pair.Off() && l.Number.Off() }

// Request asks for a time to send one text.
type Request struct {
	// Number is the Twilio number that sends, To the phone that it sends to.
	Number, To sms.PhoneNumber
	// Segments is how many segments the text has, see [sms.Segments]; less than one counts as one.
	Segments int
	// Limits are the limits for this text.
	Limits Limits
	// By is the last time that is useful; the zero time means any. If the next free time is later, it is returned and nothing is
	// booked: unused bookings would delay everyone else.
	By time.Time
}

// Book is where all senders book, so that together they respect the limits.
type Book interface {
	// Reserve books the next free time and returns it: now if the text may go at once, otherwise later. With both limits off it
	// returns now and books nothing.
	// It makes at most one conditional write. If another process was quicker, nothing is booked, and the error is a *fault.Error
	// of kind Throttled whose RetryAfter is up to a second. Every other error is a *fault.Error, too. If an answer was lost, and
	// after an error of kind Unknown, a time may be booked even so, which costs a pause and does no harm.
	// A booked time that is not used stays booked. A booking by a clock that was ahead of now (by more than clock.Skew) does not
	// count, see [State.Book].
	Reserve(ctx context.Context, r Request, now time.Time) (at time.Time, err error)
}
