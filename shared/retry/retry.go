// Package retry decides, in one pure function, what becomes of a text after a failed attempt. It reads no vendor's
// codes (the door classified them into a fault.Kind), keeps no state and does no waiting.
package retry

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Policy bounds the attempts.
type Policy struct {
	// Base is the delay after the first attempt; it doubles with each further one.
	Base time.Duration
	// Cap is the longest delay that doubling leads to, before the spread.
	Cap time.Duration
	// MaxAttempts is how many attempts there are, at least 1.
	MaxAttempts int
	// HaltDelay is how long a text waits while the account is unusable.
	HaltDelay time.Duration
}

// NewPolicy returns the policy of both sets: base and maxAttempts are settings, the rest is fixed. An unusable account is
// looked at every five minutes, so that a queue that counts receives (SQS: a thousand at most) holds out for days.
func NewPolicy(base time.Duration, maxAttempts int) Policy {
	return Policy{Base: base, Cap: 5 * time.Minute, MaxAttempts: maxAttempts, HaltDelay: 5 * time.Minute}
}

// Wait returns how long to leave a message that could not be worked on at all, when the queue has handed it out looks
// times (from 1). It is no attempt, and there is no end to it.
func (p Policy) Wait(looks int, spread float64) time.Duration { return p.backoff(looks, spread) }

// maxDelay bounds what a vendor may ask for: a queue hides a message for twelve hours at most.
const maxDelay = 6 * time.Hour

// Action is what to do with the text.
type Action int

const (
	// Again is back to the queue for Delay, then the next attempt.
	Again Action = iota + 1
	// Exhausted is the end of the last attempt that there may be: to the dead-letter queue.
	Exhausted
	// Refused is the end of a text that never will succeed: it ends as failed.
	Refused
	// Settle is for a text that may have been sent: find out, never repeat blindly.
	Settle
	// Halt is back to the queue for Delay; the attempt does not count, and someone has to mend the account.
	Halt
)

// Decision is the outcome.
type Decision struct {
	Action Action
	// Delay is set with Again and Halt.
	Delay time.Duration
}

// Decide returns what becomes of a text whose attempt failed with f, when spent attempts (this one included) count so
// far. spread, from 0 up to 1, is a random share that keeps many texts from coming back at once: the delay grows by up to a
// quarter with it.
func (p Policy) Decide(f *fault.Error, spent int, spread float64) Decision {
	switch f.Kind {
	case fault.Transient, fault.Throttled:
		if spent >= p.MaxAttempts {
			return Decision{Action: Exhausted}
		}
		return Decision{Action: Again, Delay: max(p.backoff(spent, spread), min(f.RetryAfter, maxDelay))}
	case fault.Permanent:
		return Decision{Action: Refused}
	case fault.Fatal:
		return Decision{Action: Halt, Delay: p.HaltDelay}
	case fault.Unknown:
		return Decision{Action: Settle}
	default:
		return Decision{Action: Settle}
	}
}

// backoff returns Base doubled for each attempt after the first, within Cap, plus the spread.
func (p Policy) backoff(spent int, spread float64) time.Duration {
	delay := p.Base
	for i := 1; i < spent && delay < p.Cap; i++ {
		delay *= 2
	}
	delay = min(delay, p.Cap)
	return delay + time.Duration(spread*float64(delay)/4)
}
