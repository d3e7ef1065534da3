package awsclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Call is what decides the meaning of a failed call of a service.
type Call struct {
	// Name is the service and the operation, such as "SQS SendMessage".
	Name string
	// Writes is whether the call may change something that a repeat would change again. If nobody knows how far a failed call
	// got, the failure is Unknown for such a call, and Transient for another.
	Writes bool
	// Doubtful is what the call's [Witness] saw; an earlier attempt in doubt makes every failure Unknown.
	Doubtful bool
	// Kind knows the error codes of the service itself; ok is false for one it does not know. It may be nil.
	Kind func(code string) (kind fault.Kind, ok bool)
}

// Fault classifies the failure of a call. Its text names the call, the service's error code and request id, and never what was
// sent or received, which the services' own messages quote. If something is missing or forbidden, it keeps the message, which
// names the resource and the permission.
func (c Call) Fault(err error) *fault.Error {
	f := &fault.Error{Kind: c.kind(err), HTTPStatus: status(err)}
	if c.Doubtful {
		f.Kind = fault.Unknown
	}
	f.Err = fmt.Errorf("%s: %w", c.Name, cause(err))
	return f
}

// EntryFault classifies one failed entry of a batch that was answered: the entry did not take effect. senderFault is
// whether the service blames the request.
func (c Call) EntryFault(code string, senderFault bool) *fault.Error {
	f := &fault.Error{Kind: fault.Transient, Err: fmt.Errorf("%s: entry refused with %s", c.Name, code)}
	if kind, ok := c.kindOfCode(code); ok {
		f.Kind = kind
	} else if senderFault {
		f.Kind = fault.Permanent
	}
	return f
}

// kind decides what the failure means for the attempt that err is about.
func (c Call) kind(err error) fault.Kind {
	if code, ok := Code(err); ok {
		if kind, ok := c.kindOfCode(code); ok {
			return kind
		}
	}
	answered := status(err)
	switch {
	case answered == http.StatusTooManyRequests:
		return fault.Throttled
	case answered >= http.StatusBadRequest && answered < http.StatusInternalServerError, neverBuilt(err):
		return fault.Permanent
	case !c.Writes, neverSent(err):
		return fault.Transient
	default:
		return fault.Unknown
	}
}

func (c Call) kindOfCode(code string) (kind fault.Kind, ok bool) {
	if c.Kind != nil {
		if kind, ok = c.Kind(code); ok {
			return kind, true
		}
	}
	return kindOfCode(code)
}

// kindOfCode knows the error codes that all services have.
func kindOfCode(code string) (kind fault.Kind, ok bool) {
	switch code {
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException", "SlowDown":
		return fault.Throttled, true
	case "AccessDenied", "AccessDeniedException", "NotAuthorized", "OptInRequired", "UnrecognizedClientException",
		"InvalidClientTokenId", "InvalidAccessKeyId", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"IncompleteSignature", "IncompleteSignatureException", "SignatureDoesNotMatch", "InvalidSignatureException",
		"InvalidSignature", "ExpiredToken", "ExpiredTokenException", "InvalidSecurity", "ResourceNotFoundException":
		return fault.Fatal, true
	case "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed":
		// The service refused it only because of the clock.
		return fault.Transient, true
	case "ValidationException", "ValidationError", "SerializationException", "InvalidParameterException",
		"InvalidParameterValue", "MissingParameter", "MalformedInput":
		return fault.Permanent, true
	default:
		return fault.Unknown, false
	}
}

// Code returns the service's error code, without the namespace that some answers put before it and the SDK leaves there, as in
// "com.amazonaws.sqs#QueueDoesNotExist"; ok is false if the failure was not the service's answer.
func Code(err error) (code string, ok bool) {
	answer, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return "", false
	}
	code = answer.ErrorCode()
	return code[strings.LastIndexByte(code, '#')+1:], true
}

// answeredError and tracedError are what the SDK's errors say about an answer.
type (
	answeredError interface {
		error
		HTTPStatusCode() int
	}
	tracedError interface {
		error
		ServiceRequestID() string
	}
)

// status returns the HTTP status of the answer, 0 if there was none.
func status(err error) int {
	if answered, ok := errors.AsType[answeredError](err); ok {
		return answered.HTTPStatusCode()
	}
	return 0
}

// neverBuilt reports whether the SDK refused the request itself.
func neverBuilt(err error) bool {
	_, invalid := errors.AsType[smithy.InvalidParamsError](err)
	_, unserializable := errors.AsType[*smithy.SerializationError](err)
	return invalid || unserializable
}

// neverSent reports whether there was no connection to send the request on.
func neverSent(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	network, ok := errors.AsType[*net.OpError](err)
	return ok && network.Op == "dial"
}

// cause returns what may be shown and stored of err.
func cause(err error) error {
	if code, ok := Code(err); ok {
		return errors.New(describe(code, err))
	}
	if timeout, ok := errors.AsType[*attemptTimeoutError](err); ok {
		return timeout
	}
	if transport, ok := errors.AsType[*url.Error](err); ok {
		return transport.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case neverBuilt(err):
		return errors.New("incomplete request")
	default:
		return errors.New("unreadable answer")
	}
}

// describe returns the service's answer in one line.
func describe(code string, err error) string {
	text := code
	if answer, ok := errors.AsType[smithy.APIError](err); ok && namesResource(code) {
		text += ": " + answer.ErrorMessage()
	}
	if traced, ok := errors.AsType[tracedError](err); ok && traced.ServiceRequestID() != "" {
		text += " (request " + traced.ServiceRequestID() + ")"
	}
	return text
}

// namesResource reports whether the message of such an answer names a resource and a permission, and nothing else.
func namesResource(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "ResourceNotFoundException", "QueueDoesNotExist":
		return true
	default:
		return false
	}
}
