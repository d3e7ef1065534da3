package delivery_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	first  = relaytest.Destination
	second = relaytest.Fallback
	third  = sms.PhoneNumber("+18585550144")
)

// reroute changes the route of the texts.
func (s *sender) reroute(edit func(r *route.Route)) {
	s.t.Helper()
	found, err := s.routes.Lookup(context.Background(), relaytest.TwilioNumber)
	if err != nil {
		s.t.Fatal(err)
	}
	r := found[relaytest.TwilioNumber]
	edit(&r)
	if _, err := s.routes.Put(context.Background(), r); err != nil {
		s.t.Fatal(err)
	}
}

// timeout is an edit that gives the route a DeliveryTimeout.
func timeout(d time.Duration) func(r *route.Route) {
	return func(r *route.Route) { r.DeliveryTimeout = route.Duration(d) }
}

// checkPhones holds the phones that POSTs were made to, in order, against what they must be.
func (s *sender) checkPhones(want ...sms.PhoneNumber) {
	s.t.Helper()
	var got []sms.PhoneNumber
	for _, p := range s.twilio.Posts() {
		got = append(got, p.To)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("POSTs to (-want +got):\n%s", diff)
	}
}

// outcomes tells the attempts of a record in short: "1@0 unreachable done, 2@1 accepted delivered".
func outcomes(r ledger.Record) string {
	text := ""
	for _, a := range r.Attempts {
		text += fmt.Sprintf(", %d@%d %s", a.Number, a.Hop, a.Outcome)
		if a.HopDone {
			text += " done"
		}
		if a.Status != "" {
			text += " " + string(a.Status)
		}
	}
	if text == "" {
		return ""
	}
	return text[2:]
}

// checkOutcomes holds text 1's attempts against what they must be.
func (s *sender) checkOutcomes(want string) {
	s.t.Helper()
	if got := outcomes(s.record(1)); got != want {
		s.t.Errorf("attempts: %s\nwant:     %s", got, want)
	}
}

// A refusal's answer is carried out, in the same run where the next hop is due.
func TestEachRefusal(t *testing.T) {
	trouble := refusal(fault.Transient, 0)
	for name, tt := range map[string]struct {
		errs     []error
		phones   []sms.PhoneNumber
		state    ledger.State
		reason   ledger.Reason
		outcomes string
		dead     int
	}{
		"one hop refuses": {
			[]error{refusal(fault.Unreachable, 21614)},
			[]sms.PhoneNumber{first, second},
			ledger.Sent, "", "1@0 unreachable done, 2@1 accepted queued", 0,
		},
		"one hop has opted out": {
			[]error{refusal(fault.OptedOut, 21610)},
			[]sms.PhoneNumber{first, second},
			ledger.Sent, "", "1@0 opted_out done, 2@1 accepted queued", 0,
		},
		"both refuse": {
			[]error{refusal(fault.Unreachable, 21614), refusal(fault.Unreachable, 21211)},
			[]sms.PhoneNumber{first, second},
			ledger.Failed, ledger.ReasonRefused, "1@0 unreachable done, 2@1 unreachable done", 0,
		},
		"both have opted out": {
			[]error{refusal(fault.OptedOut, 21610), refusal(fault.OptedOut, 21610)},
			[]sms.PhoneNumber{first, second},
			ledger.Failed, ledger.ReasonRefused, "1@0 opted_out done, 2@1 opted_out done", 0,
		},
		"the text is refused at the second hop": {
			[]error{refusal(fault.Unreachable, 21614), refusal(fault.Permanent, 21617)},
			[]sms.PhoneNumber{first, second},
			ledger.Failed, ledger.ReasonRefused, "1@0 unreachable done, 2@1 permanent", 0,
		},
		"trouble, then a refusal": {
			[]error{trouble, trouble, refusal(fault.Unreachable, 21614), trouble, trouble},
			[]sms.PhoneNumber{first, first, first, second, second, second},
			ledger.Sent, "", "1@0 transient, 2@0 transient, 3@0 unreachable done, 4@1 transient, 5@1 transient, 6@1 accepted queued", 0,
		},
		"a refusal, then trouble to the end": {
			[]error{refusal(fault.Unreachable, 21614), trouble, trouble, trouble},
			[]sms.PhoneNumber{first, second, second, second},
			ledger.Dead, ledger.ReasonAttemptsExhausted, "1@0 unreachable done, 2@1 transient, 3@1 transient, 4@1 transient", 1,
		},
		"a refusal, then an unusable account": {
			[]error{refusal(fault.Unreachable, 21614), refusal(fault.Fatal, 20003)},
			[]sms.PhoneNumber{first, second, second},
			ledger.Sent, "", "1@0 unreachable done, 3@1 accepted queued", 0,
		},
		"a refusal, then no answer": {
			[]error{refusal(fault.Unreachable, 21614), &fault.Error{Err: errLost}},
			[]sms.PhoneNumber{first, second},
			ledger.Uncertain, ledger.ReasonUnknownOutcome, "1@0 unreachable done, 2@1 unknown", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = answers(tt.errs...)
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkPhones(tt.phones...)
			s.checkState(1, tt.state, tt.reason)
			s.checkOutcomes(tt.outcomes)
			checkChanges(t, s.ledger.Changes())
			if got := len(s.dead.Messages()); got != tt.dead {
				t.Errorf("%d dead letters, want %d", got, tt.dead)
			}
		})
	}
}

