package relaytest

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Fault makes a fake fail. The fake asks it twice about each operation, with "before Send" when nothing has happened
// yet and with "after Send" when it has: an error returned then is an answer that was lost on the way back. The error
// is returned to the fake's caller as it is, so that a test chooses its *fault.Error; nil lets the operation go on. A
// Fault may use the fake, and has to be safe for concurrent use if the fake is used so.
type Fault func(op string) error

// before returns what is to fail before the operation. An ended context counts as a fault, as it does with an adapter.
func (f Fault) before(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return &fault.Error{Kind: fault.Transient, Err: err}
	}
	if f == nil {
		return nil
	}
	return f("before " + op)
}

// after returns what is to fail after the operation.
func (f Fault) after(op string) error {
	if f == nil {
		return nil
	}
	return f("after " + op)
}
