package delivery_test

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/sms"
	door "quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// trouble is what is not the text's own, as the door classifies it, and what a dead letter says of it at last.
func trouble() map[string]struct {
	exchange door.Exchange
	last     string
} {
	return map[string]struct {
		exchange door.Exchange
		last     string
	}{
		"connection refused": {door.Exchange{Err: io.EOF}, "not_sent: request was not sent: EOF"},
		"too many requests":  {door.Exchange{Sent: true, Status: http.StatusTooManyRequests, Code: 20429}, "throttled: too many requests"},
	}
}

// during answers every POST with the failure until that time, and takes those that come later.
func (s *sender) during(until time.Time, f *fault.Error) {
	s.twilio.answer = func(int, sms.Outbound) error {
		if s.clock.Now().Before(until) {
			return f
		}
		return nil
	}
}

// Trouble that is not the text's own spends no attempt, however few there are, and the text goes out when it is over. It holds
// back its own conversation only.
func TestTroubleSpendsNoAttempt(t *testing.T) {
	for name, tt := range trouble() {
		for _, lasts := range []time.Duration{5 * time.Minute, 3*time.Hour + 50*time.Minute} {
			t.Run(name+" for "+lasts.String(), func(t *testing.T) {
				s := newSender(t)
				s.Policy = retry.NewPolicy(2*time.Second, 1)
				s.during(started.Add(lasts), door.Classify(tt.exchange))
				s.queueUp(textOf(1, nil), textOf(2, nil))
				s.queueUp(textOf(3, by(3)))
				s.drain()
				for n := range 3 {
					s.checkState(n+1, ledger.Sent, "")
					if took := s.record(n + 1).UpdatedAt.Sub(started); took > lasts+s.Policy.Cap+time.Minute {
						t.Errorf("text %d went out after %v", n+1, took)
					}
				}
				if spent := s.record(1).AttemptsSpentOn(relaytest.Destination); spent != 1 {
					t.Errorf("%d attempts are spent, want the one that Twilio took", spent)
				}
				if len(s.dead.Messages()) != 0 {
					t.Errorf("dead letters: %v", s.dead.Messages())
				}
				checkChanges(t, s.ledger.Changes())
			})
		}
	}
}

// The waits double, and then the text is tried every five minutes: seldom enough for a queue that counts receives.
func TestTroubleIsTriedLessAndLess(t *testing.T) {
	s := newSender(t)
	s.Policy = retry.NewPolicy(2*time.Second, 8)
	s.during(started.Add(time.Hour), door.Classify(door.Exchange{Err: io.EOF}))
	s.queueUp(textOf(1, nil))
	got := s.waits(20 * time.Minute)
	var want []time.Duration
	for at, wait := time.Duration(0), 2*time.Second; at < 20*time.Minute; wait = min(2*wait, 5*time.Minute) {
		want = append(want, at)
		at += wait
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("POSTs (-want +got):\n%s", diff)
	}
	// Only the last of the tries that left nothing behind is kept.
	if r := s.record(1); len(r.Attempts) != 1 || r.Upcoming() != len(want)+1 {
		t.Errorf("%d attempts on record, and %d is next", len(r.Attempts), r.Upcoming())
	}
}

// What Twilio answered is kept: a look may have to tell its message from another's.
func TestAnsweredTriesAreKept(t *testing.T) {
	s := newSender(t)
	busy := door.Classify(door.Exchange{Sent: true, Status: http.StatusTooManyRequests, Code: 20429})
	s.twilio.answer = answers(busy, busy, busy, busy)
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkOutcomes("1@0 throttled, 2@0 throttled, 3@0 throttled, 4@0 throttled, 5@0 accepted queued")
}

