package delivery

import (
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// halt holds all texts back while the account is unusable: its credentials are wrong, or it is suspended. Now and then
// one text goes through as a probe, and if Twilio answers it, all may go again. Each process finds out for itself.
type halt struct {
	mu sync.Mutex
	// until is when the halt ends, zero without a halt; since is when that was decided.
	since, until time.Time
}

// left returns how much of the halt is left. A halt that was decided after now is over: the clock was set back.
func (s *halt) left(now time.Time) time.Duration {
	if now.Before(s.since) {
		return 0
	}
	return max(0, s.until.Sub(now))
}

// hold returns how long to hold a text back, 0 to let it go on.
func (s *halt) hold(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left(now)
}

// isOn reports whether the account was found unusable, and no text has got through since.
func (s *halt) isOn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.until.IsZero()
}

// probe returns how long to hold a text back that is about to be posted, 0 to let it go. The one that is let go after a
// halt is the probe: until its outcome is known, or for patience, others are still held.
func (s *halt) probe(now time.Time, patience time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := s.left(now); left > 0 {
		return left
	}
	if !s.until.IsZero() {
		s.since, s.until = now, now.Add(patience)
	}
	return 0
}

// learn notes the outcome of a POST: nil if Twilio accepted the message.
func (s *halt) learn(f *fault.Error, now time.Time, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		s.until = time.Time{}
		return
	}
	switch f.Kind {
	case fault.Fatal:
		s.since, s.until = now, now.Add(pause)
	case fault.Permanent, fault.Unreachable, fault.OptedOut:
		// Twilio looked at the message and refused it, so the account is usable.
		s.until = time.Time{}
	case fault.Unknown, fault.Transient, fault.NotSent, fault.Throttled, fault.Quota:
	}
}
