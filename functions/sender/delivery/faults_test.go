package delivery_test

import (
	"context"
	"fmt"
	"sync"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// delayCheck refuses what SQS refuses of a delay.
type delayCheck struct{ *relaytest.MemoryQueue }

func (d delayCheck) Send(ctx context.Context, message queue.Outgoing) error {
	if message.Delay < 0 || message.Delay > queue.MaxDelay {
		return &fault.Error{Kind: fault.Permanent, Err: fmt.Errorf("delay of %v", message.Delay)}
	}
	return d.MemoryQueue.Send(ctx, message)
}

// faults are what is to fail: for each operation ("ledger before Create") the errors of its next calls, nil for none.
type faults struct {
	mu   sync.Mutex
	next map[string][]error
	// hook, if set, is asked about every operation first.
	hook func(op string) error
}

func (f *faults) of(whose string) relaytest.Fault {
	return func(op string) error { return f.ask(whose + " " + op) }
}

func (f *faults) ask(op string) error {
	f.mu.Lock()
	hook := f.hook
	f.mu.Unlock()
	if hook != nil {
		if err := hook(op); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.next[op]) == 0 {
		return nil
	}
	err := f.next[op][0]
	f.next[op] = f.next[op][1:]
	return err
}

// fail lets the next calls of an operation fail.
func (s *sender) fail(op string, errs ...error) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.next == nil {
		s.faults.next = map[string][]error{}
	}
	s.faults.next[op] = errs
}

// broken are n errors of a kind.
func broken(kind fault.Kind, n int) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = &fault.Error{Kind: kind, Err: context.DeadlineExceeded}
	}
	return errs
}
