package delivery_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
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

// The receipt's own message only sets a timer: in its group it would keep a later receipt from stopping the cascade.
func TestLossIsLeftToATimer(t *testing.T) {
	s := newSender(t)
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.tell(1, sms.StatusUndelivered, 30003)
	if failed, received := s.pumpFrom(s.queue); failed != 0 || received != 1 {
		t.Errorf("%d of %d messages came back", failed, received)
	}
	s.checkPosts(1)
	s.checkState(1, ledger.Queued, ledger.ReasonNextHop)
	if n := len(s.timers.Messages()); n != 1 {
		t.Fatalf("%d timers, want 1", n)
	}
	s.checkBack(0)
	s.checkPosts(2)
	s.checkState(1, ledger.Sent, "")
	if s.measured["Cascaded undelivered"] != 1 || s.measured["Relayed"] != 2 {
		t.Errorf("measured %v", s.measured)
	}
}

// The text ends where the last hop's message ends.
func TestNoFallbackLeft(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusDelivered: ledger.Delivered, sms.StatusUndelivered: ledger.Undelivered, sms.StatusFailed: ledger.Failed,
		sms.StatusCanceled: ledger.Failed,
	} {
		t.Run(string(status), func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.tell(1, sms.StatusUndelivered, 30003)
			s.drain()
			s.tell(2, status, 0)
			s.drain()
			s.checkPhones(first, second)
			reason := ledger.Reason("")
			if want == ledger.Failed {
				reason = ledger.ReasonReceipt
			}
			s.checkState(1, want, reason)
			if s.measured["Outcome "+string(want)] != 1 {
				t.Errorf("measured %v", s.measured)
			}
		})
	}
}

// Where a message was lost because it was too much at once, the same phone is tried again, up to the most attempts there
// may be. No text burns into the dead letters.
func TestLossesRepeat(t *testing.T) {
	for name, code := range map[string]int{"queue was full": 30001, "too fast": 14107} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(func(r *route.Route) { r.MaxAge = route.Duration(72 * time.Hour) })
			s.queueUp(textOf(1, nil))
			s.drain()
			for n := 1; n <= maxAttempts+2 && n <= len(s.twilio.Posts()); n++ {
				s.tell(n, sms.StatusFailed, code)
				s.drain()
			}
			s.checkPosts(maxAttempts)
			s.checkState(1, ledger.Failed, ledger.ReasonReceipt)
			if n := len(s.dead.Messages()); n != 0 {
				t.Errorf("%d dead letters", n)
			}
		})
	}
}

// A later hop's own retries count on their own.
func TestRefusedAfterALoss(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		state  ledger.State
		reason ledger.Reason
	}{
		"unreachable": {refusal(fault.Unreachable, 21614), ledger.Failed, ledger.ReasonRefused},
		"permanent":   {refusal(fault.Permanent, 21617), ledger.Failed, ledger.ReasonRefused},
		"unknown":     {&fault.Error{Err: errLost}, ledger.Uncertain, ledger.ReasonUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = answers(nil, tt.err)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.tell(1, sms.StatusUndelivered, 30003)
			s.drain()
			s.checkPhones(first, second)
			s.checkState(1, tt.state, tt.reason)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// A dead letter of a text that a timer moved is a message like any other.
func TestDeadLetterOfATextThatATimerMoved(t *testing.T) {
	for name, edit := range map[string]func(e *queue.Envelope){
		"inbound": nil,
		"manual":  func(e *queue.Envelope) { e.Kind, e.Message.From = queue.KindManual, "" },
		"with pictures": func(e *queue.Envelope) {
			e.Message.Media = []sms.Media{{URL: "https://api.twilio.com/1", ContentType: "image/jpeg"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = func(n int, _ sms.Outbound) error {
				if n == 1 {
					return nil
				}
				return refusal(fault.Transient, 0)
			}
			s.queueUp(textOf(1, edit))
			s.checkBack(0)
			s.tell(1, sms.StatusUndelivered, 30003)
			s.drain()
			s.checkPhones(first, second, second, second)
			s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
			letters := s.dead.Messages()
			if len(letters) != 1 {
				t.Fatalf("%d dead letters, want 1", len(letters))
			}
			got, err := queue.Decode(letters[0].Body)
			want := textOf(1, edit)
			if err != nil || got.Kind != want.Kind || got.RelayID != want.RelayID || !got.ReceivedAt.Equal(want.ReceivedAt) ||
				got.Message.Body != want.Message.Body || got.Message.From != want.Message.From || got.Message.To != want.Message.To ||
				!cmp.Equal(got.Message.Media, want.Message.Media) {
				t.Errorf("letter %+v, error %v", got, err)
			}
			if letters[0].Group != want.Group() || letters[0].Attributes["Hop"] != "1" || letters[0].Attributes["Attempts"] != "4" {
				t.Errorf("letter %+v", letters[0])
			}
		})
	}
}
