package delivery_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

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
