package delivery_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// leave puts text 1 on record as claimed by a sender that died, and returns the record.
func (s *sender) leave() ledger.Record {
	s.t.Helper()
	r, err := relaytest.Record(1, started).Claim("another's", 0, relaytest.Destination, lease, started)
	if err != nil {
		s.t.Fatal(err)
	}
	if r, err = s.ledger.Create(context.Background(), r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestLiveLeaseIsWaitedFor(t *testing.T) {
	s := newSender(t)
	s.leave()
	s.queueUp(textOf(1, nil), textOf(2, nil))
	s.clock.Advance(time.Second)
	s.checkBack(2)
	// Nothing of the group shows until the lease is over.
	s.clock.Advance(lease - time.Second - time.Millisecond)
	if got := s.receive(); len(got) != 0 {
		t.Fatalf("received %d messages within the lease", len(got))
	}
	if r := s.record(1); r.Version != 1 {
		t.Errorf("record %+v was touched within the lease", r)
	}
	s.clock.Advance(time.Millisecond)
	s.checkBack(2)
	s.checkState(1, ledger.Sending, "")
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	s.checkState(2, ledger.Sent, "")
	s.checkPosts(1)
	last, _ := s.record(1).Current()
	if last.Outcome != "unknown" || last.Error == "" || last.EndedAt.IsZero() {
		t.Errorf("attempt %+v", last)
	}
}

func TestLapsedLeaseIsNeverPostedAgain(t *testing.T) {
	s := newSender(t)
	s.leave()
	s.clock.Advance(lease)
	s.fail("ledger before Update", broken(fault.Transient, 7)...)
	s.fail("ledger after Update", broken(fault.Unknown, 2)...)
	s.queueUp(textOf(1, nil), textOf(1, nil))
	s.drain()
	s.checkPosts(0)
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	checkChanges(t, s.ledger.Changes())
}

// The claim's holder comes in with its result while the text is being settled: the result is kept.
func TestLapsedLeaseSettledMeanwhile(t *testing.T) {
	s := newSender(t)
	left := s.leave()
	s.clock.Advance(lease)
	s.faults.hook = func(op string) error {
		if op == "ledger before Update" {
			s.faults.hook = nil
			r, _ := left.Accept(1, relaytest.OutboundSid(1), sms.StatusQueued, s.clock.Now())
			if _, err := s.ledger.Update(context.Background(), r); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(0)
	s.checkState(1, ledger.Sent, "")
	if lines := s.lines(); slices.Contains(lines, "lease lapsed") {
		t.Errorf("log %q of a text that was sent: nothing lapsed", lines)
	}
}

// The claim is written, and the answer lost: the mark says whose it is, and the text goes out once.
func TestClaimsAnswerIsLost(t *testing.T) {
	for name, tt := range map[string]struct {
		op string
		n  int
		// retried is whether it is a second attempt's claim.
		retried bool
	}{
		"written once":                {"ledger after Create", 1, false},
		"never written":               {"ledger before Create", 1, false},
		"never written, four times":   {"ledger before Create", 4, false},
		"second attempt written":      {"ledger after Update", 1, true},
		"second attempt not written":  {"ledger before Update", 3, true},
		"both answers of Create lost": {"ledger after Create", 2, false},
		"four answers of Create lost": {"ledger after Create", 4, false},
		"second attempt, two lost":    {"ledger after Update", 2, true},
		"second attempt, three lost":  {"ledger after Update", 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			posts := 1
			s.queueUp(textOf(1, nil))
			if tt.retried {
				posts = 2
				s.twilio.answer = answers(refusal(fault.Transient, 0))
				s.checkBack(1)
				s.clock.Advance(policy.Base)
			}
			s.fail(tt.op, broken(fault.Unknown, tt.n)...)
			s.checkBack(0)
			s.checkPosts(posts)
			s.checkState(1, ledger.Sent, "")
			checkChanges(t, s.ledger.Changes())
			if r := s.record(1); len(r.Attempts) != posts {
				t.Errorf("attempts %+v, want %d", r.Attempts, posts)
			}
		})
	}
}

// Nobody learns whose claim it is before the sender gives up. The text is not sent; it must not be sent twice.
func TestClaimsAnswerIsLostForGood(t *testing.T) {
	for _, n := range []int{5, 9} {
		s := newSender(t)
		s.fail("ledger after Create", broken(fault.Unknown, n)...)
		s.queueUp(textOf(1, nil))
		s.checkBack(1)
		s.drain()
		s.checkPosts(0)
		s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	}
}

// Someone else's claim is not taken for one's own.
func TestClaimIsSomeoneElses(t *testing.T) {
	s := newSender(t)
	s.faults.hook = func(op string) error {
		if op != "ledger before Create" {
			return nil
		}
		s.faults.hook = nil
		s.leave()
		return broken(fault.Unknown, 1)[0]
	}
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.checkPosts(0)
	s.clock.Advance(lease)
	s.checkBack(1)
	s.drain()
	s.checkPosts(0)
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
}

// A drop whose answer was lost is the sender's own all the same, and is measured as one.
func TestDropsAnswerIsLost(t *testing.T) {
	s := newSender(t)
	s.fail("ledger after Create", broken(fault.Unknown, 1)...)
	e := textOf(1, nil)
	e.Message.OptOutType = "STOP"
	s.queueUp(e)
	s.checkBack(0)
	s.checkState(1, ledger.Dropped, ledger.ReasonOptOut)
	if s.measured["Dropped opt_out"] != 1 || s.measured["Duplicates"] != 0 {
		t.Errorf("measured %v, want one drop and no repeat", s.measured)
	}
}

func TestLedgerIsDown(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Transient, fault.Throttled, fault.Permanent, fault.Fatal, fault.Unknown} {
		t.Run(kind.String(), func(t *testing.T) {
			s := newSender(t)
			s.fail("ledger before Create", broken(kind, 15)...)
			s.queueUp(textOf(1, nil), textOf(2, nil))
			s.checkBack(2)
			s.checkPosts(0)
			s.drain()
			s.checkPosts(2)
			s.checkState(1, ledger.Sent, "")
			if s.twilio.Posts()[0].Ref.RelayID != relaytest.MessageSid(1) {
				t.Error("the second text overtook the first")
			}
		})
	}
}

// The text is out, and the ledger cannot be told: it is never posted again, and found by a look, or by a receipt.
func TestLedgerIsDownAfterThePost(t *testing.T) {
	for name, tt := range map[string]struct {
		op    string
		n     int
		state ledger.State
	}{
		"for a moment":              {"ledger before Update", 2, ledger.Sent},
		"for longer":                {"ledger before Update", 3, ledger.Sent},
		"for very long":             {"ledger before Update", 40, ledger.Sent},
		"answers are lost at first": {"ledger after Update", 2, ledger.Sent},
		"answers are lost":          {"ledger after Update", 9, ledger.Sent},
	} {
		for _, receipt := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				s := newSender(t)
				s.queueUp(textOf(1, nil))
				s.fail(tt.op, broken(fault.Unknown, tt.n)...)
				s.pump()
				want := tt.state
				if receipt {
					s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusDelivered))
					want = ledger.Delivered
				}
				s.drain()
				s.checkPosts(1)
				if r := s.record(1); r.State != want {
					t.Errorf("text is %q (%s), want %q", r.State, r.Reason, want)
				}
				checkChanges(t, s.ledger.Changes())
			})
		}
	}
}

