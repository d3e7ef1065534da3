package twilio

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
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
	// CutShort says that an answer came, but not the whole of it, so that its code is not known.
	CutShort bool
	// RetryAfter is the answer's Retry-After, 0 if it had none.
	RetryAfter time.Duration
	// Err is why there is no answer, or why it cannot be used; nil if the answer speaks for itself. Its text must be
	// fit to be logged.
	Err error
}

// Classify says which fault.Kind a failed POST of a message is: whether the message exists (Unknown: nobody knows; every other
// kind: it does not) and whether the same POST, or one to another phone, may succeed. A 2xx here is one whose answer did not
// name the message. The answers are in Codes, HTTPOutcomes and TransportOutcomes.
func Classify(e Exchange) *fault.Error {
	code, known := lookUp(e.Code)
	outcome, byCode := outcomeOf(e, known)
	classified := &fault.Error{Kind: outcome.Kind, Code: e.Code, HTTPStatus: e.Status, RetryAfter: e.RetryAfter, Err: e.Err}
	if byCode {
		classified.Kind = code.Post
	}
	switch {
	case e.Status == 0:
		classified.Err = fmt.Errorf("%s: %w", outcome.Meaning, e.Err)
	case known:
		classified.Err = errors.New(code.Meaning)
	case e.Err == nil && outcome.WithoutCode():
		classified.Err = errors.New(outcome.Meaning)
	}
	if classified.RetryAfter == 0 && waits(classified.Kind) {
		classified.RetryAfter = code.RetryAfter
	}
	return classified
}

// waits reports whether a code's own wait counts.
func waits(kind fault.Kind) bool { return kind == fault.Throttled || kind == fault.Quota }

// classifyRead is Classify for a GET. A read that failed has changed nothing, so nothing about it is unknown; and it is for
// no phone, so that another one would not help.
func classifyRead(e Exchange) *fault.Error {
	classified := Classify(e)
	switch {
	case classified.Kind == fault.Unknown, classified.Kind == fault.NotSent:
		classified.Kind = fault.Transient
	case e.Status == http.StatusNotFound, classified.Kind == fault.Unreachable, classified.Kind == fault.OptedOut:
		classified.Kind = fault.Permanent
	}
	return classified
}

var (
	errNotDelivered = errors.New("not delivered, for a reason that the relay does not know")
	errCanceled     = errors.New("canceled before it was sent")
)

// ClassifyReceipt says which fault.Kind a receipt is whose message was not delivered: undelivered, failed or canceled, with
// its ErrorCode (0 if it has none). It is never Unknown, because a receipt is certain. A receipt without a code, or with one
// that is not in Codes, is Unreachable: the message reached nobody, but a message to another phone may arrive. Only canceled
// is then Permanent: someone did that on purpose. Any other status is not a failure, and the result is nil.
func ClassifyReceipt(status sms.Status, code int) *fault.Error {
	if !status.Lost() {
		return nil
	}
	if known, found := lookUp(code); found {
		classified := &fault.Error{Kind: known.Receipt, Code: code, OfMedia: isOfMedia(code), Err: errors.New(known.Meaning)}
		if waits(known.Receipt) {
			classified.RetryAfter = known.RetryAfter
		}
		return classified
	}
	if status == sms.StatusCanceled {
		return &fault.Error{Kind: fault.Permanent, Code: code, Err: errCanceled}
	}
	return &fault.Error{Kind: fault.Unreachable, Code: code, Err: errNotDelivered}
}