func TestNextHopInTheSameRun(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) { r.FallbackCarriers = append(r.FallbackCarriers, third) })
	s.twilio.answer = answers(refusal(fault.Unreachable, 21614), refusal(fault.OptedOut, 21610))
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.checkPhones(first, second, third)
	for i, p := range s.twilio.Posts() {
		if p.Ref.Attempt != i+1 || p.Ref.Hop != i {
			t.Errorf("POST %d says attempt %d at hop %d", i+1, p.Ref.Attempt, p.Ref.Hop)
		}
	}
	want := map[string]int{
		"TwilioFault unreachable": 1, "TwilioFault opted_out": 1, "Cascaded refused": 2, "OptedOut": 1, "Relayed": 1,
		"RelayLatency": 1, "Segments": 1,
	}
	if diff := cmp.Diff(want, s.measured); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}
}

// The dead letter of a later hop says which.
func TestDeadLetterOfALaterHop(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 1 {
			return refusal(fault.Unreachable, 21614)
		}
		return refusal(fault.Transient, 0)
	}
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkDeadLetter(textOf(1, nil), map[string]string{
		"Reason": "attempts_exhausted", "Attempts": "4", "LastError": "transient: as in the test", "Hop": "1",
	})
}

// What a receipt of a loss does, by its code.
func TestEachLoss(t *testing.T) {
	for name, tt := range map[string]struct {
		status sms.Status
		code   int
		phones []sms.PhoneNumber
		// after is how long after the receipt the second POST is made.
		after    time.Duration
		state    ledger.State
		reason   ledger.Reason
		outcomes string
	}{
		"unreachable": {
			sms.StatusUndelivered, 30003,
			[]sms.PhoneNumber{first, second},
			0, ledger.Sent, "",
			"1@0 accepted done undelivered, 2@1 accepted queued",
		},
		"failed": {
			sms.StatusFailed, 30006,
			[]sms.PhoneNumber{first, second},
			0, ledger.Sent, "",
			"1@0 accepted done failed, 2@1 accepted queued",
		},
		"no code": {
			sms.StatusUndelivered, 0,
			[]sms.PhoneNumber{first, second},
			0, ledger.Sent, "",
			"1@0 accepted done undelivered, 2@1 accepted queued",
		},
		"a code to be": {
			sms.StatusUndelivered, 39999,
			[]sms.PhoneNumber{first, second},
			0, ledger.Sent, "",
			"1@0 accepted done undelivered, 2@1 accepted queued",
		},
		"opted out": {
			sms.StatusFailed, 21610,
			[]sms.PhoneNumber{first, second},
			0, ledger.Sent, "",
			"1@0 accepted done failed, 2@1 accepted queued",
		},
		"queue was full": {
			sms.StatusFailed, 30001,
			[]sms.PhoneNumber{first, first},
			5 * time.Minute, ledger.Sent, "",
			"1@0 accepted failed, 2@0 accepted queued",
		},
		"suspended": {
			sms.StatusFailed, 30002,
			[]sms.PhoneNumber{first, first},
			policy.HaltDelay, ledger.Sent, "",
			"1@0 accepted failed, 2@0 accepted queued",
		},
		"pumping": {
			sms.StatusUndelivered, 30450,
			[]sms.PhoneNumber{first, first},
			15 * time.Minute, ledger.Sent, "",
			"1@0 accepted undelivered, 2@0 accepted queued",
		},
		"not scheduled": {
			sms.StatusFailed, 30047,
			[]sms.PhoneNumber{first, first},
			policy.Base, ledger.Sent, "",
			"1@0 accepted failed, 2@0 accepted queued",
		},
		"daily limit": {
			sms.StatusUndelivered, 63038,
			[]sms.PhoneNumber{first, first},
			15 * time.Minute, ledger.Sent, "",
			"1@0 accepted undelivered, 2@0 accepted queued",
		},
		"quiet hours": {
			sms.StatusFailed, 30610,
			[]sms.PhoneNumber{first, second},
			0, ledger.Sent, "",
			"1@0 accepted done failed, 2@1 accepted queued",
		},
		"for good": {sms.StatusFailed, 30034, []sms.PhoneNumber{first}, 0, ledger.Failed, ledger.ReasonReceipt, "1@0 accepted failed"},
		"canceled": {sms.StatusCanceled, 0, []sms.PhoneNumber{first}, 0, ledger.Failed, ledger.ReasonReceipt, "1@0 accepted canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.clock.Advance(time.Minute)
			told := s.clock.Now()
			s.tell(1, tt.status, tt.code)
			s.drain()
			s.checkPhones(tt.phones...)
			s.checkState(1, tt.state, tt.reason)
			s.checkOutcomes(tt.outcomes)
			if posts := s.twilio.Posts(); len(posts) > 1 && posts[1].At.Sub(told) != tt.after {
				t.Errorf("second POST %v after the receipt, want %v", posts[1].At.Sub(told), tt.after)
			}
			checkChanges(t, s.ledger.Changes())
			if n := len(s.dead.Messages()); n != 0 {
				t.Errorf("%d dead letters", n)
			}
		})
	}
}

// tell queues the receipt of the nth POST's message, which becomes what it says.
func (s *sender) tell(n int, status sms.Status, code int) {
	s.t.Helper()
	s.twilio.Become(n, status, code)
	p := s.twilio.Posts()[n-1]
	e := receipt(p.Ref, p.Message.Sid, status)
	e.Receipt.ErrorCode = code
	s.queueUp(e)
}
