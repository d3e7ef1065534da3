package webhook

import (
	"errors"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

const (
	// spikeCount wrong signatures within spikeWindow are more than a stranger's attempts: a wrong setting refuses every
	// customer, and Twilio does not try again after a 403.
	spikeCount  = 5
	spikeWindow = 5 * time.Minute
	// spikeRest is how long a spike is not reported again.
	spikeRest = 10 * time.Minute
)

// checkSpike says what to look at.
const checkSpike = "Is the Auth Token (TWILIO_AUTH_TOKEN, or its secret on AWS) the account's primary one? " +
	"Is PUBLIC_BASE_URL exactly the URL that the number has, without /sms/…? " +
	"Does the proxy pass paths and queries on unchanged? relay doctor --only front-door-signature tries it. " +
	"If all three are right, someone is trying signatures"

// spike counts the signatures of late that did not match.
type spike struct {
	mu   sync.Mutex
	seen []time.Time
	told time.Time
}

// spike counts a refusal, and reports whether it makes a spike that was not reported yet, and how many refusals it has.
func (h *Handler) spike(o outcome) (seen int, isSpike bool) {
	if !errors.Is(o.err, signature.ErrMismatch) {
		return 0, false
	}
	return h.mismatches.add(h.config.Now())
}

// add counts one wrong signature at a time. If the clock was set back, the count starts again.
func (s *spike) add(now time.Time) (seen int, isSpike bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := s.seen[:0]
	for _, at := range s.seen {
		if age := now.Sub(at); age >= 0 && age < spikeWindow {
			recent = append(recent, at)
		}
	}
	s.seen = append(recent, now)
	// More are not needed to tell a spike: a flood does not grow the memory.
	s.seen = s.seen[max(0, len(s.seen)-spikeCount):]
	if len(s.seen) < spikeCount {
		return len(s.seen), false
	}
	if rest := now.Sub(s.told); !s.told.IsZero() && rest >= 0 && rest < spikeRest {
		return len(s.seen), false
	}
	s.told = now
	return len(s.seen), true
}