// A refusal that could not be recorded is not repeated either: the next sender cannot know of it.
func TestLedgerIsDownAfterARefusal(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Transient, fault.Permanent, fault.Fatal, fault.Unknown} {
		t.Run(kind.String(), func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = always(refusal(kind, 0))
			s.queueUp(textOf(1, nil))
			s.fail("ledger before Update", broken(fault.Transient, 3)...)
			s.checkBack(1)
			s.drain()
			s.checkPosts(1)
			if kind == fault.Unknown {
				// This one was taken, and it is found.
				s.checkState(1, ledger.Sent, "")
				return
			}
			s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
		})
	}
}

// A sender that was stopped for longer than its lease comes back to a text that someone else has settled.
func TestSenderWasStoppedForLong(t *testing.T) {
	for name, answer := range map[string]error{
		"taken": nil, "refused": refusal(fault.Transient, 0),
		"refused for good": refusal(fault.Permanent, 21610),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = func(int, sms.Outbound) error {
				s.twilio.listLag = time.Hour
				s.clock.Advance(visibility)
				s.drain()
				s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
				s.lines()
				return answer
			}
			s.queueUp(textOf(1, nil))
			s.pump()
			s.drain()
			s.checkPosts(1)
			lines := s.lines()
			if answer == nil {
				s.checkState(1, ledger.Sent, "")
				return
			}
			s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
			if slices.Contains(lines, "text relayed") {
				t.Errorf("log %q of a text that Twilio refused", lines)
			}
		})
	}
}

// However late it is, the queue is asked for a wait that it can give. See visibilityCheck.
func TestLateAnswersAskForNoNegativeWait(t *testing.T) {
	for name, op := range map[string]string{"recording": "ledger before Update", "claiming": "ledger before Create"} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.faults.hook = func(asked string) error {
				if asked != op {
					return nil
				}
				s.clock.Advance(lease)
				return broken(fault.Unknown, 1)[0]
			}
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
		})
	}
}

// Time goes on while the sender thinks, also past the moment for which it was to wait.
func TestWaitEndsMeanwhile(t *testing.T) {
	s := newSender(t)
	s.leave()
	s.clock.Advance(lease - 2500*time.Microsecond)
	s.queueUp(textOf(1, nil))
	s.Now = func() time.Time {
		s.clock.Advance(700 * time.Microsecond)
		return s.clock.Now()
	}
	s.pump()
	s.checkPosts(0)
}
