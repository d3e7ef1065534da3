// Package fault names the kinds of trouble that decide what happens next. A door (the package that talks to one vendor)
// classifies the vendor's answer into a Kind; no other code reads vendor codes to decide anything.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what to do about a failure. The zero value is Unknown, the most careful of them.
type Kind int

const (
	// Unknown means that the action may or may not have happened. The relay finds out; it never guesses and never repeats
	// blindly.
	Unknown Kind = iota
	// Transient means that it did not happen, and the same call may succeed later.
	Transient
	// Throttled means that it did not happen because there was too much at once. Try later, and more slowly.
	Throttled
	// Permanent means that it did not happen, and the same call will never succeed.
	Permanent
	// Unreachable means that it did not happen because of the recipient; the same for another recipient may succeed.
	Unreachable
	// OptedOut means that it did not happen because the recipient asked for no more texts; another recipient may be reached.
	OptedOut
	// Fatal means that nothing can succeed until someone fixes the set-up (credentials, a suspended account).
	Fatal
	// NotSent means that the vendor received nothing: the request was not sent, or a proxy answered instead of the vendor. It is
	// safe to repeat and costs nothing.
	NotSent
	// Quota means that it did not happen because a limit for some hours or a day is used up.
	Quota
)

// String returns the kind's name in lower case, as in logs, metrics and records.
func (k Kind) String() string {
	switch k {
	case Unknown:
		return "unknown"
	case Transient:
		return "transient"
	case Throttled:
		return "throttled"
	case Permanent:
		return "permanent"
	case Unreachable:
		return "unreachable"
	case OptedOut:
		return "opted_out"
	case Fatal:
		return "fatal"
	case NotSent:
		return "not_sent"
	case Quota:
		return "quota"
	default:
		return fmt.Sprintf("fault.Kind(%d)", int(k))
	}
}

// Error is a classified failure. Its text is safe to store and log: it carries no number, body or secret.
type Error struct {
	// Kind decides what happens next.
	Kind Kind
	// Code is the vendor's own error code (Twilio: 21610), 0 if it gave none.
	Code int
	// HTTPStatus is the answer's HTTP status, 0 if no answer came.
	HTTPStatus int
	// RetryAfter is how long the vendor asked to wait, 0 if it did not say.
	RetryAfter time.Duration
	// OfMedia means that the message's attachments are the cause: the same words without them may succeed.
	OfMedia bool
	// Err is what happened. It may be nil.
	Err error
}

// Error describes the failure by kind, code, status and cause.
func (e *Error) Error() string {
	text := e.Kind.String()
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d", e.Code)
	}
	if e.HTTPStatus != 0 {
		text += fmt.Sprintf(", status %d", e.HTTPStatus)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Of returns the classified failure in err's chain. An error that no door classified counts as Unknown.
func Of(err error) *Error {
	if classified, ok := errors.AsType[*Error](err); ok {
		return classified
	}
	return &Error{Kind: Unknown, Err: err}
}
