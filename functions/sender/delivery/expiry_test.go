package delivery_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// maxAge is an edit that gives the route's texts an age at which they are too old.
func maxAge(d time.Duration) func(r *route.Route) {
	return func(r *route.Route) { r.MaxAge = route.Duration(d) }
}

// A text that is too old before its first attempt is dropped, by what its route says.
func TestExpiredBeforeTheFirstAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		maxAge, age time.Duration
		state       ledger.State
		reason      ledger.Reason
	}{
		"by default, just in time": {0, 4*time.Hour - time.Millisecond, ledger.Sent, ""},
		"by default":               {0, 4 * time.Hour, ledger.Dropped, ledger.ReasonExpired},
		"sooner":                   {time.Minute, time.Minute, ledger.Dropped, ledger.ReasonExpired},
		"later":                    {72 * time.Hour, 71 * time.Hour, ledger.Sent, ""},
		"later, too":               {72 * time.Hour, 72 * time.Hour, ledger.Dropped, ledger.ReasonExpired},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(maxAge(tt.maxAge))
			s.queueUp(textOf(1, nil), textOf(1, nil))
			s.clock.Advance(tt.age)
			s.checkBack(0)
			s.checkState(1, tt.state, tt.reason)
			if tt.state == ledger.Dropped {
				s.checkPosts(0)
				if s.measured["Dropped expired"] != 1 || s.measured["Outcome dropped"] != 1 {
					t.Errorf("measured %v", s.measured)
				}
			}
		})
	}
}

// A text that becomes too old while its customer is given a tag is not sent, and books no send time.
func TestExpiresWhileATagIsGiven(t *testing.T) {
	s := newSender(t)
	s.reroute(maxAge(time.Minute))
	s.faults.hook = func(op string) error {
		if op == "conversations after PutTag" {
			s.clock.Advance(time.Minute)
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.checkState(1, ledger.Dropped, ledger.ReasonExpired)
	s.checkPosts(0)
}

// Twilio gives up on a message when the text is too old: what is left is its ValidityPeriod.
func TestValidityPeriodIsWhatIsLeft(t *testing.T) {
	for name, tt := range map[string]struct{ maxAge, age, want time.Duration }{
		"all of it":            {time.Hour, 0, time.Hour},
		"half of it":           {time.Hour, 30 * time.Minute, 30 * time.Minute},
		"whole seconds":        {time.Hour, 1500 * time.Millisecond, time.Hour - 2*time.Second},
		"the last second":      {time.Minute, time.Minute - 300*time.Millisecond, time.Second},
		"Twilio's most":        {72 * time.Hour, 0, sms.MaxValidityPeriod},
		"almost, near the end": {72 * time.Hour, 70 * time.Hour, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(maxAge(tt.maxAge))
			s.queueUp(textOf(1, nil))
			s.clock.Advance(tt.age)
			s.checkBack(0)
			if got := s.twilio.Posts()[0].ValidityPeriod; got != tt.want {
				t.Errorf("ValidityPeriod %v, want %v", got, tt.want)
			}
		})
	}
}

// A text that grows too old between its attempts is not sent stale.
func TestExpiresBetweenRetries(t *testing.T) {
	for name, tt := range map[string]struct {
		errs   []error
		posts  int
		state  ledger.State
		reason ledger.Reason
	}{
		"trouble": {
			[]error{refusal(fault.Transient, 0), &fault.Error{Kind: fault.Throttled, RetryAfter: 2 * time.Minute}},
			2,
			ledger.Dead, ledger.ReasonExpired,
		},
		"unusable":        {[]error{refusal(fault.Fatal, 20003)}, 1, ledger.Dead, ledger.ReasonExpired},
		"looked for":      {[]error{lostPost()}, 1, ledger.Uncertain, ledger.ReasonUnknownOutcome},
		"looked, resend":  {[]error{lostPost()}, 1, ledger.Uncertain, ledger.ReasonUnknownOutcome},
		"trouble in time": {[]error{refusal(fault.Transient, 0), refusal(fault.Transient, 0)}, 3, ledger.Sent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(func(r *route.Route) {
				maxAge(time.Minute)(r)
				if name == "looked, resend" {
					resend(r)
				}
			})
			s.twilio.answer = answers(tt.errs...)
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkPosts(tt.posts)
			s.checkState(1, tt.state, tt.reason)
			checkChanges(t, s.ledger.Changes())
			if n := len(s.dead.Messages()); n > 0 != (tt.state == ledger.Dead) {
				t.Errorf("%d dead letters", n)
			}
		})
	}
}

