// Package retry decides, in one pure function, what happens to a text after a failed attempt. It reads no vendor's
// codes (the door classified them into a fault.Kind), keeps no state and does no waiting.
package retry

import (
	"fmt"
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

// Wait returns how long to leave a message that could not be worked on at all. due is how long it has been due. Waiting is not an
// attempt, and has no end. Each wait is as long as all before it together, within Base and Cap, so waits double.
func (p Policy) Wait(due time.Duration, spread float64) time.Duration {
	return Spread(min(max(due, p.Base), p.Cap), spread)
}

// maxDelay bounds what a vendor may ask for: a queue hides a message for twelve hours at most.
const maxDelay = 6 * time.Hour

// Answer is what is done about an outcome. There are seven, and each outcome has one.
type Answer int

const (
	// Sent is Twilio's yes: receipts are awaited.
	Sent Answer = iota + 1
	// Retry is the same again after Delay, unless the attempts are used up.
	Retry
	// NextHop is the same for the next phone of the route, at once; without one the text ends.
	NextHop
	// Failed is the end of a text that never will succeed.
	Failed
	// Unknown is for a text that may have been sent: find out, never repeat blindly.
	Unknown
	// Halt is Wait for every text: someone has to fix the account.
	Halt
	// Wait is the same again after Delay with no attempt spent, until the text is too old.
	Wait
)

// String returns the answer's name in lower case.
func (a Answer) String() string {
	switch a {
	case Sent:
		return "sent"
	case Retry:
		return "retry"
	case NextHop:
		return "next_hop"
	case Failed:
		return "failed"
	case Unknown:
		return "unknown"
	case Halt:
		return "halt"
	case Wait:
		return "wait"
	default:
		return fmt.Sprintf("retry.Answer(%d)", int(a))
	}
}

// AnswerTo returns the one answer to a failure of that kind.
func AnswerTo(kind fault.Kind) Answer {
	switch kind {
	case fault.Transient:
		return Retry
	case fault.NotSent, fault.Throttled, fault.Quota:
		return Wait
	case fault.Permanent:
		return Failed
	case fault.Unreachable, fault.OptedOut:
		return NextHop
	case fault.Fatal:
		return Halt
	case fault.Unknown:
		return Unknown
	default:
		return Unknown
	}
}

// Decision is the outcome.
type Decision struct {
	Answer Answer
	// Delay is set with Retry, Wait and Halt.
	Delay time.Duration
	// Exhausted is set with Retry if there is no attempt left.
	Exhausted bool
}

// Tried counts the attempts of a text at one phone, including the one that has just failed.
type Tried struct {
	// Spent attempts count towards MaxAttempts.
	Spent int
	// All attempts make the delays longer, those that do not count among them.
	All int
}

// Decide returns what to do with a text whose attempt failed with f, after that many attempts at this hop. spread, from 0 up
// to 1, is random and keeps many texts from coming back at once: it makes the delay up to a quarter longer.
func (p Policy) Decide(f *fault.Error, tried Tried, spread float64) Decision {
	d := Decision{Answer: AnswerTo(f.Kind)}
	switch d.Answer {
	case Retry, Wait:
		d.Exhausted = d.Answer == Retry && tried.Spent >= p.MaxAttempts
		if !d.Exhausted {
			d.Delay = max(p.backoff(tried.All, spread), min(f.RetryAfter, maxDelay))
		}
	case Halt:
		d.Delay = p.HaltDelay
	case Sent, NextHop, Failed, Unknown:
	}
	return d
}

// backoff returns Base doubled for each attempt after the first, within Cap, plus the spread.
func (p Policy) backoff(tries int, spread float64) time.Duration {
	delay := p.Base
	for i := 1; i < tries && delay < p.Cap; i++ {
		delay *= 2
	}
	delay = min(delay, p.Cap)
	return Spread(delay, spread)
}

// Spread returns the delay with up to a quarter more: the share, from 0 up to 1, of that quarter. It keeps many texts from
// coming back at once.
func Spread(delay time.Duration, share float64) time.Duration {
	return delay + time.Duration(share*float64(delay)/4)
}
