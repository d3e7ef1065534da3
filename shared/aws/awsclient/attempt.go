package awsclient

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// attemptTimeoutID names the step that bounds an attempt; retryID names the SDK's step that repeats it.
const (
	attemptTimeoutID = "RelayAttemptTimeout"
	retryID          = "Retry"
)

// AttemptTimeout limits each attempt of a call to limit. As an option of one call it replaces the limit of its client. A limit
// on the HTTP client would have to be as long as the longest poll of a queue; one on the caller's context would leave nothing
// for a second attempt.
func AttemptTimeout(limit time.Duration) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		step := attemptTimeout(limit)
		if _, ok := stack.Finalize.Get(attemptTimeoutID); ok {
			_, err := stack.Finalize.Swap(attemptTimeoutID, step)
			return err
		}
		return stack.Finalize.Insert(step, retryID, middleware.After)
	}
}

// Streamed removes the time limit from a call whose answer is read as a stream after the call has returned: the limit would
// end the reading. The caller's context limits such a call.
func Streamed(stack *middleware.Stack) error {
	if _, ok := stack.Finalize.Get(attemptTimeoutID); !ok {
		return nil
	}
	_, err := stack.Finalize.Remove(attemptTimeoutID)
	return err
}

// attemptTimeout is the step of the SDK's stack that limits an attempt.
type attemptTimeout time.Duration

// ID names the step.
func (attemptTimeout) ID() string { return attemptTimeoutID }

// HandleFinalize makes the attempt, including the reading of its answer, with a deadline of its own.
func (limit attemptTimeout) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	bounded, cancel := context.WithTimeout(ctx, time.Duration(limit))
	defer cancel()
	out, metadata, err := next.HandleFinalize(bounded, in)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		// For the SDK, any end of a context is the caller's wish, and it would not try again.
		err = &attemptTimeoutError{limit: time.Duration(limit)}
	}
	return out, metadata, err
}

// attemptTimeoutError is an attempt without an answer in time.
type attemptTimeoutError struct{ limit time.Duration }

// Error says how long there was no answer.
func (e *attemptTimeoutError) Error() string { return fmt.Sprintf("no answer within %v", e.limit) }

// Timeout marks the error as a timeout.
func (e *attemptTimeoutError) Timeout() bool { return true }

// RetryableError asks the SDK for another attempt.
func (e *attemptTimeoutError) RetryableError() bool { return true }

// Witness is the Retryer of one call that remembers what its attempts may have done. A call's last error is about its last
// attempt only: an earlier attempt, whose answer was lost, may have succeeded.
type Witness struct {
	aws.Retryer
	// Doubtful is whether an attempt without an answer, or with a failure of the service itself, may have had an effect.
	Doubtful bool
}

// IsErrorRetryable notes the attempt's failure and passes the question on. The SDK asks it once after each failure,
// one after the other.
func (w *Witness) IsErrorRetryable(err error) bool {
	w.Doubtful = w.Doubtful || Call{Writes: true}.kind(err) == fault.Unknown
	return w.Retryer.IsErrorRetryable(err)
}