// A text that is too old for its next hop ends where the hops before have left it.
func TestExpiresInACascade(t *testing.T) {
	for name, tt := range map[string]struct {
		status sms.Status
		code   int
		state  ledger.State
		reason ledger.Reason
	}{
		"undelivered, too late": {sms.StatusUndelivered, 30003, ledger.Undelivered, ""},
		"failed, too late":      {sms.StatusFailed, 30003, ledger.Failed, ledger.ReasonReceipt},
		"again, too late":       {sms.StatusFailed, 30001, ledger.Failed, ledger.ReasonReceipt},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.clock.Advance(4 * time.Hour)
			s.tell(1, tt.status, tt.code)
			s.drain()
			s.checkPosts(1)
			s.checkState(1, tt.state, tt.reason)
		})
	}
	t.Run("while the next hop waits", func(t *testing.T) {
		s := newSender(t)
		s.twilio.answer = answers(nil, refusal(fault.Fatal, 20003))
		s.queueUp(textOf(1, nil))
		s.checkBack(0)
		s.clock.Advance(4*time.Hour - time.Minute)
		s.tell(1, sms.StatusUndelivered, 30003)
		s.drain()
		s.checkPosts(2)
		s.checkState(1, ledger.Dead, ledger.ReasonExpired)
		checkChanges(t, s.ledger.Changes())
	})
	t.Run("before a delivery timeout", func(t *testing.T) {
		s := newSender(t)
		s.reroute(func(r *route.Route) { maxAge(time.Minute)(r); timeout(2 * time.Minute)(r) })
		s.queueUp(textOf(1, nil))
		s.drain()
		s.checkPosts(1)
		s.checkState(1, ledger.Sent, "")
		if s.measured["Cascaded delivery_timeout"] != 0 {
			t.Errorf("measured %v", s.measured)
		}
	})
	t.Run("a retry would be too late", func(t *testing.T) {
		s := newSender(t)
		s.queueUp(textOf(1, nil))
		s.checkBack(0)
		s.clock.Advance(4*time.Hour - 4*time.Minute)
		s.tell(1, sms.StatusFailed, 30001)
		s.checkBack(0)
		s.checkPosts(1)
		s.checkState(1, ledger.Failed, ledger.ReasonReceipt)
	})
}

// A moment that the pace limits give may be too late.
func TestExpiresWhilePaced(t *testing.T) {
	s := newSender(t)
	s.Concurrency, s.PacePair = 1, pace.Limit{N: 1, Per: time.Hour}
	for n := 1; n <= 6; n++ {
		s.queueUp(textOf(n, by(n-1)))
	}
	s.drain()
	if diff := cmp.Diff([]time.Duration{0, time.Hour, 2 * time.Hour, 3 * time.Hour}, s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
	s.checkState(6, ledger.Dropped, ledger.ReasonExpired)
	checkChanges(t, s.ledger.Changes())
}

// A manual text to a destination of its own has the age of its number's route, or the usual one.
func TestManualTextExpires(t *testing.T) {
	for number, want := range map[sms.PhoneNumber]ledger.State{relaytest.TwilioNumber: ledger.Dropped, "+18585550191": ledger.Sent} {
		s := newSender(t)
		s.reroute(maxAge(time.Minute))
		s.queueUp(textOf(1, func(e *queue.Envelope) {
			e.Kind, e.Message.From, e.Message.To, e.Destination = queue.KindManual, "", number, third
		}))
		s.clock.Advance(2 * time.Minute)
		s.checkBack(0)
		if r := s.record(1); r.State != want {
			t.Errorf("from %s: %q (%s), want %q", number, r.State, r.Reason, want)
		}
	}
}