// What is older than its MaxAge by then goes to the dead letters with the last error, and an operator's redrive brings it back.
func TestTroubleOutlastsTheText(t *testing.T) {
	for name, tt := range trouble() {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.during(started.Add(5*time.Hour), door.Classify(tt.exchange))
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkState(1, ledger.Dead, ledger.ReasonExpired)
			if at := s.record(1).UpdatedAt.Sub(started); at < 4*time.Hour || at > 4*time.Hour+time.Minute {
				t.Errorf("buried after %v, want when it was too old", at)
			}
			letter := s.dead.Messages()[0].Attributes
			if letter["Reason"] != "expired" || letter["LastError"] != tt.last {
				t.Errorf("dead letter says %v", letter)
			}
			if s.measured["DeadLetters expired"] != 1 || s.measured["Outcome dead"] != 1 || s.measured["Dropped expired"] != 0 {
				t.Errorf("measured %v", s.measured)
			}
			s.clock.Advance(2 * time.Hour)
			s.moveBack()
			s.drain()
			s.checkState(1, ledger.Sent, "")
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// A quota that is used up, told by the answer or by a receipt, burns no hop and no attempt, for as long as the text is of use.
func TestQuotaIsWaitedFor(t *testing.T) {
	for _, code := range []int{63038, 60728, 30022, 30023, 30027, 30454, 63018} {
		s := newSender(t)
		s.during(started.Add(3*time.Hour), door.Classify(door.Exchange{Sent: true, Status: http.StatusTooManyRequests, Code: code}))
		s.queueUp(textOf(1, nil))
		s.drain()
		s.checkPhones(slices.Repeat([]sms.PhoneNumber{relaytest.Destination}, 13)...)
		s.checkState(1, ledger.Sent, "")
		if s.measured["Quota"] != 12 || len(s.dead.Messages()) != 0 {
			t.Errorf("code %d: measured %v, %d dead letters", code, s.measured, len(s.dead.Messages()))
		}
	}
	t.Run("in receipts", func(t *testing.T) {
		s := newSender(t)
		s.queueUp(textOf(1, nil))
		s.drain()
		for n := 1; n <= maxAttempts+5; n++ {
			s.tell(n, sms.StatusUndelivered, 63038)
			s.drain()
		}
		s.checkPhones(slices.Repeat([]sms.PhoneNumber{relaytest.Destination}, maxAttempts+6)...)
		s.checkState(1, ledger.Sent, "")
		if r := s.record(1); r.AttemptsSpentOn(relaytest.Destination) != 1 || s.measured["Quota"] != maxAttempts+5 {
			t.Errorf("%d attempts spent, measured %v", r.AttemptsSpentOn(relaytest.Destination), s.measured)
		}
		checkChanges(t, s.ledger.Changes())
	})
	t.Run("in receipts until it is too old", func(t *testing.T) {
		s := newSender(t)
		s.reroute(maxAge(time.Hour))
		s.queueUp(textOf(1, nil))
		s.drain()
		for n := 1; n <= 4; n++ {
			s.tell(n, sms.StatusUndelivered, 63038)
			s.drain()
		}
		s.checkPosts(4)
		s.checkState(1, ledger.Undelivered, "")
	})
}

// However long Twilio asks to wait, the conversation behind the text is held for no longer than the text is of use. It goes to
// the dead letters at its MaxAge, and the next one is tried.
func TestRetryAfterBeyondTheTextsAge(t *testing.T) {
	for name, f := range map[string]*fault.Error{
		"throttled": {Kind: fault.Throttled, Code: 20429, HTTPStatus: 429, RetryAfter: 6 * time.Hour},
		"quota":     {Kind: fault.Quota, Code: 63038, HTTPStatus: 429, RetryAfter: 6 * time.Hour},
		"fatal":     {Kind: fault.Fatal, Code: 20003, HTTPStatus: 401},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(maxAge(2 * time.Minute))
			s.twilio.answer = answers(f)
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
			s.clock.Advance(2 * time.Minute)
			s.queueUp(textOf(2, func(e *queue.Envelope) { e.ReceivedAt = s.clock.Now() }))
			s.drain()
			s.checkState(1, ledger.Dead, ledger.ReasonExpired)
			if at := s.record(1).UpdatedAt.Sub(started); at > 3*time.Minute {
				t.Errorf("the conversation was held for %v", at)
			}
		})
	}
}

// A failure of ours is waited for by how long the text has been due. How often the queue handed it out before, for the sake of
// the pace or the texts before it, does not count.
func TestOurOwnTroubleBacksOffByAge(t *testing.T) {
	for name, tt := range map[string]struct {
		age  time.Duration
		err  fault.Kind
		want time.Duration
	}{
		"at once":              {0, fault.Transient, 2 * time.Second},
		"after half a minute":  {30 * time.Second, fault.Transient, 30 * time.Second},
		"after an hour":        {time.Hour, fault.Transient, 5 * time.Minute},
		"ours to set right":    {0, fault.Fatal, 5 * time.Minute},
		"ours, after an hour":  {time.Hour, fault.Fatal, 5 * time.Minute},
		"throttled, too, soon": {3 * time.Second, fault.Throttled, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.Policy = retry.NewPolicy(2*time.Second, maxAttempts)
			s.queueUp(textOf(1, nil))
			// The queue has handed it out often before.
			for range 20 {
				for _, d := range s.receive() {
					if err := s.queue.ChangeVisibility(t.Context(), []queue.Visibility{{ReceiptHandle: d.ReceiptHandle}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			s.clock.Advance(tt.age)
			s.fail("routes before Lookup", broken(tt.err, 9)...)
			s.fail("ledger before Get", broken(tt.err, 9)...)
			s.checkBack(1)
			if got := s.longestWait(); got != tt.want {
				t.Errorf("it comes back after %v, want %v", got, tt.want)
			}
		})
	}
}
