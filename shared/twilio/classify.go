package twilio

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Exchange is how one HTTP exchange with Twilio went wrong, as far as it decides what may be done about it.
type Exchange struct {
	// Sent says that the request, or a part of it that Twilio could act on, may have left. It matters only while
	// Status is 0: an answer proves that it did.
	Sent bool
	// Status is the answer's HTTP status, 0 if none came.
	Status int
	// Code is the code in the answer's JSON, 0 if there was none or no readable JSON.
	Code int
	// RetryAfter is the answer's Retry-After, 0 if it had none.
	RetryAfter time.Duration
	// Err is why there is no answer, or why it cannot be used; nil if the answer speaks for itself. Its text must be
	// fit to be logged.
	Err error
}

// Classify says which fault.Kind a failed POST of a message is: whether the message exists (never: Transient,
// Throttled, Permanent, Fatal; nobody knows: Unknown) and whether the same POST may succeed. A 2xx that gets here is
// one whose answer did not name the message.
func Classify(e Exchange) *fault.Error {
	code, known := lookUp(e.Code)
	classified := &fault.Error{Code: e.Code, HTTPStatus: e.Status, RetryAfter: e.RetryAfter}
	classified.Kind = kindOf(e, code, known)
	if classified.RetryAfter == 0 && classified.Kind == fault.Throttled {
		classified.RetryAfter = code.RetryAfter
	}
	classified.Err = describe(e, code, known)
	return classified
}

// classifyRead is Classify for a GET. A read that failed has changed nothing, so nothing about it is unknown.
func classifyRead(e Exchange) *fault.Error {
	classified := Classify(e)
	switch {
	case classified.Kind == fault.Unknown:
		classified.Kind = fault.Transient
	case e.Status == http.StatusNotFound:
		classified.Kind = fault.Permanent
	}
	return classified
}

func kindOf(e Exchange, code Code, known bool) fault.Kind {
	switch {
	case e.Status == 0 && !e.Sent:
		return fault.Transient
	case e.Status < http.StatusBadRequest, e.Status >= http.StatusInternalServerError:
		return fault.Unknown
	case e.Status == http.StatusTooManyRequests:
		return fault.Throttled
	case e.Status == http.StatusUnauthorized:
		return fault.Fatal
	case known:
		return code.Kind
	case e.Status == http.StatusRequestTimeout:
		return fault.Unknown
	case (e.Status == http.StatusForbidden || e.Status == http.StatusNotFound) && e.Code == 0:
		// Not Twilio's own answer: a wrong base URL, or a proxy in between. Every text would fail for it.
		return fault.Fatal
	default:
		return fault.Permanent
	}
}

func describe(e Exchange, code Code, known bool) error {
	switch {
	case e.Status == 0 && !e.Sent:
		return fmt.Errorf("request was not sent: %w", e.Err)
	case e.Status == 0:
		return fmt.Errorf("request was sent, no answer: %w", e.Err)
	case known:
		return errors.New(code.Meaning)
	default:
		return e.Err
	}
}
